//! From an event to its mail, once.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::consumo::{Registros, suscripcion};
use crate::contrato::evento::EventoReserva;
use crate::contrato::tema;
use bitacora_pulsar::{Client, ClientConfig, Message, Outcome, RetryPolicy, WorkerOptions, run_subscription_worker};
use lettre::message::Mailbox;

use crate::notificaciones::bandeja::{Bandeja, Estado};
use crate::notificaciones::configuracion::Configuracion;
use crate::notificaciones::correo;
use crate::notificaciones::destinatario::Directorio;
use crate::notificaciones::error::Error;
use crate::notificaciones::smtp::Cartero;
use crate::notificaciones::texto::{self, Texto};

/// A server that greylists takes a mail after minutes, sometimes after an hour.
const REINTENTOS: RetryPolicy =
    RetryPolicy { tries: 30, first_wait: Duration::from_secs(1), max_wait: Duration::from_secs(300) };
/// How often old entries of the inbox are dropped.
const LIMPIEZA: Duration = Duration::from_secs(24 * 3600);
/// Longer ids are no ids: an outbox's have 40 characters.
const MAX_ID: usize = 400;

/// Consumes events and sends their mails until `parada` completes.
///
/// One event at a time: two deliveries of one event must not both find it new.
///
/// # Errors
/// Settings that cannot be used, an inbox that is in use, a broker that refuses for good.
pub async fn ejecutar(configuracion: Configuracion, parada: impl Future<Output = ()>) -> Result<(), Error> {
    let Configuracion { broker_url, api_url, datos, smtp, de, para } = configuracion;
    let salida = match &smtp {
        Some(smtp) => format!("correo por {}:{}", smtp.host, smtp.port),
        None => "correo por esta salida".to_owned(),
    };
    // A broker that comes back is found within seconds; one process knocks, not a thousand.
    let config = ClientConfig { backoff_max_ms: 5_000, ..ClientConfig::url(broker_url.clone()) };
    let client =
        Client::new(config).map_err(|source| Error::Client { what: "the broker", source: Box::new(source) })?;
    let suscripcion = WorkerOptions {
        retry: REINTENTOS,
        grace: Duration::from_secs(20),
        ..suscripcion(tema::EVENTOS_RESERVA, tema::SUB_NOTIFICACION, tema::EVENTOS_RESERVA_MUERTOS)?
    };
    let notificador = Arc::new(Notificador {
        registros: Registros::nuevos(client.clone(), &suscripcion.topic)?,
        directorio: Directorio::nuevo(api_url, para)?,
        bandeja: Arc::new(Bandeja::abrir(&datos, ahora_ms())?),
        cartero: smtp.map(Cartero::nuevo).transpose()?,
        de,
    });
    let mut parada = pin!(parada);
    tokio::select! {
        said = decir(format!("aeroalpes notificaciones: {broker_url}, {salida}")) => {
            said.unwrap_or_else(|error| tracing::warn!(%error, "standard output"));
        }
        () = &mut parada => return Ok(()),
    }
    let limpieza = limpiar_cada_dia(Arc::clone(&notificador.bandeja));
    let consumo = run_subscription_worker(&client, suscripcion, parada, move |message| {
        let notificador = Arc::clone(&notificador);
        async move { notificador.notificar(&message).await.unwrap_or_else(|otro| otro) }
    });
    tokio::select! {
        ended = consumo => Ok(ended?),
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
    /// Both sides of the result are the handler's answer; `Err` is any that ends it early.
    async fn notificar(&self, message: &Message) -> Result<Outcome, Outcome> {
        let evento = self.registros.leer(message).await?;
        let id = id_de(&evento, message)?;
        let estado = self.en_bandeja(&id, |bandeja, id| bandeja.estado(id)).await?;
        if estado == Estado::Hecho {
            tracing::info!(event = id, "an event came again and was mailed before");
            return Ok(Outcome::Done);
        }
        let texto = texto::redactar(&evento).map_err(Outcome::Rejected)?;
        let cliente = evento.data.as_ref().and_then(|data| data.id_cliente.as_deref());
        let para = self.directorio.de(cliente).await?;
        if estado == Estado::Empezado {
            tracing::warn!(event = id, "a mail was begun before and is sent; if it had arrived, it arrives twice");
        }
        self.en_bandeja(&id, |bandeja, id| bandeja.empezar(id, ahora_ms())).await?;
        let sent = self.enviar(&texto, &para, &id).await;
        if sent == Outcome::Done {
            // The mail is out: whatever fails from here on must not send it again as long as this process lives.
            while let Err(error) = self.en_bandeja(&id, |bandeja, id| bandeja.terminar(id, ahora_ms())).await {
                tracing::error!(event = id, ?error, "a mail is sent, but that cannot be written down yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Ok(sent)
    }

    async fn enviar(&self, texto: &Texto, para: &Mailbox, id: &str) -> Outcome {
        let Some(cartero) = &self.cartero else {
            return match decir(format!("correo a {para}: {}", linea(texto))).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Unavailable(format!("standard output cannot be written: {error}")),
            };
        };
        match correo::redactado(texto, &self.de, para, id) {
            Ok(mail) => cartero.enviar(&mail).await,
            Err(reason) => Outcome::Rejected(reason),
        }
    }

    /// Runs a call of the inbox on a thread that may block.
    async fn en_bandeja<T: Send + 'static>(
        &self,
        id: &str,
        call: impl FnOnce(&Bandeja, &str) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Outcome> {
        let (bandeja, id) = (Arc::clone(&self.bandeja), id.to_owned());
        let called = tokio::task::spawn_blocking(move || call(&bandeja, &id)).await;
        let reason = match called {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(Outcome::Unavailable(format!("the inbox cannot be used: {reason}; check the disk")))
    }
}

/// The event's id; one without has its place in the topic, which a redelivery does not change.
fn id_de(evento: &EventoReserva, message: &Message) -> Result<String, Outcome> {
    let id = evento.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("mensaje:{}", message.id));
    if id.len() > MAX_ID {
        return Err(Outcome::Rejected(format!("the event's id has {} bytes, {MAX_ID} are the limit", id.len())));
    }
    Ok(id)
}

/// Writes one line to standard output, which may be a pipe that nobody reads: on a thread that may wait for a reader, so that the
/// end of the process need not.
async fn decir(line: String) -> std::io::Result<()> {
    let written = tokio::task::spawn_blocking(move || {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{line}")?;
        stdout.flush()
    });
    written.await.map_err(std::io::Error::other)?
}

/// Subject and text in one line.
fn linea(texto: &Texto) -> String {
    let cuerpo: Vec<_> = texto.cuerpo.lines().filter(|line| !line.is_empty()).collect();
    format!("{} | {}", texto.asunto, cuerpo.join(" | "))
}

async fn limpiar_cada_dia(bandeja: Arc<Bandeja>) {
    loop {
        tokio::time::sleep(LIMPIEZA).await;
        let bandeja = Arc::clone(&bandeja);
        let cleaned = tokio::task::spawn_blocking(move || bandeja.limpiar(ahora_ms())).await;
        if let Ok(Err(error)) = cleaned {
            tracing::warn!(%error, "old entries of the inbox cannot be dropped");
        }
    }
}

fn ahora_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
