//! What is consumed and how.

use std::time::Duration;

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::proto::InitialPosition;

use crate::error::Error;
use crate::politica::Politica;

/// A durable Shared subscription and its bounds.
#[derive(Debug, Clone)]
pub struct Suscripcion {
    /// The topic, without partitions.
    pub tema: String,
    /// Name of the subscription.
    pub nombre: String,
    /// Topic of the dead letters. It has no schema: what could not be read is written there as it came.
    pub tema_muertos: String,
    /// Where a new subscription begins.
    pub inicio: InitialPosition,
    /// Messages that are handled at the same time.
    pub paralelo: usize,
    /// Messages that are handled or wait for their next try; nothing is received beyond.
    pub max_mensajes: usize,
    /// Bytes that these may have.
    pub max_bytes: usize,
    /// Tries and back-off.
    pub politica: Politica,
    /// How long handlers may take to finish once the end is asked for.
    pub gracia: Duration,
}

impl Suscripcion {
    /// Creates a subscription that begins with the oldest message and handles one at a time.
    pub fn nueva(tema: impl Into<String>, nombre: impl Into<String>, tema_muertos: impl Into<String>) -> Self {
        Self {
            tema: tema.into(),
            nombre: nombre.into(),
            tema_muertos: tema_muertos.into(),
            inicio: InitialPosition::Earliest,
            paralelo: 1,
            max_mensajes: 1000,
            max_bytes: 64 * 1024 * 1024,
            politica: Politica::default(),
            gracia: Duration::from_secs(10),
        }
    }

    pub(crate) fn refused(&self, source: bitacora_pulsar::Error) -> Error {
        Error::Subscription { topic: self.tema.clone(), subscription: self.nombre.clone(), source: Box::new(source) }
    }
}

pub(crate) fn topic_name(text: &str) -> Result<TopicName, Error> {
    TopicName::parse(text).map_err(|source| Error::Topic { topic: text.to_owned(), source })
}
