//! The stored form of a topic, and the comparison of metadata and folders at the start.
//!
//! Metadata and logs may be from different times, if one of them was restored or lost. The start reports folders that
//! the metadata does not know, and topics whose log is missing. It does not open them under another name, delete them
//! or use their numbers again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::state::{Catalog, Entry, State};
use crate::{
    storage::{self, Change, DurableEnd, FoundFolder, StorageError, TopicIdentity, key},
    topic::StoredEnd,
};

/// Most log lines of one kind at the start. Further cases are only counted.
const MAX_LINES: usize = 10;

/// The stored form of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum StoredTopic {
    Known {
        /// Number of its folder.
        id: u64,
        /// When it was created (ms since the epoch).
        created_ms: u64,
        /// Incarnation as 32 hexadecimal digits.
        incarnation: String,
        /// See [`storage::KnownLog::adopted_below`].
        #[serde(default)]
        adopted_below: u64,
    },
    /// The form of earlier versions: number and time of creation.
    Numbered(u64, u64),
}

impl StoredTopic {
    pub(super) fn of(entry: &Entry) -> Self {
        Self::Known {
            id: entry.id,
            created_ms: entry.created_ms,
            incarnation: format!("{:032x}", entry.incarnation),
            adopted_below: entry.adopted_below,
        }
    }
}

impl Catalog {
    /// Reads the topics into the state. Topics of an earlier version are adopted: each gets an incarnation, and the
    /// segments now in its folder count as its own.
    pub(super) fn load_topics(&self, state: &mut State) -> Result<Vec<Change>, StorageError> {
        let (mut changes, mut adopted) = (Vec::new(), 0);
        for (name, stored) in self.store.list::<StoredTopic>(&["topic"])? {
            let entry = match stored {
                StoredTopic::Known { id, created_ms, incarnation, adopted_below } => {
                    let incarnation = u128::from_str_radix(&incarnation, 16)
                        .map_err(|_| StorageError::Metadata(format!("the incarnation of {name} is damaged")))?;
                    Entry { id, created_ms, incarnation, adopted_below, ..Entry::default() }
                }
                StoredTopic::Numbered(id, created_ms) => {
                    let adopted_below = match self.directory.inspect(id) {
                        Ok(FoundFolder::Nameless(below)) => below,
                        _ => 0,
                    };
                    let incarnation = TopicIdentity::new(&name).incarnation;
                    let entry = Entry { id, created_ms, incarnation, adopted_below, ..Entry::default() };
                    changes.push((key(&["topic", &name]), Some(storage::value(&StoredTopic::of(&entry))?)));
                    adopted += 1;
                    entry
                }
            };
            state.topics.insert(name, entry);
        }
        if adopted > 0 {
            tracing::info!(
                topics = adopted,
                "the topics of an earlier version got incarnations; earlier versions can no longer read this data \
                directory"
            );
        }
        Ok(changes)
    }

    /// Compares the topics with the folders, logs each difference, and returns the lowest number that the next topic
    /// may get.
    pub(super) fn survey(&self, state: &State) -> Result<u64, StorageError> {
        let folders: BTreeSet<u64> = self.directory.topic_ids()?.into_iter().collect();
        let known: BTreeSet<u64> = state.topics.values().map(|entry| entry.id).collect();
        let mut unknown = Vec::new();
        for id in folders.difference(&known) {
            let folder = self.directory.folder(*id).display().to_string();
            match self.directory.inspect(*id)? {
                FoundFolder::Empty => {}
                FoundFolder::Of(owner, _) => unknown.push((folder, owner.to_string())),
                FoundFolder::Nameless(_) => {
                    unknown.push((folder, "a topic of an earlier version, without a name".to_owned()));
                }
                FoundFolder::Unclear => unknown.push((folder, "several topics, or is damaged".to_owned())),
            }
        }
        for (folder, owner) in unknown.iter().take(MAX_LINES) {
            tracing::error!(
                "{folder} holds the log of {owner}, which metadata.redb does not know; it is not opened; restore \
                metadata.redb and topics/ from one backup, or stop the broker and add the topic with `bitacora \
                repair`, or remove the folder"
            );
        }
        if unknown.len() > MAX_LINES {
            tracing::error!("metadata.redb does not know {} more folders in topics/", unknown.len() - MAX_LINES);
        }
        let mut missing = Vec::new();
        for (name, entry) in state.topics.iter().filter(|(_, entry)| !folders.contains(&entry.id)) {
            let end =
                self.store.get::<StoredEnd>(&key(&["end", name]))?.map_or(DurableEnd::default(), |end| end.durable());
            if end.offset > 0 {
                missing.push((name, self.directory.folder(entry.id), end.offset));
            }
        }
        for (name, folder, count) in missing.iter().take(MAX_LINES) {
            tracing::error!(
                "the log of {name} is missing: {}, which held {count} entries, does not exist; restore topics/ and \
                metadata.redb from one backup",
                folder.display()
            );
        }
        if missing.len() > MAX_LINES {
            tracing::error!("the logs of {} more topics are missing", missing.len() - MAX_LINES);
        }
        Ok(folders.union(&known).last().map_or(0, |last| last.saturating_add(1)))
    }

    /// Finishes deletions of topics that a crash interrupted between metadata and folder.
    pub(super) fn finish_deletions(&self) -> Result<Vec<Change>, StorageError> {
        let mut done = Vec::new();
        for (id, incarnation) in self.store.list::<String>(&["deleting"])? {
            let Ok(number) = u64::from_str_radix(&id, 16) else { continue };
            let found = self.directory.inspect(number)?;
            let is_same =
                matches!(found, FoundFolder::Of(owner, _) if format!("{:032x}", owner.incarnation) == incarnation);
            if is_same {
                self.directory.delete_log(number)?;
            }
            done.push((deleting_key(number), None));
        }
        Ok(done)
    }
}

/// Returns the key that holds the incarnation of a topic while its folder is being deleted.
pub(super) fn deleting_key(id: u64) -> String {
    key(&["deleting", &format!("{id:016x}")])
}
