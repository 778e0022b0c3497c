//! Copies a broker's data directory, whether the broker runs or not.
//!
//! The metadata is copied first, as of one transaction, and the logs after it. So every log of the copy reaches the end
//! that the metadata calls durable, and the metadata knows every folder. A log may grow while it is copied; at its
//! start the broker cuts off an incomplete entry at the end of the copy, as after a crash.

use std::{collections::BTreeSet, fs, path::Path};

use bitacora_data_folder::{copy, copy_file, make_folder};

use super::{StorageError, Store, file::sync_folder, key, recovery::list, segment};

/// Copies metadata and logs into a prepared folder (see [`bitacora_data_folder::prepare`]), and returns the number of
/// topics.
///
/// # Errors
/// [`StorageError`] if a file cannot be read or written, or is damaged.
pub fn back_up(data_dir: &Path, to: &Path) -> Result<usize, StorageError> {
    let (from, copied) = (data_dir.join("metadata.redb"), to.join("metadata.redb"));
    let topics = to.join("topics");
    make_folder(&topics).map_err(StorageError::io("create", &topics))?;
    let failed = |error: bitacora_data_folder::BackupError| StorageError::Backup(error.to_string());
    copy(data_dir, &from, &copied).map_err(failed)?;
    let store = Store::open(&copied)?;
    let mut count = 0;
    for (name, id) in store.topic_ids()? {
        let folder = format!("{id:016x}");
        let (source, target) = (data_dir.join("topics").join(&folder), topics.join(&folder));
        if !source.exists() {
            continue;
        }
        make_folder(&target).map_err(StorageError::io("create", &target))?;
        if copy_log(&source, &target)? {
            count += 1;
            continue;
        }
        // The topic was deleted meanwhile, so the copy must not have it either.
        fs::remove_dir_all(&target).map_err(StorageError::io("delete", &target))?;
        store.forget_topic(&name)?;
    }
    store.close();
    sync_folder(&topics)?;
    Ok(count)
}

/// Copies the segments of one log, oldest first, and returns whether the log still existed at the end.
fn copy_log(source: &Path, target: &Path) -> Result<bool, StorageError> {
    let ledgers: BTreeSet<u64> = match list(source) {
        Ok(ledgers) => ledgers.into_iter().collect(),
        Err(_) if !source.exists() => return Ok(false),
        Err(error) => return Err(error),
    };
    for ledger in ledgers {
        let (from, to) = (segment::path(source, ledger), segment::path(target, ledger));
        match copy_file(&from, &to) {
            Ok(()) => {}
            Err(_) if !from.exists() => return Ok(false),
            Err(error) => return Err(StorageError::io("copy", &from)(error)),
        }
    }
    sync_folder(target)?;
    Ok(source.exists())
}

impl Store {
    fn topic_ids(&self) -> Result<Vec<(String, u64)>, StorageError> {
        let topics = self.list::<serde_json::Value>(&["topic"])?;
        let id =
            |stored: &serde_json::Value| stored.get("id").or_else(|| stored.get(0)).and_then(serde_json::Value::as_u64);
        topics
            .into_iter()
            .map(|(name, stored)| match id(&stored) {
                Some(id) => Ok((name, id)),
                None => Err(StorageError::Metadata(format!("the entry of the topic {name} is damaged"))),
            })
            .collect()
    }

    fn forget_topic(&self, name: &str) -> Result<(), StorageError> {
        let mut changes: Vec<_> = ["topic", "epoch", "dedup", "end"].map(|kind| (key(&[kind, name]), None)).into();
        for (subscription, _) in self.list::<serde_json::Value>(&["cursor", name])? {
            changes.push((key(&["cursor", name, &subscription]), None));
        }
        self.write(&changes)
    }
}
