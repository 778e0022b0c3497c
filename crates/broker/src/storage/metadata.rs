//! Small durable facts by key: namespaces, topics, cursors, schemas, epochs, last sequence ids.
//!
//! One `redb` table of JSON values. Keys are the parts of a name joined by a zero byte, so that no part can be mistaken
//! for two. Every change is one synced transaction.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bitacora_store::open_or_make;
use redb::{Database, ReadableDatabase, TableDefinition};
use serde::{Serialize, de::DeserializeOwned};

use super::StorageError;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts");

/// One change: a key and its new value, or `None` to delete it.
pub type Change = (String, Option<Vec<u8>>);

/// The broker's metadata.
#[derive(Debug, Clone)]
pub struct Store {
    /// Gone once the broker has been shut down; whoever still holds the store then gets an error.
    database: Arc<Mutex<Option<Arc<Database>>>>,
    pictures: Arc<tokio::sync::Mutex<()>>,
}

/// Joins the parts of a key.
pub fn key(parts: &[&str]) -> String {
    parts.join("\0")
}

/// Turns a value into its stored form.
///
/// # Errors
/// The value has no JSON form.
pub fn value<T: Serialize>(value: &T) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(value).map_err(|e| StorageError::Metadata(format!("a value cannot be encoded: {e}")))
}

impl Store {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// It is damaged, or the disk is full.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let database = open_or_make(path)
            .map_err(|e| StorageError::Metadata(format!("{e} ({}); restore it from a backup", path.display())))?;
        let store = Self { database: Arc::new(Mutex::new(Some(Arc::new(database)))), pictures: Arc::default() };
        store.write(Vec::new())?;
        Ok(store)
    }

    /// Makes changes durable, all or none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn apply(&self, changes: Vec<Change>) -> Result<(), StorageError> {
        let store = self.clone();
        let written = tokio::task::spawn_blocking(move || store.write(changes)).await;
        written.map_err(|e| StorageError::Metadata(e.to_string()))?
    }

    /// To be held from taking a picture of changing state to its being written, so that an older picture never
    /// replaces a newer one.
    pub async fn picture(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.pictures.lock().await
    }

    /// Makes one value durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn put<T: Serialize>(&self, key: String, new: &T) -> Result<(), StorageError> {
        self.apply(vec![(key, Some(value(new)?))]).await
    }

    /// Reads one value.
    ///
    /// # Errors
    /// The file or the value is damaged.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StorageError> {
        let read = self.database()?.begin_read().map_err(metadata)?;
        let table = read.open_table(TABLE).map_err(metadata)?;
        let found = table.get(key).map_err(metadata)?;
        found.map(|bytes| decode(key, bytes.value())).transpose()
    }

    /// Reads all values whose key starts with these parts; gives the rest of each key.
    ///
    /// # Errors
    /// The file or a value is damaged.
    pub fn list<T: DeserializeOwned>(&self, parts: &[&str]) -> Result<Vec<(String, T)>, StorageError> {
        let mut prefix = key(parts);
        prefix.push('\0');
        let read = self.database()?.begin_read().map_err(metadata)?;
        let table = read.open_table(TABLE).map_err(metadata)?;
        let mut found = Vec::new();
        for row in table.range(prefix.as_str()..).map_err(metadata)? {
            let (key, bytes) = row.map_err(metadata)?;
            let Some(rest) = key.value().strip_prefix(&prefix) else { break };
            found.push((rest.to_owned(), decode(key.value(), bytes.value())?));
        }
        Ok(found)
    }

    /// Closes the file.
    pub fn close(&self) {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn database(&self) -> Result<Arc<Database>, StorageError> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner).clone();
        database.ok_or_else(|| StorageError::Metadata("the broker has been shut down".to_owned()))
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StorageError> {
        let write = self.database()?.begin_write().map_err(metadata)?;
        {
            let mut table = write.open_table(TABLE).map_err(metadata)?;
            for (key, value) in changes {
                match value {
                    Some(value) => table.insert(key.as_str(), value.as_slice()).map_err(metadata)?,
                    None => table.remove(key.as_str()).map_err(metadata)?,
                };
            }
        }
        write.commit().map_err(metadata)
    }
}

fn metadata(error: impl Into<redb::Error>) -> StorageError {
    StorageError::Metadata(error.into().to_string())
}

fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StorageError> {
    serde_json::from_slice(bytes)
        .map_err(|e| StorageError::Metadata(format!("the value of \"{}\" is damaged: {e}", key.replace('\0', " "))))
}
