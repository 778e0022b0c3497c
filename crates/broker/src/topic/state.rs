//! One topic: its log, its producers and its subscriptions.
//!
//! There are two kinds of locks: that of the topic ([`State`]: producers, deduplication, receipts) and one in each
//! subscription (cursor, consumers). Both are held for microseconds and never across an await. Code that needs both
//! takes the topic's first. Code that has either of them may lock a peer's queue and notes; the reverse order is not
//! allowed.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bitacora_pulsar_wire::{EntryPeek, TopicName, proto::MessageIdData};

use super::{
    dedup::{DedupTable, DeduplicationPolicy},
    handle::{Counter, ProducerHandle},
    producers::{ProducerKey, Producers},
    receipt::PendingReceipt,
    subscription::Subscription,
};
use crate::{
    refused::Refused,
    storage::{Position, Store, TopicLog},
    subscription::Limits,
};

/// One topic, or one partition of a partitioned topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(super) name: TopicName,
    pub(super) full_name: String,
    pub(super) log: TopicLog,
    pub(super) store: Arc<Store>,
    pub(super) limits: Limits,
    pub(super) state: Mutex<State>,
    /// Locked while a subscription is created or deleted, so that two clients do not create the same one.
    pub(super) creating: tokio::sync::Mutex<()>,
    pub(super) next_key: AtomicU64,
    pub(super) created_ms: u64,
    /// Offset up to which the last sequence ids were stored.
    pub(super) dedup_stored: AtomicU64,
    /// The first position whose entries are deduplicated.
    pub(super) dedup_since: Mutex<Position>,
    /// Offset that was stored as the durable end.
    pub(super) end_stored: AtomicU64,
    pub(super) lost_entries: u64,
    /// Messages that were stored.
    pub published: Counter,
    /// Messages that were recognised as duplicates.
    pub duplicates: Counter,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) producers: Producers,
    pub(super) handles: HashMap<ProducerKey, Arc<ProducerHandle>>,
    pub(super) dedup: DedupTable,
    pub(super) deduplication: DeduplicationPolicy,
    /// Entries before this offset are never in the table: they were published while nothing was deduplicated.
    pub(super) dedup_from: u64,
    pub(super) pending: VecDeque<PendingReceipt>,
    pub(super) subscriptions: BTreeMap<String, Arc<Subscription>>,
    pub(super) poisoned: Option<String>,
    pub(super) has_chunks: bool,
    pub(super) last_publish_ms: u64,
    pub(super) deleted: bool,
}

impl Topic {
    /// Returns the parsed name.
    pub(crate) fn name(&self) -> &TopicName {
        &self.name
    }

    /// Returns the canonical name.
    pub(crate) fn full_name(&self) -> &str {
        &self.full_name
    }

    /// Returns the log.
    pub(crate) fn log(&self) -> &TopicLog {
        &self.log
    }

    /// Returns the time of creation (ms since the epoch).
    pub(crate) fn created_ms(&self) -> u64 {
        self.created_ms
    }

    /// Returns the producers.
    pub(crate) fn producers(&self) -> Vec<Arc<ProducerHandle>> {
        let state = self.lock();
        state.producers.connected().filter_map(|(key, _)| state.handles.get(&key).cloned()).collect()
    }

    /// Returns key and id of the producers of a connection, also of waiting ones.
    pub(crate) fn producers_of(&self, connection: u64) -> Vec<(ProducerKey, u64)> {
        self.lock().producers.of_connection(connection)
    }

    /// Returns the subscriptions, sorted by name.
    pub(crate) fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.lock().subscriptions.values().cloned().collect()
    }

    /// Returns one subscription.
    pub(crate) fn subscription(&self, name: &str) -> Option<Arc<Subscription>> {
        self.lock().subscriptions.get(name).cloned()
    }

    /// Returns whether chunked messages were published since the broker's start.
    pub(crate) fn has_chunks(&self) -> bool {
        self.lock().has_chunks
    }

    /// Returns the publish time of the last message since the broker's start; 0 if there was none.
    pub(crate) fn last_publish_ms(&self) -> u64 {
        self.lock().last_publish_ms
    }

    /// Returns the message id of an entry, without batch index.
    pub(crate) fn message_id(&self, offset: u64) -> MessageIdData {
        let position = self.log.position(offset);
        self.wire_id(position.ledger, position.entry)
    }

    /// Returns the id of the last durable entry with the index of its last message; (−1, −1) on an empty topic.
    ///
    /// # Errors
    /// The entry cannot be read.
    pub(crate) async fn last_message_id(&self) -> Result<MessageIdData, Refused> {
        let end = self.log.durable_end();
        let Some(last) = end.checked_sub(1).filter(|last| *last >= self.log.first()) else {
            return Ok(self.wire_id(u64::MAX, u64::MAX));
        };
        let entries = self.log.read(last, end, 1).await?;
        let mut id = self.message_id(last);
        if let Some((_, entry)) = entries.first()
            && let Ok(peek) = EntryPeek::parse(entry)
            && peek.is_batch()
        {
            id.batch_index = i32::try_from(peek.message_count()).ok().map(|count| count - 1);
        }
        Ok(id)
    }

    /// Returns the id of the entry before an offset. Pulsar gives mark-delete positions this way.
    pub(crate) fn position_before(&self, offset: u64) -> MessageIdData {
        match offset.checked_sub(1).filter(|previous| *previous >= self.log.first()) {
            Some(previous) => self.message_id(previous),
            None => {
                let next = self.log.position(offset);
                self.wire_id(next.ledger, next.entry.wrapping_sub(1))
            }
        }
    }

    fn wire_id(&self, ledger_id: u64, entry_id: u64) -> MessageIdData {
        MessageIdData {
            ledger_id,
            entry_id,
            partition: self.name.partition().and_then(|p| i32::try_from(p).ok()),
            ..MessageIdData::default()
        }
    }

    pub(super) fn wake_subscriptions(&self) {
        let state = self.lock();
        state.subscriptions.values().for_each(|subscription| subscription.wake());
    }

    pub(super) fn new_key(&self) -> u64 {
        // Relaxed: only the number itself must be unique.
        self.next_key.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
