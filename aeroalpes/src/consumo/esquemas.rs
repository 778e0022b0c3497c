//! Los esquemas de un tema, como los tiene su registro.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::proto::SchemaType;
use bitacora_pulsar::wire::schema::type_name;
use bitacora_pulsar::{Client, Outcome};
use bytes::Bytes;
use thiserror::Error;

use crate::contrato::avro::Esquema;
use crate::contrato::ilegible::Ilegible;

/// Versiones que se guardan; si el esquema de un tema cambia más veces, se vuelve a preguntar.
const MAX_VERSIONES: usize = 64;

/// Esquemas Avro por versión; cada uno se pide y se analiza una vez.
#[derive(Debug)]
pub(crate) struct Esquemas {
    cliente: Client,
    tema: TopicName,
    // Un mutex de std: solo se toma para mirar el mapa, nunca durante un await.
    versiones: Mutex<HashMap<Bytes, Arc<Esquema>>>,
}

/// No hay esquema con el que leer un mensaje.
#[derive(Debug, Error)]
pub(crate) enum SinEsquema {
    /// No se puede preguntar al registro; puede que más tarde.
    #[error("no se puede pedir su esquema: {0}")]
    SinRespuesta(#[source] bitacora_pulsar::Error),
    #[error(transparent)]
    Ilegible(#[from] Ilegible),
}

impl Esquemas {
    /// Crea los de un tema, o los del tema de una partición; todavía no pregunta nada.
    pub(crate) fn nuevos(cliente: Client, tema: &TopicName) -> Self {
        Self { cliente, tema: tema.without_partition(), versiones: Mutex::default() }
    }

    /// Devuelve el esquema de una versión; el más nuevo, para un mensaje que no nombra ninguna.
    pub(crate) async fn version(&self, version: Option<&Bytes>) -> Result<Arc<Esquema>, SinEsquema> {
        if let Some(version) = version
            && let Some(conocido) = self.versiones.lock().unwrap_or_else(PoisonError::into_inner).get(version)
        {
            return Ok(Arc::clone(conocido));
        }
        let respuesta = self.cliente.schema(&self.tema, version.cloned()).await.map_err(SinEsquema::SinRespuesta)?;
        let hallado = respuesta.ok_or_else(|| Ilegible::nuevo("el registro no tiene su esquema"))?.schema;
        if hallado.schema_type != SchemaType::Avro as i32 {
            let clase = type_name(hallado.schema_type);
            return Err(Ilegible::con("su esquema no es Avro", format_args!("es de clase {clase}")).into());
        }
        let esquema = Arc::new(Esquema::leer(&hallado.schema_data)?);
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

/// Lo que pasa con un mensaje para el que no hay esquema.
impl From<SinEsquema> for Outcome {
    fn from(sin: SinEsquema) -> Outcome {
        match sin {
            SinEsquema::SinRespuesta(_) => Outcome::Unavailable(sin.to_string()),
            _ => Outcome::Rejected(sin.to_string()),
        }
    }
}
