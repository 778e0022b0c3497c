//! The reader of one topic.

use std::sync::Arc;
use std::time::Duration;

use crate::consumo::{Esquemas, SinEsquema};
use bitacora_pulsar::wire::{MessageId, TopicName};
use bitacora_pulsar::{Client, Error, Message, Reader, ReaderOptions, StartPosition};

use super::cambio;
use super::evento::{self, Ilegible};
use crate::ui::difusion::{Clase, Difusion, HISTORIA, Publicacion};

/// Bytes that the broker may send ahead.
pub const COLA_BYTES: usize = 512 * 1024;

/// After this time without a message the topic is looked at: one that was deleted and made again counts from the start,
/// and a reader that waits behind its old end would wait for ever.
const REPOSO: Duration = Duration::from_secs(5);

/// Between attempts.
const PAUSA: Duration = Duration::from_millis(500);

/// Turns the messages of one topic into publications.
#[derive(Debug)]
pub struct Lector {
    client: Client,
    tema: TopicName,
    clase: Clase,
    difusion: Arc<Difusion>,
    esquemas: Esquemas,
}

impl Lector {
    /// Creates it; nothing is connected yet.
    pub fn nuevo(client: Client, tema: TopicName, clase: Clase, difusion: Arc<Difusion>) -> Self {
        let esquemas = Esquemas::nuevos(client.clone(), &tema);
        Self { client, tema, clase, difusion, esquemas }
    }

    /// Reads until the topic is gone or the broker refuses it for good. Then it may be opened anew.
    pub async fn leer(self) {
        if let Err(error) = self.leer_todo().await {
            tracing::warn!(topic = %self.tema, %error, "the topic cannot be read for now");
            // The topic is opened again when it is listed the next time.
            tokio::time::sleep(10 * PAUSA).await;
        }
    }

    async fn leer_todo(&self) -> Result<(), Error> {
        let mut reader = self.abrir().await?;
        let mut ultimo = None;
        loop {
            match tokio::time::timeout(REPOSO, reader.next()).await {
                Ok(Ok(message)) => {
                    ultimo = Some(message.id);
                    let publicacion = self.publicacion(&message).await;
                    self.difusion.publicar(publicacion);
                    // A batch has many messages at hand; the sockets get their turn between them.
                    tokio::task::yield_now().await;
                }
                Ok(Err(error)) if error.is_retryable() => tokio::time::sleep(PAUSA).await,
                Ok(Err(error @ Error::Unreadable { .. })) => {
                    tracing::warn!(topic = %self.tema, %error, "a message is passed over");
                    self.difusion.publicar(Publicacion::aviso(
                        self.clase,
                        self.tema.local_name(),
                        0,
                        "no se puede leer un mensaje",
                    ));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    if let (Some(ultimo), Ok(fin)) = (ultimo, reader.last_message().await)
                        && (fin.last.ledger, fin.last.entry) < (ultimo.ledger, ultimo.entry)
                    {
                        tracing::info!(topic = %self.tema, "the topic was made anew and is read from its start");
                        return reader.close().await;
                    }
                }
            }
        }
    }

    /// Opens the reader so that the latest [`HISTORIA`] messages come first. A batch of many messages gives more; they fall out
    /// of the ring. Where the topic's last ledger holds fewer, everything is read: ids of ledgers before it are not known.
    async fn abrir(&self) -> Result<Reader, Error> {
        let opciones = |start| ReaderOptions {
            receiver_queue: 100,
            receiver_queue_bytes: COLA_BYTES,
            ..ReaderOptions::new(self.tema.clone(), start)
        };
        let mut al_final = self.client.reader(opciones(StartPosition::Latest)).await?;
        let fin = al_final.last_message().await?.last;
        al_final.close().await?;
        self.client.reader(opciones(inicio(fin))).await
    }

    async fn publicacion(&self, message: &Message) -> Publicacion {
        let momento_ms = message.publish_time_ms();
        let clave = format!("{}/{}@{momento_ms}", self.tema.local_name(), message.id);
        let traducido = match self.clase {
            Clase::Evento => self.evento(message).await.map(|evento| Publicacion::evento(&clave, momento_ms, &evento)),
            Clase::Cambio => {
                cambio::traducir(self.tema.local_name(), message.key().as_deref(), message.value(), momento_ms)
                    .map(|cambio| Publicacion::cambio(&clave, momento_ms, &cambio))
            }
        };
        traducido.unwrap_or_else(|ilegible| {
            tracing::warn!(message = clave, %ilegible, "a message cannot be shown");
            Publicacion::aviso(self.clase, &clave, momento_ms, ilegible.motivo())
        })
    }

    async fn evento(&self, message: &Message) -> Result<serde_json::Value, Ilegible> {
        let esquema = loop {
            match self.esquemas.version(message.schema_version()).await {
                Err(SinEsquema::SinRespuesta(error)) if error.is_retryable() => {
                    tracing::debug!(topic = %self.tema, %error, "the schema is asked for again");
                    tokio::time::sleep(PAUSA).await;
                }
                Err(sin) => return Err(Ilegible::sin_esquema(&sin)),
                Ok(esquema) => break esquema,
            }
        };
        evento::decodificar(&esquema, message.value().unwrap_or_default())
    }
}

/// Where to start so that the latest messages come first.
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
