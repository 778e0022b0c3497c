//! Small durable facts by key: namespaces, topics, cursors, schemas, epochs, last sequence ids.
//!
//! One `redb` table of JSON values. Keys are the parts of a name joined by a zero byte, so that no part can be mistaken
//! for two. Every change is one synced transaction.
//!
//! After a failed read or write `redb` refuses everything until its file is opened again. The next call does that, so
//! that a disk that was full for a minute costs a minute. The file is as its last whole transaction left it, and the
//! failed change is made again as a whole.

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

/// Other calls may still use the file that failed; opening it again waits this long for them to end.
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
    /// To be opened again.
    Failed,
    /// The broker has been shut down; every further call gets an error.
    Closed,
}

/// Joins the parts of a key.
pub(crate) fn key(parts: &[&str]) -> String {
    parts.join("\0")
}

/// Turns a value into its stored form.
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
    /// It is damaged, or the disk is full.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let database = open_or_make(path).map_err(|error| metadata(path, error))?;
        let file = Arc::new(Mutex::new(Opened::Sound(Arc::new(database))));
        let store = Self { path: Arc::from(path), file, write_order: Arc::default() };
        store.write(&[])?;
        Ok(store)
    }

    /// Makes changes durable, all or none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn apply(&self, changes: Vec<Change>) -> Result<(), StorageError> {
        let store = self.clone();
        let written = tokio::task::spawn_blocking(move || store.write(&changes)).await;
        written.map_err(|e| StorageError::Metadata(e.to_string()))?
    }

    /// Serializes read-then-write of metadata, so that a stale copy cannot overwrite a newer one. Held from reading the
    /// state that is to be stored until it is written; taken before the locks of catalog, topic and subscription.
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

    /// Reads all values whose key starts with these parts; returns the rest of each key.
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

    /// Works with the file; once more if it had to be opened again.
    fn with<T>(&self, work: impl Fn(&Facts) -> Result<T, redb::Error>) -> Result<T, StorageError> {
        let database = self.database()?;
        let work = |database: &Facts| caught(|| work(database))?;
        match work(&database) {
            Err(error) if must_be_opened_again(&error) => {
                tracing::warn!(%error, file = %self.path.display(), "the metadata file failed; it is opened again");
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
        // Let go of the file before the lock is taken: a call that opens it again holds the lock while it waits for
        // this one.
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

/// Opens the file that was open before. A missing file is an error, never recreated: that would silently lose all
/// metadata.
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
