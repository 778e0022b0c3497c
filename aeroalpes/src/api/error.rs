//! Por qué la API no arranca.

use thiserror::Error;

/// Lo que debe corregir quien arranca la API.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Una variable de entorno.
    #[error(transparent)]
    Variable(#[from] crate::api::infraestructura::mysql::VariableErronea),
    /// No se puede escuchar en la dirección.
    #[error("la API no puede escuchar en {direccion}: {source}; elija otra dirección con --escuchar")]
    Escuchar {
        /// La dirección.
        direccion: String,
        /// Lo que dice el sistema.
        source: std::io::Error,
    },
    /// Un nombre de la API que no lo es.
    #[error("{0} (--nombres, AEROALPES_NOMBRES)")]
    Nombre(#[from] bitacora_origin::NameError),
    /// Los hilos de los resúmenes.
    #[error("no se pueden iniciar los hilos de los resúmenes de contraseñas: {0}; suba el límite de procesos")]
    Hilos(#[source] std::io::Error),
    /// La URL del *broker*.
    #[error("la URL del broker no sirve: {0}; corrija BROKER_HOST o PULSAR_SERVICE_URL")]
    Broker(#[source] bitacora_pulsar::Error),
    /// Un error de este programa.
    #[error("no se puede preparar la API: {0}")]
    Preparar(#[from] crate::api::infraestructura::Falla),
}
