//! The file that keeps checkpoints: one `redb` database for each source, locked while the source runs.
//!
//! Table `checkpoint` has one row `current` (JSON of [`Checkpoint`]); table `catalog` has one row `current` (JSON of the
//! table descriptions that hold at the checkpoint); table `epoch` has a row for each base that the source has had; table
//! `format` has one row `version`. A save is one durable transaction.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bitacora_store::open_or_make;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable};
use thiserror::Error;

use super::format::{self, CATALOG, CHECKPOINT, CURRENT, EPOCH, FORMAT};
use super::{Checkpoint, Epoch};

/// Why a checkpoint could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Another process has the store open.
    #[error("the checkpoint store {} is in use by another process; stop it or choose another data folder (--data-dir, data_dir)", .path.display())]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// A newer program wrote the store.
    #[error("the checkpoint store {} has format {found}, this program knows up to {FORMAT}; use the newer program", .path.display())]
    NewerFormat {
        /// The store's file.
        path: PathBuf,
        /// The version that was found.
        found: u64,
    },
    /// The stored text is not what this program writes.
    #[error("the checkpoint store {} cannot be understood; restore it from a copy, or remove it to begin with a new snapshot", .path.display())]
    Malformed {
        /// The store's file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
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
    #[error("the folder {} cannot be made; check its parent's rights or choose another data folder (--data-dir, data_dir)", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// What the store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The serialised table descriptions that hold there.
    pub catalog: Option<Vec<u8>>,
}

/// An open store; it is locked against other processes until dropped.
#[derive(Debug)]
pub struct CheckpointStore {
    database: Database,
    path: PathBuf,
}

impl CheckpointStore {
    /// Opens the store in `folder/checkpoint.redb`, or makes it.
    ///
    /// # Errors
    /// The folder cannot be made, another process holds the store, its format is newer, or the disk refuses.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| CheckpointError::Folder { path: folder.to_path_buf(), source })?;
        let path = folder.join("checkpoint.redb");
        let database = open_or_make(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => CheckpointError::InUse { path: path.clone() },
            other => CheckpointError::Store { path: path.clone(), source: Box::new(other.into()) },
        })?;
        let store = CheckpointStore { database, path };
        match format::claim(&store.database).map_err(|error| store.failed(error))? {
            Some(found) => Err(CheckpointError::NewerFormat { path: store.path, found }),
            None => Ok(store),
        }
    }

    /// Reads the checkpoint, if there is one.
    ///
    /// # Errors
    /// The disk refuses, or the stored text cannot be understood.
    pub fn load(&self) -> Result<Option<Saved>, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
        let Some(text) = table.get(CURRENT).map_err(|error| self.failed(error))? else { return Ok(None) };
        let checkpoint = serde_json::from_slice(text.value())
            .map_err(|source| CheckpointError::Malformed { path: self.path.clone(), source })?;
        let table = read.open_table(CATALOG).map_err(|error| self.failed(error))?;
        let catalog = table.get(CURRENT).map_err(|error| self.failed(error))?.map(|text| text.value().to_vec());
        Ok(Some(Saved { checkpoint, catalog }))
    }

    /// Replaces the checkpoint and, where given, the table descriptions, in one durable transaction.
    ///
    /// # Errors
    /// The disk refuses; the former checkpoint then still holds.
    pub fn save(&self, checkpoint: &Checkpoint, catalog: Option<&[u8]>) -> Result<(), CheckpointError> {
        let text = serde_json::to_vec(checkpoint)
            .map_err(|source| CheckpointError::Malformed { path: self.path.clone(), source })?;
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut table = write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            table.insert(CURRENT, text.as_slice()).map_err(|error| self.failed(error))?;
            if let Some(catalog) = catalog {
                let mut table = write.open_table(CATALOG).map_err(|error| self.failed(error))?;
                table.insert(CURRENT, catalog).map_err(|error| self.failed(error))?;
            }
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// Notes an epoch before the first message that carries it is sent: messages of a base that came to nothing are then known
    /// as the source's own.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn begin_epoch(&self, epoch: Epoch, began_ms: u64) -> Result<(), CheckpointError> {
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut table = write.open_table(EPOCH).map_err(|error| self.failed(error))?;
            table.insert(epoch.number(), began_ms).map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// Returns the epochs that the source has had, each with the time at which it began (milliseconds since 1970).
    ///
    /// # Errors
    /// The disk refuses.
    pub fn epochs(&self) -> Result<HashMap<Epoch, u64>, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(EPOCH).map_err(|error| self.failed(error))?;
        let mut epochs = HashMap::new();
        for row in table.iter().map_err(|error| self.failed(error))? {
            let (epoch, began_ms) = row.map_err(|error| self.failed(error))?;
            epochs.insert(Epoch::from_number(epoch.value()), began_ms.value());
        }
        Ok(epochs)
    }

    fn failed(&self, error: impl Into<redb::Error>) -> CheckpointError {
        CheckpointError::Store { path: self.path.clone(), source: Box::new(error.into()) }
    }
}
