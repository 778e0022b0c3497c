//! Schemas of the event topic, as its registry has them.

use std::collections::HashMap;
use std::sync::Arc;

use aeroalpes_contrato::esquema::{Esquema, EsquemaErroneo};
use bitacora_pulsar::Client;
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::proto::SchemaType;

use super::evento::{Ilegible, SinEsquema};

/// Versions that are kept; above it the registry is asked again.
const MAX_VERSIONES: usize = 64;

/// Schemas by version.
#[derive(Debug)]
pub struct Esquemas {
    client: Client,
    tema: TopicName,
    conocidos: HashMap<Vec<u8>, Arc<Esquema>>,
}

impl Esquemas {
    /// Creates it for a topic, empty.
    pub fn de(client: Client, tema: TopicName) -> Self {
        Self { client, tema: tema.without_partition(), conocidos: HashMap::new() }
    }

    /// Returns the schema of that version, the newest one for a message without version.
    ///
    /// # Errors
    /// The broker cannot be asked now, or the schema is of no use.
    pub async fn version(&mut self, version: Option<&bytes::Bytes>) -> Result<Arc<Esquema>, SinEsquema> {
        if let Some(conocido) = version.and_then(|version| self.conocidos.get(version.as_ref())) {
            return Ok(Arc::clone(conocido));
        }
        let registrado = match self.client.schema(&self.tema, version.cloned()).await {
            Ok(Some(registrado)) => registrado.schema,
            Ok(None) => return Err(Ilegible::nuevo("el registro no tiene su esquema").into()),
            Err(error) if error.is_retryable() => return Err(SinEsquema::Ausente(error)),
            Err(error) => return Err(Ilegible::con("el registro no entrega su esquema", &error).into()),
        };
        if registrado.schema_type != SchemaType::Avro as i32 {
            return Err(Ilegible::nuevo("su esquema no es Avro").into());
        }
        let esquema = Arc::new(leer(&registrado.schema_data)?);
        if let Some(version) = version {
            if self.conocidos.len() >= MAX_VERSIONES {
                self.conocidos.clear();
            }
            self.conocidos.insert(version.to_vec(), Arc::clone(&esquema));
        }
        Ok(esquema)
    }
}

fn leer(definicion: &[u8]) -> Result<Esquema, Ilegible> {
    Esquema::leer(definicion).map_err(|error| match &error {
        EsquemaErroneo::Largo => Ilegible::nuevo("su esquema es demasiado largo"),
        EsquemaErroneo::Texto(source) => Ilegible::con("su esquema no es texto", source),
        EsquemaErroneo::Avro(source) => Ilegible::con("su esquema no es Avro", source),
        EsquemaErroneo::SinCota => Ilegible::nuevo("su esquema no acota lo que ocupa un mensaje"),
    })
}
