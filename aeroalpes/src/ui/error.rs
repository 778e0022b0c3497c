//! Why the page cannot be served.

use thiserror::Error;

/// What keeps the server from starting.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on.
    #[error("the page cannot listen on {direccion}; choose a free address with --escuchar HOST:PUERTO")]
    Escuchar {
        /// The address.
        direccion: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The broker's URL is none.
    #[error("the broker's address cannot be used; check PULSAR_ADDRESS or PULSAR_SERVICE_URL")]
    Broker(#[source] bitacora_pulsar::Error),
    /// The prefix gives no topic names.
    #[error("{prefijo:?} is no prefix of topics; set AEROALPES_PREFIJO to letters, digits, '.', '_' and '-'")]
    Prefijo {
        /// The prefix.
        prefijo: String,
    },
    /// Un nombre de la página que no lo es.
    #[error("{0} (--nombres, AEROALPES_NOMBRES)")]
    Nombre(#[from] bitacora_origin::NameError),
    /// The API's URL is none, or its client cannot be set up.
    #[error("the API's address {direccion:?} cannot be used; check AEROALPES_ADDRESS")]
    Api {
        /// The address.
        direccion: String,
        /// What is wrong.
        #[source]
        source: reqwest::Error,
    },
}
