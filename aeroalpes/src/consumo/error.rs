//! Why a topic of the contract cannot be read.

use bitacora_pulsar::wire;
use thiserror::Error;

/// A name or a schema that is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The topic's name is none.
    #[error("{topic:?} is not the name of a topic; write persistent://public/default/name")]
    Topic {
        /// The text.
        topic: String,
        /// What is wrong with it.
        #[source]
        source: wire::Error,
    },
    /// A schema of the contract is none.
    #[error(transparent)]
    Contract(#[from] crate::contrato::Error),
}
