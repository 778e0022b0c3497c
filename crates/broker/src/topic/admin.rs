//! What the broker's background work and the admin REST do with a topic.

use serde::{Deserialize, Serialize};

use super::{DeduplicationPolicy, Refused, Topic};
use crate::storage::{self, Position, StorageError};

/// Stored form of the last sequence ids.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StoredDedup {
    /// Entries below this position are covered.
    next: (u64, u64),
    /// Entries below this position count for nothing: nobody's messages were deduplicated then.
    #[serde(default)]
    since: (u64, u64),
    /// Producer names and their highest durable ids, least recently used first.
    pub last: Vec<(String, i64)>,
    /// Nobody's messages have been deduplicated since: what lies in the log counts for nothing.
    #[serde(default)]
    pub is_off: bool,
}

impl StoredDedup {
    /// What is stored while nobody's messages are deduplicated.
    pub fn off() -> Self {
        Self { is_off: true, ..Self::default() }
    }

    /// What is stored when deduplication begins.
    pub fn starting_at(next: Position) -> Self {
        let next = (next.ledger, next.entry);
        Self { next, since: next, ..Self::default() }
    }

    /// Returns the first position whose entries count.
    pub fn since(&self) -> Position {
        Position { ledger: self.since.0, entry: self.since.1 }
    }

    /// Forgets what is known of entries that are not in the log any more: everything that is there is to be read.
    pub fn begin_again(&mut self) {
        self.next = self.since;
        self.last.clear();
    }

    /// Gives the first position that is not covered.
    pub fn covered(&self) -> Position {
        Position { ledger: self.next.0, entry: self.next.1 }
    }
}

/// Entries after which the last sequence ids are stored again.
const SNAPSHOT_ENTRIES: u64 = 1_000;

impl Topic {
    /// Gives the change that stores the last sequence ids, when enough entries have come since the last time.
    ///
    /// # Errors
    /// The snapshot cannot be encoded.
    pub fn dedup_change(&self) -> Result<Option<storage::Change>, StorageError> {
        if self.deduplication() == DeduplicationPolicy::Off {
            return Ok(None);
        }
        let (covered, last) = self.dedup_snapshot();
        let before = self.dedup_stored.load(std::sync::atomic::Ordering::Relaxed);
        if before != u64::MAX && covered.saturating_sub(before) < SNAPSHOT_ENTRIES {
            return Ok(None);
        }
        self.dedup_stored.store(covered, std::sync::atomic::Ordering::Relaxed);
        let next = self.log.position(covered);
        let since = *self.dedup_since.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let since = (since.ledger, since.entry);
        let stored = StoredDedup { next: (next.ledger, next.entry), since, last, is_off: false };
        Ok(Some((storage::key(&["dedup", &self.full_name]), Some(storage::value(&stored)?))))
    }

    /// Gives the change that stores the last sequence ids, none, as they are after a change to this policy; `None` if the
    /// policy neither ends nor begins deduplication. To be made durable before [`Topic::set_deduplication`].
    ///
    /// # Errors
    /// The snapshot cannot be encoded.
    pub fn dedup_transition(&self, policy: DeduplicationPolicy) -> Result<Option<storage::Change>, StorageError> {
        let stored = match (self.deduplication(), policy) {
            (DeduplicationPolicy::Off, DeduplicationPolicy::Off) => return Ok(None),
            (_, DeduplicationPolicy::Off) => StoredDedup::off(),
            (DeduplicationPolicy::Off, _) => StoredDedup::starting_at(self.log.position(self.log.end())),
            _ => return Ok(None),
        };
        Ok(Some((storage::key(&["dedup", &self.full_name]), Some(storage::value(&stored)?))))
    }

    /// Lets the next flush store the last sequence ids whatever has come since.
    pub fn forget_dedup_snapshot(&self) {
        self.dedup_stored.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
    }

    /// Makes a topic epoch durable.
    ///
    /// # Errors
    /// The metadata cannot be written, or the topic is being deleted.
    pub async fn store_epoch(&self, epoch: u64) -> Result<(), Refused> {
        let _picture = self.store.picture().await;
        self.refuse_deleted()?;
        Ok(self.store.put(storage::key(&["epoch", &self.full_name]), &epoch).await?)
    }

    /// Lets all rates follow; called once a second.
    pub fn sample(&self) {
        let now_ms = super::now_ms();
        self.published.sample(now_ms);
        self.producers().iter().for_each(|producer| producer.published.sample(now_ms));
        self.subscriptions().iter().for_each(|subscription| subscription.lock().dispatcher.sample(now_ms));
    }

    /// Tells whether nothing was ever published and no producer is connected.
    pub fn is_unused(&self) -> bool {
        self.lock().producers.count() == 0 && self.log.end() == self.log.first()
    }

    /// Tells whether a producer or a consumer is connected.
    pub fn is_in_use(&self) -> bool {
        self.lock().producers.count() > 0 || self.subscriptions().iter().any(|s| !s.lock().handles.is_empty())
    }

    /// Sends all clients away; they come back by themselves.
    pub fn unload(&self) {
        self.close_producers();
        for subscription in self.subscriptions() {
            self.close_consumers(&subscription);
        }
    }

    /// Tells whether the topic is being deleted, or was.
    pub fn is_deleted(&self) -> bool {
        self.lock().deleted
    }

    /// Sends all clients away for good.
    pub fn close_for_deletion(&self) {
        self.lock().deleted = true;
        self.unload();
        let subscriptions = std::mem::take(&mut self.lock().subscriptions);
        subscriptions.values().for_each(|subscription| subscription.close());
    }
}
