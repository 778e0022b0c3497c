//! Why the API does not start.

use thiserror::Error;

/// What whoever starts the API must mend.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A variable of the environment.
    #[error(transparent)]
    Variable(#[from] crate::api::infraestructura::mysql::VariableErronea),
    /// The address cannot be listened on.
    #[error("the API cannot listen on {direccion}: {source}; choose another address with --escuchar")]
    Escuchar {
        /// The address.
        direccion: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Un nombre de la API que no lo es.
    #[error("{0} (--nombres, AEROALPES_NOMBRES)")]
    Nombre(#[from] bitacora_origin::NameError),
    /// Los hilos de los resúmenes.
    #[error("the threads of the password hashes cannot be started: {0}; raise the limit of processes")]
    Hilos(#[source] std::io::Error),
    /// The broker's URL.
    #[error("the broker's URL cannot be used: {0}; correct BROKER_HOST or PULSAR_SERVICE_URL")]
    Broker(#[source] bitacora_pulsar::Error),
    /// A fault of this crate.
    #[error("the API cannot be prepared: {0}")]
    Preparar(#[from] crate::api::aplicacion::Falla),
}
