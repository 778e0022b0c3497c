//! Por qué las notificaciones no empiezan o no siguen.

use std::path::PathBuf;

use thiserror::Error;

use crate::causas::con_causas;

/// Lo que termina las notificaciones.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Una variable que no sirve.
    #[error("{variable}={valor:?} no sirve: {motivo}")]
    Variable {
        /// La variable de entorno.
        variable: &'static str,
        /// Su texto.
        valor: String,
        /// Qué tiene de malo y qué escribir.
        motivo: String,
    },
    /// Una dirección, el nombre de un tema o un esquema que no lo es.
    #[error(transparent)]
    Contrato(#[from] crate::contrato::Error),
    /// No se puede crear la carpeta.
    #[error(
        "no se puede crear la carpeta {}: {source}; revise su ruta y sus permisos, o nombre otra con --datos",
        ruta.display()
    )]
    Carpeta {
        /// La carpeta.
        ruta: PathBuf,
        /// El error del sistema.
        #[source]
        source: std::io::Error,
    },
    /// No se puede abrir la bandeja.
    #[error(
        "no se puede abrir la bandeja {}: {source}; termine el proceso que la usa, o nombre otra carpeta con --datos",
        ruta.display()
    )]
    BandejaCerrada {
        /// El archivo.
        ruta: PathBuf,
        /// El error del almacén.
        #[source]
        source: Box<redb::Error>,
    },
    /// La bandeja está vacía, o tiene bytes que nadie escribió en ella.
    #[error(
        "la bandeja {} está dañada ({source}); recupérela de una copia, o bórrela: los correos de eventos que siguen \
         en el broker pueden volver a salir",
        ruta.display()
    )]
    BandejaDanada {
        /// El archivo.
        ruta: PathBuf,
        /// El error del almacén.
        #[source]
        source: Box<redb::Error>,
    },
    /// No se puede crear el cliente del *broker*, de la API o del correo.
    #[error("no se puede crear el cliente {que}: {}", con_causas(source.as_ref()))]
    Cliente {
        /// De qué: `del broker`, `de la API`.
        que: &'static str,
        /// Su error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// El consumo terminó.
    #[error("{}", con_causas(.0))]
    Consumo(#[from] bitacora_pulsar::Error),
}
