//! The last sequence ids as the metadata keep them, and what a change of the policy does to them.

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
    /// Entries below this position are covered.
    next: (u64, u64),
    /// Entries below this position are ignored: nothing was deduplicated when they came.
    #[serde(default)]
    since: (u64, u64),
    /// Producer names and their highest durable ids, least recently used first.
    pub last: Vec<(String, i64)>,
    /// Deduplication has been off since then: the entries in the log are ignored.
    #[serde(default)]
    pub is_off: bool,
}

impl StoredDedup {
    /// What is stored while nobody's messages are deduplicated.
    pub(crate) fn off() -> Self {
        Self { is_off: true, ..Self::default() }
    }

    /// What is stored when deduplication begins.
    pub(crate) fn starting_at(next: Position) -> Self {
        let next = (next.ledger, next.entry);
        Self { next, since: next, ..Self::default() }
    }

    /// Returns the first position whose entries count.
    pub(crate) fn since(&self) -> Position {
        Position { ledger: self.since.0, entry: self.since.1 }
    }

    /// Forgets the ids, which may be those of lost entries: all entries of the log are read again.
    pub(crate) fn begin_again(&mut self) {
        self.next = self.since;
        self.last.clear();
    }

    /// Returns the first position that is not covered.
    pub(crate) fn covered(&self) -> Position {
        Position { ledger: self.next.0, entry: self.next.1 }
    }
}

/// Entries after which the last sequence ids are stored again.
const SNAPSHOT_ENTRIES: u64 = 1_000;

impl Topic {
    /// Returns the change that stores the last sequence ids, when enough entries have come since the last time.
    ///
    /// # Errors
    /// The snapshot cannot be encoded.
    pub(crate) fn dedup_change(&self) -> Result<Option<storage::Change>, StorageError> {
        if self.deduplication() == DeduplicationPolicy::Off {
            return Ok(None);
        }
        let (covered, last) = self.dedup_snapshot();
        // Relaxed: only the flush reads and writes it, under the store's write order; a change of the policy resets it,
        // and at worst one snapshot is written too much.
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

    /// Returns the change that empties the stored sequence ids, for a policy that ends or begins deduplication; `None`
    /// for another one. It must be durable before [`Topic::set_deduplication`].
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

    /// Sets whose messages are deduplicated from now on. Last sequence ids are forgotten when deduplication ends:
    /// a producer that counts from 0 again meanwhile would have its next messages taken for repeats.
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

    /// Returns whose messages are deduplicated.
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
