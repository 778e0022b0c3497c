//! Why the server or the client ends.

use std::path::PathBuf;

use thiserror::Error;

/// What ends the server or a call of the client.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of the API is none.
    #[error(
        "{url:?} is not the address of an API: {reason}; set AEROALPES_ADDRESS to a host, host:port or http:// URL"
    )]
    ApiUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The port cannot be opened.
    #[error("{address} cannot be listened on; choose another address with --escuchar")]
    Listen {
        /// The address.
        address: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The server, or a part of it, failed.
    #[error("the gRPC server failed")]
    Server {
        /// Its error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No connection to the sidecar.
    #[error("no connection to the sidecar at {address}; check that it runs, or name its address with --direccion")]
    Connect {
        /// The address.
        address: String,
        /// The transport's error.
        #[source]
        source: tonic::transport::Error,
    },
    /// The sidecar refused.
    #[error("the sidecar answered {code:?}: {message}")]
    Refused {
        /// gRPC's code.
        code: tonic::Code,
        /// Its text.
        message: String,
    },
    /// The file cannot be read.
    #[error("the file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is no reservation that a message can carry.
    #[error("the file {} cannot be sent: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        reason: String,
    },
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Refused { code: status.code(), message: status.message().to_owned() }
    }
}
