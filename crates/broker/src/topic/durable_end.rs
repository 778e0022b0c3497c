//! How far a topic's log was durable, as the metadata keep it.
//!
//! It is stored with the cursors, so at most one [`crate::BrokerConfig::cursor_flush`] behind the log. A log that ends
//! before it was shortened by something else than a crash: it was restored from an older copy, or files of it are gone.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::state::Topic;
use crate::storage::{self, Change, DurableEnd, StorageError};

/// Stored form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredEnd {
    /// Number of the last segment.
    ledger: u64,
    /// First offset that was not durable.
    offset: u64,
    /// Entries that were found missing since the topic was created.
    #[serde(default)]
    pub lost: u64,
}

impl StoredEnd {
    /// Returns how far the log was durable.
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

    /// Returns the change that stores how far the log is durable, if it has grown since the last time.
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

    /// Makes the next flush store how far the log is durable, because the last write failed.
    pub(crate) fn forget_stored_end(&self) {
        self.end_stored.store(u64::MAX, Ordering::Relaxed);
    }
}
