//! The data directory as a whole: lock, metadata, logs, commit thread.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Committer, StorageError, Store, TopicLog, segment::sync_folder};

/// An open data directory.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    store: Arc<Store>,
    committer: Arc<Committer>,
    lock: File,
}

impl DataDirectory {
    /// Creates, locks and opens a directory.
    ///
    /// # Errors
    /// It is in use, cannot be written or is damaged.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let topics = path.join("topics");
        fs::create_dir_all(&topics).map_err(StorageError::io("create", &topics))?;
        let lock_path = path.join("LOCK");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(StorageError::io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::Locked(path.to_owned())),
            Err(TryLockError::Error(e)) => return Err(StorageError::io("lock", &lock_path)(e)),
        }
        let store = Arc::new(Store::open(&path.join("metadata.redb"))?);
        sync_folder(path)?;
        let committer = Arc::new(Committer::start()?);
        Ok(Self { path: path.to_owned(), store, committer, lock })
    }

    /// Gives the metadata.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Opens or creates the log of a topic.
    ///
    /// # Errors
    /// The folder cannot be used or its newest segment is damaged.
    pub fn open_log(&self, topic_id: u64) -> Result<TopicLog, StorageError> {
        let folder = self.folder(topic_id);
        if !folder.exists() {
            fs::create_dir(&folder).map_err(StorageError::io("create", &folder))?;
            sync_folder(&self.path.join("topics"))?;
        }
        TopicLog::open(folder, Arc::clone(&self.committer))
    }

    /// Deletes the log of a topic.
    ///
    /// # Errors
    /// The files cannot be deleted.
    pub fn delete_log(&self, topic_id: u64) -> Result<(), StorageError> {
        let folder = self.folder(topic_id);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(StorageError::io("delete", &folder))?;
        }
        Ok(())
    }

    /// Waits until everything appended is durable and ends the commit thread.
    pub fn stop_logs(&self) {
        self.committer.stop();
    }

    /// Closes everything and lets another broker in.
    pub fn close(&self) {
        self.committer.stop();
        self.store.close();
        let _ = self.lock.unlock();
    }

    fn folder(&self, topic_id: u64) -> PathBuf {
        self.path.join("topics").join(format!("{topic_id:016x}"))
    }
}
