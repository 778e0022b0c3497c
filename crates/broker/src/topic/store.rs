//! Small durable facts by key: namespaces, topics, cursors, schemas, epochs, deduplication snapshots.
//!
//! Keys are the parts of a name joined by a zero byte, so that no part can be mistaken for two.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

use super::StorageError;

/// One change: a key and its new value, or `None` to delete it.
pub type Change = (String, Option<Vec<u8>>);

/// The broker's metadata.
#[derive(Debug, Default)]
pub struct Store {
    values: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// Joins the parts of a key.
pub fn key(parts: &[&str]) -> String {
    parts.join("\0")
}

/// Turns a value into its stored form.
pub fn value<T: Serialize>(value: &T) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(value).map_err(|e| StorageError(format!("cannot encode metadata: {e}")))
}

impl Store {
    /// Makes changes durable, all or none.
    pub async fn apply(&self, changes: Vec<Change>) -> Result<(), StorageError> {
        let mut values = self.lock();
        for (key, value) in changes {
            match value {
                Some(value) => values.insert(key, value),
                None => values.remove(&key),
            };
        }
        Ok(())
    }

    /// Makes one value durable.
    pub async fn put<T: Serialize>(&self, key: String, new: &T) -> Result<(), StorageError> {
        self.apply(vec![(key, Some(value(new)?))]).await
    }

    /// Reads one value.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StorageError> {
        let values = self.lock();
        let Some(bytes) = values.get(key) else { return Ok(None) };
        decode(key, bytes).map(Some)
    }

    /// Reads all values whose key starts with these parts; gives the rest of each key.
    pub fn list<T: DeserializeOwned>(&self, parts: &[&str]) -> Result<Vec<(String, T)>, StorageError> {
        let mut prefix = key(parts);
        prefix.push('\0');
        let values = self.lock();
        let found = values.range(prefix.clone()..).take_while(|(k, _)| k.starts_with(&prefix));
        found.map(|(k, v)| Ok((k.get(prefix.len()..).unwrap_or_default().to_owned(), decode(k, v)?))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StorageError> {
    serde_json::from_slice(bytes)
        .map_err(|e| StorageError(format!("metadata of \"{}\" is damaged: {e}", key.replace('\0', " "))))
}
