//! The last sequence ids as they are stored in the metadata, and what a change of the policy does to them.

use std::sync::{PoisonError, atomic::Ordering};

use serde::{Deserialize, Serialize};

use super::{policy::DeduplicationPolicy, table::DedupTable};
use crate::{
    storage::{self, Position, StorageError},
    topic::{receipt::PendingReceipt, state::Topic},
};

/// Stored form of the last sequence ids.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredDedup {
    /// The stored ids cover the entries below this position.
    next: (u64, u64),
    /// Entries below this position are ignored: they were published while nothing was deduplicated.
    #[serde(default)]
    since: (u64, u64),
    /// Producer names with their highest durable ids, least recently used first.
    pub last: Vec<(String, i64)>,
    /// Deduplication is off: all entries in the log are ignored.
    #[serde(default)]
    pub is_off: bool,
}

impl StoredDedup {
    /// Returns what is stored while no messages are deduplicated.
    pub(crate) fn off() -> Self {
        Self { is_off: true, ..Self::default() }
    }

    /// Returns what is stored when deduplication begins at `next`.
    pub(crate) fn starting_at(next: Position) -> Self {
        let next = (next.ledger, next.entry);
        Self { next, since: next, ..Self::default() }
    }

    /// Returns the first position whose entries are not ignored.
    pub(crate) fn since(&self) -> Position {
        Position { ledger: self.since.0, entry: self.since.1 }
    }

    /// Forgets the ids, which may be those of lost entries. All entries of the log are then read again.
    pub(crate) fn begin_again(&mut self) {
        self.next = self.since;
        self.last.clear();
    }

    /// Returns the first position that the stored ids do not cover.
    pub(crate) fn covered(&self) -> Position {
        Position { ledger: self.next.0, entry: self.next.1 }
    }
}

/// The last sequence ids are stored again after so many entries.
const SNAPSHOT_ENTRIES: u64 = 1_000;

impl Topic {
    /// Returns the change that stores the last sequence ids, if enough entries have come since the last time.
    ///
    /// # Errors
    /// The snapshot cannot be encoded.
    pub(crate) fn dedup_change(&self) -> Result<Option<storage::Change>, StorageError> {
        if self.deduplication() == DeduplicationPolicy::Off {
            return Ok(None);
        }
        let (covered, last) = self.dedup_snapshot();
        // Relaxed: only the flush reads and writes it, under the store's write order. A change of the policy resets it;
        // at worst one needless snapshot is written.
        let before = self.dedup_stored.load(Ordering::Relaxed);
        if before != u64::MAX && covered.saturating_sub(before) < SNAPSHOT_ENTRIES {
            return Ok(None);
        }
        self.dedup_stored.store(covered, Ordering::Relaxed);
        let next = self.log.position(covered);
        let since = *self.dedup_since.lock().unwrap_or_else(PoisonError::into_inner);
        let since = (since.ledger, since.entry);
        let stored = StoredDedup { next: (next.ledger, next.entry), since, last, is_off: false };
        Ok(Some((storage::key(&["dedup", &self.full_name]), Some(storage::value(&stored)?))))
    }

    /// Returns the change that empties the stored sequence ids if the policy ends or begins deduplication, otherwise
    /// `None`. The change must be durable before [`Topic::set_deduplication`] is called.
    ///
    /// # Errors
    /// The snapshot cannot be encoded.
    pub(crate) fn dedup_transition(
        &self,
        policy: DeduplicationPolicy,
    ) -> Result<Option<storage::Change>, StorageError> {
        let stored = match (self.deduplication(), policy) {
            (DeduplicationPolicy::Off, DeduplicationPolicy::Off) => return Ok(None),
            (_, DeduplicationPolicy::Off) => StoredDedup::off(),
            (DeduplicationPolicy::Off, _) => StoredDedup::starting_at(self.log.position(self.log.end())),
            _ => return Ok(None),
        };
        Ok(Some((storage::key(&["dedup", &self.full_name]), Some(storage::value(&stored)?))))
    }

    /// Makes the next flush store the last sequence ids, however few entries have come since.
    pub(crate) fn forget_dedup_snapshot(&self) {
        self.dedup_stored.store(u64::MAX, Ordering::Relaxed);
    }

    /// Sets which producers' messages are deduplicated from now on. The last sequence ids are forgotten when
    /// deduplication ends: a producer may count from 0 again while it is off, and its next messages would be taken for
    /// duplicates.
    pub(crate) fn set_deduplication(&self, policy: DeduplicationPolicy) {
        let mut state = self.lock();
        if (state.deduplication == DeduplicationPolicy::Off) != (policy == DeduplicationPolicy::Off) {
            state.dedup = DedupTable::default();
            state.pending.iter_mut().for_each(PendingReceipt::forget_sequence_id);
            state.dedup_from = self.log.end();
            *self.dedup_since.lock().unwrap_or_else(PoisonError::into_inner) = self.log.position(state.dedup_from);
            self.forget_dedup_snapshot();
        }
        state.deduplication = policy;
    }

    /// Returns which producers' messages are deduplicated.
    pub(crate) fn deduplication(&self) -> DeduplicationPolicy {
        self.lock().deduplication
    }

    /// Returns the highest durable sequence ids by producer name, and the offset up to which they are complete.
    pub(crate) fn dedup_snapshot(&self) -> (u64, Vec<(String, i64)>) {
        let state = self.lock();
        let complete = state.pending.iter().find_map(|r| r.first_offset()).unwrap_or_else(|| self.log.durable_end());
        (complete.max(state.dedup_from), state.dedup.snapshot())
    }
}
