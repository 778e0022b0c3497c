//! Why the broker refuses a request, in the terms of Pulsar's protocol.

use bitacora_pulsar_wire::proto::ServerError;

use crate::storage::StorageError;

/// A refusal: the code on which clients act, and one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    /// Code of PulsarApi.proto.
    pub code: ServerError,
    /// One sentence for the client's log.
    pub message: String,
}

impl Refused {
    /// Creates a refusal.
    pub(crate) fn new(code: ServerError, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self::new(ServerError::PersistenceError, error.to_string())
    }
}
