//! Why a checkpoint store cannot be used.

use std::path::PathBuf;

use thiserror::Error;

use super::format::FORMAT;
use crate::error::{EngineError, ErrorKind};

/// Why a checkpoint could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Another process has the store open.
    #[error(
        "the checkpoint store {} is in use by another process; stop it or choose another data folder (--data-dir, \
        data_dir)", .path.display())]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// A newer program wrote the store.
    #[error(
        "the checkpoint store {} has format {found}, this program knows up to {FORMAT}; use the newer program"
    , .path.display())]
    NewerFormat {
        /// The store's file.
        path: PathBuf,
        /// The version that was found.
        found: u64,
    },
    /// The stored text is not what this program writes.
    #[error(
        "the checkpoint store {} cannot be understood; restore it from a copy, or remove it to begin with a new \
        snapshot", .path.display())]
    Malformed {
        /// The store's file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The file is empty, or holds bytes that this program did not write.
    #[error(
        "the checkpoint store {} is damaged; restore it from a backup, or remove it to begin with a new snapshot"
    , .path.display())]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What the database says.
        #[source]
        source: Box<redb::Error>,
    },
    /// The disk or the database refused.
    #[error("the checkpoint store {} failed; check the disk's space and rights", .path.display())]
    Store {
        /// The store's file.
        path: PathBuf,
        /// What the database says.
        #[source]
        source: Box<redb::Error>,
    },
    /// The folder could not be made.
    #[error(
        "the folder {} cannot be made; check its parent's rights or choose another data folder (--data-dir, data_dir)"
    , .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl From<CheckpointError> for EngineError {
    fn from(error: CheckpointError) -> EngineError {
        EngineError::quoting(ErrorKind::Store, error)
    }
}
