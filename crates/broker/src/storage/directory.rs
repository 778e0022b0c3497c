//! The data directory: lock, metadata, logs, commit thread.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use bitacora_data_folder::{make_folder, open_private, refuse_unfinished, tighten, tighten_own};

use super::{
    Committer, KnownLog, StorageError, Store, TopicIdentity, TopicLog,
    file::sync_folder,
    head::{self, Head},
    recovery::list,
    segment,
};

const METADATA: &str = "metadata.redb";
const TOPICS: &str = "topics";
const LOCK: &str = "LOCK";

/// An open data directory.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    store: Arc<Store>,
    committer: Arc<Committer>,
    lock: File,
}

/// Whose log a topic's folder holds, as its segments say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundFolder {
    /// The segments name this topic. Those below the number have a head of the first version, which names no topic.
    Of(TopicIdentity, u64),
    /// No segment names a topic, because an earlier version wrote them. All are below the number.
    Nameless(u64),
    /// The segments name several topics, or one of them cannot be read.
    Unclear,
    /// The folder has no segment.
    Empty,
}

impl DataDirectory {
    /// Locks and opens a directory, which is created if it is missing.
    ///
    /// # Errors
    /// The directory is in use, cannot be written or is damaged, or it has logs but no metadata.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let lock = prepare(path)?;
        let (metadata, topics) = (path.join(METADATA), path.join(TOPICS));
        if !metadata.exists() {
            let count =
                folders(&topics)?.values().filter(|folder| ledgers(folder).is_ok_and(|l| !l.is_empty())).count();
            if count > 0 {
                return Err(StorageError::MissingMetadata { path: metadata, topics, count });
            }
        }
        Self::with_lock(path, lock)
    }

    /// Opens a directory as [`DataDirectory::open`] does, but creates the metadata if it is missing.
    ///
    /// # Errors
    /// The directory is in use or cannot be written, or the metadata is damaged.
    pub(crate) fn open_for_repair(path: &Path) -> Result<Self, StorageError> {
        let lock = prepare(path)?;
        Self::with_lock(path, lock)
    }

    fn with_lock(path: &Path, lock: File) -> Result<Self, StorageError> {
        let store = Arc::new(Store::open(&path.join(METADATA))?);
        sync_folder(path)?;
        let committer = Arc::new(Committer::start()?);
        Ok(Self { path: path.to_owned(), store, committer, lock })
    }

    /// Returns the metadata.
    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Opens or creates the log of a topic.
    ///
    /// # Errors
    /// The folder cannot be used, belongs to another topic, or its newest segment is damaged.
    pub(crate) fn open_log(&self, topic_id: u64, known: KnownLog) -> Result<TopicLog, StorageError> {
        let folder = self.folder(topic_id);
        if folder.exists() {
            tighten(&folder);
        } else {
            make_folder(&folder).map_err(StorageError::io("create", &folder))?;
            sync_folder(&self.path.join(TOPICS))?;
        }
        TopicLog::open(folder, Arc::clone(&self.committer), known)
    }

    /// Deletes the log of a topic.
    ///
    /// # Errors
    /// The files cannot be deleted.
    pub(crate) fn delete_log(&self, topic_id: u64) -> Result<(), StorageError> {
        let folder = self.folder(topic_id);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(StorageError::io("delete", &folder))?;
        }
        Ok(())
    }

    /// Returns the numbers of the topics that have a folder, in ascending order.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn topic_ids(&self) -> Result<Vec<u64>, StorageError> {
        Ok(folders(&self.path.join(TOPICS))?.into_keys().collect())
    }

    /// Returns whose log a folder has, as the heads of its segments say.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn inspect(&self, topic_id: u64) -> Result<FoundFolder, StorageError> {
        let folder = self.folder(topic_id);
        let (mut owner, mut nameless_below): (Option<TopicIdentity>, _) = (None, 0);
        for ledger in ledgers(&folder)? {
            match head::read(&segment::path(&folder, ledger), ledger) {
                Ok(Some(Head { owner: Some(named), .. })) => match &owner {
                    Some(known) if *known != named => return Ok(FoundFolder::Unclear),
                    _ => owner = Some(named),
                },
                // Segments of an earlier version come before those of this version.
                Ok(Some(_)) if owner.is_none() => nameless_below = ledger.saturating_add(1),
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Ok(FoundFolder::Unclear),
            }
        }
        Ok(match owner {
            Some(owner) => FoundFolder::Of(owner, nameless_below),
            None if nameless_below > 0 => FoundFolder::Nameless(nameless_below),
            None => FoundFolder::Empty,
        })
    }

    /// Waits until everything appended is durable and ends the commit thread.
    pub(crate) fn stop_logs(&self) {
        self.committer.stop();
    }

    /// Closes everything and releases the lock, so that another broker can open the directory.
    pub(crate) fn close(&self) {
        self.committer.stop();
        self.store.close();
        let _ = self.lock.unlock();
    }

    /// Returns the folder of a topic.
    pub(crate) fn folder(&self, topic_id: u64) -> PathBuf {
        self.path.join(TOPICS).join(format!("{topic_id:016x}"))
    }
}

/// Creates the folders and takes the lock.
fn prepare(path: &Path) -> Result<File, StorageError> {
    refuse_unfinished(path).map_err(|error| StorageError::Backup(error.to_string()))?;
    let topics = path.join(TOPICS);
    if path.exists() {
        tighten_own(path, &[METADATA, LOCK, TOPICS]);
    }
    make_folder(&topics).map_err(StorageError::io("create", &topics))?;
    tighten(&topics);
    let lock_path = path.join(LOCK);
    let lock = open_private(OpenOptions::new().create(true).truncate(false).write(true), &lock_path)
        .map_err(StorageError::io("open", &lock_path))?;
    tighten(&lock_path);
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StorageError::Locked(path.to_owned())),
        Err(TryLockError::Error(e)) => Err(StorageError::io("lock", &lock_path)(e)),
    }
}

/// Returns the folders of topics by number.
fn folders(topics: &Path) -> Result<BTreeMap<u64, PathBuf>, StorageError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(topics).map_err(StorageError::io("list", topics))? {
        let path = entry.map_err(StorageError::io("list", topics))?.path();
        let number = path.file_name().and_then(|name| name.to_str()).map(|name| u64::from_str_radix(name, 16));
        if let Some(Ok(id)) = number {
            found.insert(id, path);
        }
    }
    Ok(found)
}

fn ledgers(folder: &Path) -> Result<Vec<u64>, StorageError> {
    let mut found = list(folder)?;
    found.sort_unstable();
    Ok(found)
}
