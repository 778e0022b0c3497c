//! Reading a message with the schema that its writer had.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use aeroalpes_contrato::avro::{Lector, Registro};
use aeroalpes_contrato::esquema::Esquema;
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::proto::SchemaType;
use bitacora_pulsar::wire::schema::type_name;
use bitacora_pulsar::{Client, Message};
use bytes::Bytes;

use crate::error::Error;
use crate::resultado::Resultado;
use crate::suscripcion::topic_name;

/// Versions that are kept; a topic whose schema changes more often is asked again.
const MAX_VERSIONES: usize = 64;

/// Reads records `T` of one topic. Schemas come from the topic's registry and are kept, parsed, by version.
#[derive(Debug)]
pub struct Registros<T> {
    client: Client,
    topic: TopicName,
    lector: Lector,
    // A std mutex: held for a map access only, never across an await.
    versiones: Mutex<HashMap<Bytes, Arc<Esquema>>>,
    record: PhantomData<fn() -> T>,
}

impl<T: Registro> Registros<T> {
    /// Creates a reader for a topic; nothing is asked yet.
    ///
    /// # Errors
    /// The topic's name is none.
    pub fn nuevos(client: Client, tema: &str) -> Result<Self, Error> {
        let (topic, lector) = (topic_name(tema)?, Lector::nuevo::<T>()?);
        Ok(Self { client, topic, lector, versiones: Mutex::default(), record: PhantomData })
    }

    /// Reads a message. Without a schema version it is taken as written with the contract's own schema.
    ///
    /// # Errors
    /// The handler's answer: [`Resultado::Rechazado`] for bytes that are no such record or a schema that does not resolve to
    /// ours, [`Resultado::Indisponible`] when the registry cannot be asked.
    pub async fn leer(&self, message: &Message) -> Result<T, Resultado> {
        let Some(bytes) = message.value() else {
            return Err(Resultado::Rechazado(format!("the {} has no content", T::NOMBRE)));
        };
        let read = match message.schema_version().filter(|version| !version.is_empty()) {
            Some(version) => self.lector.leer_escrito_con(self.esquema(version).await?.as_ref(), bytes),
            None => self.lector.leer(bytes),
        };
        read.map_err(|error| Resultado::Rechazado(error.to_string()))
    }

    async fn esquema(&self, version: &Bytes) -> Result<Arc<Esquema>, Resultado> {
        if let Some(known) = self.versiones.lock().unwrap_or_else(PoisonError::into_inner).get(version) {
            return Ok(Arc::clone(known));
        }
        let answer = self.client.schema(&self.topic, Some(version.clone())).await;
        let asked =
            answer.map_err(|error| Resultado::Indisponible(format!("its schema cannot be asked for: {error}")))?;
        let Some(found) = asked else {
            return Err(Resultado::Rechazado("the topic's registry does not have the schema that it names".to_owned()));
        };
        if found.schema.schema_type != SchemaType::Avro as i32 {
            let found = type_name(found.schema.schema_type);
            return Err(Resultado::Rechazado(format!("it was written with a schema of type {found}, not AVRO")));
        }
        let esquema = Esquema::leer(&found.schema.schema_data);
        let esquema = Arc::new(esquema.map_err(|error| Resultado::Rechazado(error.to_string()))?);
        let mut versiones = self.versiones.lock().unwrap_or_else(PoisonError::into_inner);
        if versiones.len() >= MAX_VERSIONES {
            versiones.clear();
        }
        versiones.insert(version.clone(), Arc::clone(&esquema));
        Ok(esquema)
    }
}
