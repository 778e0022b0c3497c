//! The schemas of a topic, as its registry has them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contrato::esquema::{Esquema, EsquemaErroneo};
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::proto::SchemaType;
use bitacora_pulsar::wire::schema::type_name;
use bitacora_pulsar::{Client, Outcome};
use bytes::Bytes;
use thiserror::Error;

/// Versions that are kept; a topic whose schema changes more often is asked again.
const MAX_VERSIONES: usize = 64;

/// Avro schemas by version, each asked for and parsed once.
#[derive(Debug)]
pub struct Esquemas {
    client: Client,
    topic: TopicName,
    // A std mutex: held for a map access only, never across an await.
    versiones: Mutex<HashMap<Bytes, Arc<Esquema>>>,
}

/// No schema to read a message with.
#[derive(Debug, Error)]
pub enum SinEsquema {
    /// The registry cannot be asked.
    #[error("its schema cannot be asked for: {0}")]
    SinRespuesta(#[source] bitacora_pulsar::Error),
    /// The registry has none of that version.
    #[error("the topic's registry does not have the schema that it names")]
    Desconocido,
    /// It is of another type; its name.
    #[error("it was written with a schema of type {0}, not AVRO")]
    DeOtroTipo(&'static str),
    /// Its definition is of no use.
    #[error(transparent)]
    Erroneo(#[from] EsquemaErroneo),
}

impl Esquemas {
    /// Creates it for a topic, or for that of a partition; nothing is asked yet.
    pub fn nuevos(client: Client, topic: &TopicName) -> Self {
        Self { client, topic: topic.without_partition(), versiones: Mutex::default() }
    }

    /// Returns the schema of a version, the newest one for a message that names none.
    ///
    /// # Errors
    /// There is none, it is of no use, or the registry cannot be asked.
    pub async fn version(&self, version: Option<&Bytes>) -> Result<Arc<Esquema>, SinEsquema> {
        if let Some(version) = version
            && let Some(known) = self.versiones.lock().unwrap_or_else(PoisonError::into_inner).get(version)
        {
            return Ok(Arc::clone(known));
        }
        let asked = self.client.schema(&self.topic, version.cloned()).await.map_err(SinEsquema::SinRespuesta)?;
        let found = asked.ok_or(SinEsquema::Desconocido)?.schema;
        if found.schema_type != SchemaType::Avro as i32 {
            return Err(SinEsquema::DeOtroTipo(type_name(found.schema_type)));
        }
        let esquema = Arc::new(Esquema::leer(&found.schema_data)?);
        if let Some(version) = version {
            let mut versiones = self.versiones.lock().unwrap_or_else(PoisonError::into_inner);
            if versiones.len() >= MAX_VERSIONES {
                versiones.clear();
            }
            versiones.insert(version.clone(), Arc::clone(&esquema));
        }
        Ok(esquema)
    }
}

/// What a message becomes that no schema is there for.
impl From<SinEsquema> for Outcome {
    fn from(sin: SinEsquema) -> Outcome {
        match sin {
            SinEsquema::SinRespuesta(_) => Outcome::Unavailable(sin.to_string()),
            _ => Outcome::Rejected(sin.to_string()),
        }
    }
}
