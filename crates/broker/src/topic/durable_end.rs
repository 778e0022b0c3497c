//! The durable end of a topic's log as it is stored in the metadata.
//!
//! It is stored with the cursors, so it is at most one [`crate::BrokerConfig::cursor_flush`] older than the log. If a
//! log ends before it, the cause was not a crash: the log was restored from an older copy, or some of its files are
//! missing.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::state::Topic;
use crate::storage::{self, Change, DurableEnd, StorageError};

/// Stored form of the durable end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredEnd {
    /// Number of the last segment.
    ledger: u64,
    /// First offset that was not durable.
    offset: u64,
    /// How many entries were found missing since the topic was created.
    #[serde(default)]
    pub lost: u64,
}

impl StoredEnd {
    /// Returns the stored durable end.
    pub(crate) fn durable(&self) -> DurableEnd {
        DurableEnd { ledger: self.ledger, offset: self.offset }
    }
}

impl Topic {
    /// Returns how many entries were found missing at the end of the log since the topic was created.
    pub(crate) fn lost_entries(&self) -> u64 {
        self.lost_entries
    }

    /// Returns how many faults were found in the log's files when it was opened.
    pub(crate) fn damaged_files(&self) -> u64 {
        self.log.damage().len() as u64
    }

    /// Returns the change that stores the durable end, if it has moved since the last time.
    ///
    /// # Errors
    /// The value cannot be encoded.
    pub(crate) fn end_change(&self) -> Result<Option<Change>, StorageError> {
        let DurableEnd { ledger, offset } = self.log.durable();
        // Relaxed: only the flush reads and writes it, under the store's write order.
        if self.end_stored.swap(offset, Ordering::Relaxed) == offset {
            return Ok(None);
        }
        let stored = StoredEnd { ledger, offset, lost: self.lost_entries };
        Ok(Some((storage::key(&["end", &self.full_name]), Some(storage::value(&stored)?))))
    }

    /// Makes the next flush store the durable end again. The caller does this when a write failed.
    pub(crate) fn forget_stored_end(&self) {
        self.end_stored.store(u64::MAX, Ordering::Relaxed);
    }
}
