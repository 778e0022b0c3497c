//! Lo que no cumple el contrato.

use thiserror::Error;

use super::esquema::{DatoErroneo, EsquemaErroneo};

/// Un registro, un nombre o una dirección que no es lo que dice el contrato.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Una variable de entorno con una dirección que no sirve.
    #[error("{variable}={valor:?} no sirve: {motivo}")]
    Direccion {
        /// La variable.
        variable: &'static str,
        /// Su texto.
        valor: String,
        /// Qué tiene de malo y qué escribir.
        motivo: &'static str,
    },
    /// El nombre de un tema no lo es.
    #[error("{tema:?} no es el nombre de un tema ({source}); escriba persistent://public/default/nombre")]
    Tema {
        /// El texto.
        tema: String,
        /// Qué tiene de malo.
        source: bitacora_pulsar::wire::Error,
    },
    /// Un esquema del contrato no lo es.
    #[error("el esquema del {registro} no sirve: {source}")]
    Esquema {
        /// Nombre del registro.
        registro: &'static str,
        /// Qué tiene de malo.
        source: Box<EsquemaErroneo>,
    },
    /// Unos bytes no son exactamente un registro de su esquema.
    #[error("no es un {registro}: {source}")]
    Registro {
        /// Nombre del registro.
        registro: &'static str,
        /// Qué tienen de malo.
        source: DatoErroneo,
    },
}
