//! Por qué no se puede servir la página.

use thiserror::Error;

use crate::causas::con_causas;

/// Lo que impide arrancar al servidor.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No se puede escuchar en la dirección.
    #[error(
        "la página no puede escuchar en {direccion}: {source}; elija una dirección libre con --escuchar HOST:PUERTO"
    )]
    Escuchar {
        /// La dirección.
        direccion: String,
        /// El error del sistema.
        #[source]
        source: std::io::Error,
    },
    /// La URL del *broker* no lo es.
    #[error("la dirección del broker no sirve: {0}; revise PULSAR_ADDRESS o PULSAR_SERVICE_URL")]
    Broker(#[source] bitacora_pulsar::Error),
    /// Con el prefijo no hay nombres de temas.
    #[error("{prefijo:?} no es un prefijo de temas; ponga en AEROALPES_PREFIJO letras, cifras, '.', '_' y '-'")]
    Prefijo {
        /// El prefijo.
        prefijo: String,
    },
    /// Un nombre de la página que no lo es.
    #[error("{0} (--nombres, AEROALPES_NOMBRES)")]
    Nombre(#[from] bitacora_origin::NameError),
    /// La URL de la API no lo es, o no se puede preparar su cliente.
    #[error("la dirección de la API {direccion:?} no sirve: {}; revise AEROALPES_ADDRESS", con_causas(.source))]
    Api {
        /// La dirección.
        direccion: String,
        /// Qué está mal.
        #[source]
        source: reqwest::Error,
    },
}
