//! El lector de un tema.

use std::sync::Arc;
use std::time::Duration;

use bitacora_pulsar::wire::{MessageId, TopicName};
use bitacora_pulsar::{Client, Error, Message, Reader, ReaderOptions, StartPosition};

use super::{cambio, evento};
use crate::consumo::{Esquemas, SinEsquema};
use crate::contrato::ilegible::Ilegible;
use crate::ui::difusion::{Clase, Difusion, HISTORIA, Publicacion};

/// Bytes que el *broker* puede enviar por adelantado.
pub(super) const COLA_BYTES: usize = 512 * 1024;

/// Tras este tiempo sin mensajes se mira el tema: si lo borraron y lo crearon de nuevo, cuenta desde el principio, y
/// un lector que espera detrás de su antiguo final esperaría siempre.
const REPOSO: Duration = Duration::from_secs(5);

/// Entre intentos.
const PAUSA: Duration = Duration::from_millis(500);

/// Hace publicaciones de los mensajes de un tema.
#[derive(Debug)]
pub(super) struct Lector {
    cliente: Client,
    tema: TopicName,
    clase: Clase,
    difusion: Arc<Difusion>,
    esquemas: Esquemas,
}

impl Lector {
    /// Lo crea; todavía no se conecta.
    pub(super) fn nuevo(cliente: Client, tema: TopicName, clase: Clase, difusion: Arc<Difusion>) -> Self {
        let esquemas = Esquemas::nuevos(cliente.clone(), &tema);
        Self { cliente, tema, clase, difusion, esquemas }
    }

    /// Lee hasta que el tema ya no está o el *broker* lo niega del todo. Después se puede volver a abrir.
    pub(super) async fn leer(self) {
        if let Err(error) = self.leer_todo().await {
            tracing::warn!(tema = %self.tema, %error, "por ahora no se puede leer el tema");
            // El tema se vuelve a abrir cuando se liste la próxima vez.
            tokio::time::sleep(10 * PAUSA).await;
        }
    }

    async fn leer_todo(&self) -> Result<(), Error> {
        let mut lector = self.abrir().await?;
        let mut ultimo = None;
        loop {
            match tokio::time::timeout(REPOSO, lector.next()).await {
                Ok(Ok(mensaje)) => {
                    ultimo = Some(mensaje.id);
                    let publicacion = self.publicacion(&mensaje).await;
                    self.difusion.publicar(publicacion);
                    // Los mensajes de un lote ya están aquí; entre uno y otro se deja trabajar a los websockets.
                    tokio::task::yield_now().await;
                }
                Ok(Err(error)) if error.is_retryable() => tokio::time::sleep(PAUSA).await,
                Ok(Err(error @ Error::Unreadable { .. })) => {
                    tracing::warn!(tema = %self.tema, %error, "se pasa por alto un mensaje");
                    self.difusion.publicar(Publicacion::aviso(
                        self.clase,
                        self.tema.local_name(),
                        0,
                        "no se puede leer un mensaje",
                    ));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    if let (Some(ultimo), Ok(fin)) = (ultimo, lector.last_message().await)
                        && (fin.last.ledger, fin.last.entry) < (ultimo.ledger, ultimo.entry)
                    {
                        tracing::info!(tema = %self.tema, "el tema se creó de nuevo y se lee desde su principio");
                        return lector.close().await;
                    }
                }
            }
        }
    }

    /// Abre el lector de modo que los últimos [`HISTORIA`] mensajes lleguen primero. Un lote de muchos mensajes da
    /// más, y se caen del anillo. Si el último *ledger* del tema tiene menos, se lee todo: no se conocen los ids de
    /// los anteriores.
    async fn abrir(&self) -> Result<Reader, Error> {
        let opciones = |inicio| ReaderOptions {
            receiver_queue: 100,
            receiver_queue_bytes: COLA_BYTES,
            ..ReaderOptions::new(self.tema.clone(), inicio)
        };
        let mut al_final = self.cliente.reader(opciones(StartPosition::Latest)).await?;
        let fin = al_final.last_message().await?.last;
        al_final.close().await?;
        self.cliente.reader(opciones(inicio(fin))).await
    }

    async fn publicacion(&self, mensaje: &Message) -> Publicacion {
        let momento_ms = mensaje.publish_time_ms();
        let clave = format!("{}/{}@{momento_ms}", self.tema.local_name(), mensaje.id);
        let traducido = match self.clase {
            Clase::Evento => self.evento(mensaje).await,
            Clase::Cambio => {
                cambio::traducir(self.tema.local_name(), mensaje.key().as_deref(), mensaje.value(), momento_ms)
            }
        };
        match traducido {
            Ok(objeto) => Publicacion::nueva(self.clase, &clave, momento_ms, &objeto),
            Err(ilegible) => {
                tracing::warn!(mensaje = clave, %ilegible, "no se puede mostrar un mensaje");
                Publicacion::aviso(self.clase, &clave, momento_ms, ilegible.motivo)
            }
        }
    }

    async fn evento(&self, mensaje: &Message) -> Result<serde_json::Value, Ilegible> {
        let esquema = loop {
            match self.esquemas.version(mensaje.schema_version()).await {
                Err(SinEsquema::SinRespuesta(error)) if error.is_retryable() => {
                    tracing::debug!(tema = %self.tema, %error, "se vuelve a pedir el esquema");
                    tokio::time::sleep(PAUSA).await;
                }
                Err(SinEsquema::SinRespuesta(error)) => {
                    return Err(Ilegible::con("el registro no entrega su esquema", error));
                }
                Err(SinEsquema::Ilegible(ilegible)) => return Err(ilegible),
                Ok(esquema) => break esquema,
            }
        };
        evento::decodificar(&esquema, mensaje.value().unwrap_or_default())
    }
}

/// Dónde empezar para que lleguen primero los últimos mensajes.
fn inicio(fin: MessageId) -> StartPosition {
    match i64::try_from(HISTORIA) {
        Ok(historia) if !fin.is_none() && fin.entry >= historia => {
            StartPosition::At(MessageId::new(fin.ledger, fin.entry + 1 - historia))
        }
        _ => StartPosition::Earliest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn la_historia_empieza_tantas_entradas_antes_del_final() {
        assert_eq!(inicio(MessageId::new(3, 149)), StartPosition::At(MessageId::new(3, 100)));
        assert_eq!(inicio(MessageId::new(3, 49)), StartPosition::Earliest);
        assert_eq!(inicio(MessageId::EARLIEST), StartPosition::Earliest);
    }
}
