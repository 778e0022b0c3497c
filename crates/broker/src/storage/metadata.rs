//! The metadata: small durable values by key (namespaces, topics, cursors, schemas, epochs, last sequence ids).
//!
//! It is one `redb` table of JSON values. A key consists of the parts of a name, joined by zero bytes, so that two
//! different names never give the same key. Every change is one synced transaction.
//!
//! After a failed read or write `redb` refuses everything until its file is opened again. The next call opens it, so a
//! disk that was full for a minute costs only that minute. The file has the state of its last complete transaction, and
//! the failed change is repeated as a whole.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bitacora_data_folder::{Facts, caught, is_damage, open, open_or_make};
use redb::{DatabaseError, TableDefinition};
use serde::{Serialize, de::DeserializeOwned};

use super::StorageError;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts");

/// One change: a key and its new value, or `None` to delete it.
pub(crate) type Change = (String, Option<Vec<u8>>);

/// Longest wait, before the failed file is opened again, for other calls that still use it.
const REOPEN_TIMEOUT: Duration = Duration::from_secs(1);

/// The broker's metadata.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    path: Arc<Path>,
    file: Arc<Mutex<Opened>>,
    write_order: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
enum Opened {
    Sound(Arc<Facts>),
    /// The file failed, and the next call must open it again.
    Failed,
    /// The broker was shut down; every further call returns an error.
    Closed,
}

/// Joins the parts of a key.
pub(crate) fn key(parts: &[&str]) -> String {
    parts.join("\0")
}

/// Returns the stored form of a value.
///
/// # Errors
/// The value has no JSON form.
pub(crate) fn value<T: Serialize>(value: &T) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(value).map_err(|e| StorageError::Metadata(format!("a value cannot be encoded: {e}")))
}

impl Store {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// [`StorageError`] if the file is damaged or the disk is full.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let database = open_or_make(path).map_err(|error| metadata(path, error))?;
        let file = Arc::new(Mutex::new(Opened::Sound(Arc::new(database))));
        let store = Self { path: Arc::from(path), file, write_order: Arc::default() };
        store.write(&[])?;
        Ok(store)
    }

    /// Makes all changes durable, or none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn apply(&self, changes: Vec<Change>) -> Result<(), StorageError> {
        let store = self.clone();
        let written = tokio::task::spawn_blocking(move || store.write(&changes)).await;
        written.map_err(|e| StorageError::Metadata(e.to_string()))?
    }

    /// Serializes read-then-write of metadata, so that a stale copy cannot overwrite a newer one. Hold it from reading
    /// the state that is to be stored until the state is written. Take it before the locks of catalog, topic and
    /// subscription.
    pub(crate) async fn lock_write_order(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.write_order.lock().await
    }

    /// Makes one value durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn put<T: Serialize>(&self, key: String, new: &T) -> Result<(), StorageError> {
        self.apply(vec![(key, Some(value(new)?))]).await
    }

    /// Reads one value.
    ///
    /// # Errors
    /// The file or the value is damaged.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StorageError> {
        let found = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            Ok(table.get(key)?.map(|bytes| bytes.value().to_vec()))
        })?;
        found.map(|bytes| decode(key, &bytes)).transpose()
    }

    /// Returns all values whose key starts with these parts, each with the rest of its key.
    ///
    /// # Errors
    /// The file or a value is damaged.
    pub(crate) fn list<T: DeserializeOwned>(&self, parts: &[&str]) -> Result<Vec<(String, T)>, StorageError> {
        let mut prefix = key(parts);
        prefix.push('\0');
        let found = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let mut found = Vec::new();
            for row in table.range(prefix.as_str()..)? {
                let (key, bytes) = row?;
                let Some(rest) = key.value().strip_prefix(&prefix) else { break };
                found.push((rest.to_owned(), bytes.value().to_vec()));
            }
            Ok(found)
        })?;
        let decoded = |(rest, bytes): (String, Vec<u8>)| Ok((rest.clone(), decode(&(prefix.clone() + &rest), &bytes)?));
        found.into_iter().map(decoded).collect()
    }

    /// Closes the file.
    pub(crate) fn close(&self) {
        *self.lock() = Opened::Closed;
    }

    pub(super) fn write(&self, changes: &[Change]) -> Result<(), StorageError> {
        self.with(|database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(TABLE)?;
                for (key, value) in changes {
                    match value {
                        Some(value) => table.insert(key.as_str(), value.as_slice())?,
                        None => table.remove(key.as_str())?,
                    };
                }
            }
            Ok(write.commit()?)
        })
    }

    /// Runs `work` with the file, and runs it once more if the file had to be opened again.
    fn with<T>(&self, work: impl Fn(&Facts) -> Result<T, redb::Error>) -> Result<T, StorageError> {
        let database = self.database()?;
        let work = |database: &Facts| caught(|| work(database))?;
        match work(&database) {
            Err(error) if must_be_opened_again(&error) => {
                tracing::warn!(%error, file = %self.path.display(), "the metadata file failed and is opened again");
                self.fail(database);
            }
            done => return done.map_err(|error| metadata(&self.path, error)),
        }
        let database = self.database()?;
        let done = work(&database);
        if done.as_ref().is_err_and(must_be_opened_again) {
            self.fail(database);
        }
        done.map_err(|error| metadata(&self.path, error))
    }

    fn database(&self) -> Result<Arc<Facts>, StorageError> {
        let mut file = self.lock();
        match &*file {
            Opened::Sound(database) => Ok(Arc::clone(database)),
            Opened::Closed => Err(StorageError::Metadata("the broker has been shut down".to_owned())),
            Opened::Failed => {
                let database = Arc::new(open_again(&self.path).map_err(|error| metadata(&self.path, error))?);
                *file = Opened::Sound(Arc::clone(&database));
                Ok(database)
            }
        }
    }

    fn fail(&self, database: Arc<Facts>) {
        // Drop the file before taking the lock. A call that opens the file again holds the lock while it waits for the
        // other users of the file, so the other order would be a deadlock.
        let failed = Arc::downgrade(&database);
        drop(database);
        let mut file = self.lock();
        if matches!(&*file, Opened::Sound(known) if std::ptr::eq(Arc::as_ptr(known), failed.as_ptr())) {
            *file = Opened::Failed;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the file that was open before. A missing file is an error. It is not created, because that would silently lose
/// all metadata.
fn open_again(path: &Path) -> Result<Facts, DatabaseError> {
    let started = Instant::now();
    loop {
        match open(path) {
            Err(DatabaseError::DatabaseAlreadyOpen) if started.elapsed() < REOPEN_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

fn must_be_opened_again(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::DatabaseClosed)
}

fn metadata(path: &Path, error: impl Into<redb::Error>) -> StorageError {
    let error = error.into();
    if is_damage(&error) {
        return StorageError::DamagedMetadata { path: path.to_owned(), reason: error.to_string() };
    }
    StorageError::Metadata(format!("{error} ({})", path.display()))
}

fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StorageError> {
    serde_json::from_slice(bytes)
        .map_err(|e| StorageError::Metadata(format!("the value of \"{}\" is damaged: {e}", key.replace('\0', " "))))
}
