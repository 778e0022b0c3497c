//! Reading a message with the schema that its writer had.

use std::marker::PhantomData;

use crate::contrato::avro::{Lector, Registro};
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, Message, Outcome};

use crate::consumo::error::Error;
use crate::consumo::esquemas::Esquemas;

/// Reads records `T` of one topic.
#[derive(Debug)]
pub struct Registros<T> {
    lector: Lector,
    esquemas: Esquemas,
    record: PhantomData<fn() -> T>,
}

impl<T: Registro> Registros<T> {
    /// Creates a reader for a topic; nothing is asked yet.
    ///
    /// # Errors
    /// The schema of the contract is none.
    pub fn nuevos(client: Client, tema: &TopicName) -> Result<Self, Error> {
        let esquemas = Esquemas::nuevos(client, tema);
        Ok(Self { lector: Lector::nuevo::<T>()?, esquemas, record: PhantomData })
    }

    /// Reads a message. Without a schema version it is taken as written with the contract's own schema.
    ///
    /// # Errors
    /// The handler's answer: [`Outcome::Rejected`] for bytes that are no such record or a schema that does not resolve to
    /// ours, [`Outcome::Unavailable`] when the registry cannot be asked.
    pub async fn leer(&self, message: &Message) -> Result<T, Outcome> {
        let Some(bytes) = message.value() else {
            return Err(Outcome::Rejected(format!("the {} has no content", T::NOMBRE)));
        };
        let read = match message.schema_version().filter(|version| !version.is_empty()) {
            Some(version) => self.lector.leer_escrito_con(self.esquemas.version(Some(version)).await?.as_ref(), bytes),
            None => self.lector.leer(bytes),
        };
        read.map_err(|error| Outcome::Rejected(error.to_string()))
    }
}
