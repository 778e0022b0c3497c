//! The file that keeps checkpoints: one `redb` database for each source, locked while the source runs.
//!
//! Table `checkpoint` has one row `current` (JSON of [`Checkpoint`]); table `catalog` has one row `current` (JSON of the
//! table descriptions that hold at the checkpoint); table `format` has one row `version`. A save is one durable
//! transaction.

use std::path::{Path, PathBuf};

use bitacora_store::{Facts, caught, is_damage, make_folder, open_or_make, tighten};
use redb::{DatabaseError, ReadableTable, TableDefinition};
use thiserror::Error;

use super::Checkpoint;

/// Version of the layout that this program reads and writes.
const FORMAT: u64 = 1;
const VERSION: TableDefinition<'_, &str, u64> = TableDefinition::new("format");
const CHECKPOINT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("checkpoint");
const CATALOG: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("catalog");
const CURRENT: &str = "current";

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
    /// The file is empty, or holds bytes that this program did not write.
    #[error("the checkpoint store {} is damaged; restore it from a backup, or remove it to begin with a new snapshot", .path.display())]
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
    database: Facts,
    path: PathBuf,
}

impl CheckpointStore {
    /// Opens the store in `folder/checkpoint.redb`, or makes it.
    ///
    /// # Errors
    /// The folder cannot be made, another process holds the store, its format is newer, or the disk refuses.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        make_folder(folder).map_err(|source| CheckpointError::Folder { path: folder.to_path_buf(), source })?;
        tighten(folder);
        let path = folder.join("checkpoint.redb");
        let database = open_or_make(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => CheckpointError::InUse { path: path.clone() },
            other => failed(&path, other),
        })?;
        let store = CheckpointStore { database, path };
        store.with(|| store.claim_format())?;
        Ok(store)
    }

    /// Reads the checkpoint, if there is one.
    ///
    /// # Errors
    /// The disk refuses, or the stored text cannot be understood.
    pub fn load(&self) -> Result<Option<Saved>, CheckpointError> {
        self.with(|| self.read())
    }

    fn read(&self) -> Result<Option<Saved>, CheckpointError> {
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
        self.with(|| self.write(&text, catalog))
    }

    fn write(&self, text: &[u8], catalog: Option<&[u8]>) -> Result<(), CheckpointError> {
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut table = write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            table.insert(CURRENT, text).map_err(|error| self.failed(error))?;
            if let Some(catalog) = catalog {
                let mut table = write.open_table(CATALOG).map_err(|error| self.failed(error))?;
                table.insert(CURRENT, catalog).map_err(|error| self.failed(error))?;
            }
        }
        write.commit().map_err(|error| self.failed(error))
    }

    fn claim_format(&self) -> Result<(), CheckpointError> {
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut table = write.open_table(VERSION).map_err(|error| self.failed(error))?;
            let found = table.get("version").map_err(|error| self.failed(error))?.map(|version| version.value());
            match found {
                Some(found) if found > FORMAT => {
                    return Err(CheckpointError::NewerFormat { path: self.path.clone(), found });
                }
                Some(_) => {}
                None => {
                    table.insert("version", FORMAT).map_err(|error| self.failed(error))?;
                }
            }
            write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            write.open_table(CATALOG).map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// Works with the file; damage that the library panics at is an error.
    fn with<T>(&self, work: impl FnOnce() -> Result<T, CheckpointError>) -> Result<T, CheckpointError> {
        caught(work).unwrap_or_else(|damage| Err(self.failed(damage)))
    }

    fn failed(&self, error: impl Into<redb::Error>) -> CheckpointError {
        failed(&self.path, error)
    }
}

fn failed(path: &Path, error: impl Into<redb::Error>) -> CheckpointError {
    let (path, source) = (path.to_path_buf(), Box::new(error.into()));
    if is_damage(&source) { CheckpointError::Damaged { path, source } } else { CheckpointError::Store { path, source } }
}
