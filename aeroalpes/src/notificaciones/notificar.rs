//! De un evento a su correo, una vez.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitacora_pulsar::{Client, ClientConfig, Message, Outcome, RetryPolicy, WorkerOptions, run_subscription_worker};
use lettre::message::Mailbox;

use crate::consumo::{Registros, suscripcion};
use crate::contrato::direccion::Broker;
use crate::contrato::evento::EventoReserva;
use crate::contrato::tema;
use crate::error::Error;
use crate::notificaciones::bandeja::{Bandeja, Estado};
use crate::notificaciones::configuracion::{Argumentos, Correo};
use crate::notificaciones::correo;
use crate::notificaciones::destinatario::Directorio;
use crate::notificaciones::smtp::Cartero;
use crate::notificaciones::texto::{self, Texto};

/// Un servidor con listas grises toma un correo al cabo de minutos, a veces de una hora.
const REINTENTOS: RetryPolicy =
    RetryPolicy { tries: 30, first_wait: Duration::from_secs(1), max_wait: Duration::from_secs(300) };
/// Cada cuánto se olvida lo viejo de la bandeja.
const LIMPIEZA: Duration = Duration::from_secs(24 * 3600);
/// Un id más largo no lo es: los de la bandeja de salida tienen 40 caracteres.
const MAX_ID: usize = 400;

/// Consume eventos y envía sus correos hasta que `parada` termina.
///
/// Un evento a la vez: dos entregas del mismo no deben encontrarlo nuevo las dos.
pub(crate) async fn ejecutar(argumentos: &Argumentos, parada: impl Future<Output = ()>) -> Result<(), Error> {
    let broker_url = Broker::del_entorno("PULSAR_ADDRESS").service_url;
    let Correo { smtp, de, para } = Correo::del_entorno()?;
    let directorio = Directorio::nuevo(para)?;
    let salida = match &smtp {
        Some(smtp) => format!("correo por {}:{}", smtp.host, smtp.puerto),
        None => "correo por esta salida".to_owned(),
    };
    // Un *broker* que vuelve se encuentra en segundos; llama un proceso, no mil.
    let ajustes = ClientConfig { backoff_max_ms: 5_000, ..ClientConfig::url(broker_url.clone()) };
    let cliente = Client::new(ajustes).map_err(Error::Broker)?;
    let suscripcion = WorkerOptions {
        retry: REINTENTOS,
        grace: Duration::from_secs(20),
        ..suscripcion(tema::EVENTOS_RESERVA, tema::SUB_NOTIFICACION, tema::EVENTOS_RESERVA_MUERTOS)?
    };
    let notificador = Arc::new(Notificador {
        registros: Registros::nuevos(cliente.clone(), &suscripcion.topic)?,
        directorio,
        bandeja: Arc::new(Bandeja::abrir(&argumentos.datos, ahora_ms())?),
        cartero: smtp.map(Cartero::nuevo).transpose()?,
        de,
    });
    let mut parada = pin!(parada);
    tokio::select! {
        dicho = decir(format!("aeroalpes notificaciones: {broker_url}, {salida}")) => {
            dicho.unwrap_or_else(|error| tracing::warn!(%error, "no se puede escribir en la salida"));
        }
        () = &mut parada => return Ok(()),
    }
    let limpieza = limpiar_cada_dia(Arc::clone(&notificador.bandeja));
    let consumo = run_subscription_worker(&cliente, suscripcion, parada, move |mensaje| {
        let notificador = Arc::clone(&notificador);
        async move { notificador.notificar(&mensaje).await.unwrap_or_else(|otro| otro) }
    });
    tokio::select! {
        fin = consumo => Ok(fin?),
        () = limpieza => Ok(()),
    }
}

struct Notificador {
    registros: Registros<EventoReserva>,
    directorio: Directorio,
    bandeja: Arc<Bandeja>,
    cartero: Option<Cartero>,
    de: Mailbox,
}

impl Notificador {
    /// Notifica un evento. Los dos lados del resultado son la respuesta del manejador: `Err` solo corta el camino.
    async fn notificar(&self, mensaje: &Message) -> Result<Outcome, Outcome> {
        let evento = self.registros.leer(mensaje).await?;
        let id = id_de(&evento, mensaje)?;
        let estado = self.en_bandeja(&id, |bandeja, id| bandeja.estado(id)).await?;
        if estado == Estado::Hecho {
            tracing::info!(evento = id, "un evento volvió, y su correo ya había salido");
            return Ok(Outcome::Done);
        }
        let texto = texto::redactar(&evento).map_err(Outcome::Rejected)?;
        let cliente = evento.data.as_ref().and_then(|datos| datos.id_cliente.as_deref());
        let para = self.directorio.de(cliente).await?;
        if estado == Estado::Empezado {
            tracing::warn!(
                evento = id,
                "un correo ya se había empezado y sale ahora; si había llegado, llega dos veces"
            );
        }
        self.en_bandeja(&id, |bandeja, id| bandeja.empezar(id, ahora_ms())).await?;
        let enviado = self.enviar(&texto, &para, &id).await;
        if enviado == Outcome::Done {
            // El correo salió: lo que falle desde aquí no debe enviarlo otra vez mientras viva este proceso.
            while let Err(error) = self.en_bandeja(&id, |bandeja, id| bandeja.terminar(id, ahora_ms())).await {
                tracing::error!(evento = id, ?error, "un correo salió, pero todavía no se puede anotar");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Ok(enviado)
    }

    async fn enviar(&self, texto: &Texto, para: &Mailbox, id: &str) -> Outcome {
        let Some(cartero) = &self.cartero else {
            return match decir(format!("correo a {para}: {}", linea(texto))).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Unavailable(format!("no se puede escribir en la salida: {error}")),
            };
        };
        match correo::redactado(texto, &self.de, para, id) {
            Ok(correo) => cartero.enviar(&correo).await,
            Err(motivo) => Outcome::Rejected(motivo),
        }
    }

    /// Hace una llamada a la bandeja en un hilo que puede esperar.
    async fn en_bandeja<T: Send + 'static>(
        &self,
        id: &str,
        llamada: impl FnOnce(&Bandeja, &str) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Outcome> {
        let (bandeja, id) = (Arc::clone(&self.bandeja), id.to_owned());
        let hecho = tokio::task::spawn_blocking(move || llamada(&bandeja, &id)).await;
        let motivo = match hecho {
            Ok(Ok(valor)) => return Ok(valor),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(Outcome::Unavailable(format!("no se puede usar la bandeja: {motivo}; revise el disco")))
    }
}

/// Devuelve el id del evento; sin él, el id del mensaje, que es el mismo en cada entrega.
fn id_de(evento: &EventoReserva, mensaje: &Message) -> Result<String, Outcome> {
    let id = evento.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("mensaje:{}", mensaje.id));
    if id.len() > MAX_ID {
        return Err(Outcome::Rejected(format!("el id del evento tiene {} bytes y el límite es {MAX_ID}", id.len())));
    }
    Ok(id)
}

/// Escribe una línea en la salida, desde un hilo aparte: si la salida es una tubería que nadie lee, la escritura se
/// bloquea, y el final del proceso no debe esperarla.
async fn decir(linea: String) -> std::io::Result<()> {
    let escrito = tokio::task::spawn_blocking(move || {
        let mut salida = std::io::stdout().lock();
        writeln!(salida, "{linea}")?;
        salida.flush()
    });
    escrito.await.map_err(std::io::Error::other)?
}

/// Asunto y cuerpo en una línea.
fn linea(texto: &Texto) -> String {
    let cuerpo: Vec<_> = texto.cuerpo.lines().filter(|linea| !linea.is_empty()).collect();
    format!("{} | {}", texto.asunto, cuerpo.join(" | "))
}

async fn limpiar_cada_dia(bandeja: Arc<Bandeja>) {
    loop {
        tokio::time::sleep(LIMPIEZA).await;
        let bandeja = Arc::clone(&bandeja);
        let limpiada = tokio::task::spawn_blocking(move || bandeja.limpiar(ahora_ms())).await;
        if let Ok(Err(error)) = limpiada {
            tracing::warn!(%error, "no se puede olvidar lo viejo de la bandeja");
        }
    }
}

fn ahora_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |transcurrido| u64::try_from(transcurrido.as_millis()).unwrap_or(u64::MAX))
}
