//! Topics: producers, deduplication, the way of a message into the log and out to subscriptions.
//!
//! A [`Topic`] joins the pure cores with its log. Two kinds of locks, both held for microseconds and never across an
//! await: the topic's own (producers, deduplication, receipts) and one in each subscription (cursor, consumers). Whoever
//! needs both takes the topic's first.

mod admin;
mod dedup;
mod dispatch;
mod durable_end;
mod handle;
mod membership;
mod producers;
mod publish;
mod reply;
mod subscribe;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bitacora_pulsar_wire::{EntryPeek, TopicName, proto::MessageIdData};

pub use admin::StoredDedup;
pub use dedup::{DedupTable, Verdict};
pub use dispatch::Subscription;
pub use durable_end::StoredEnd;
pub use handle::{ConsumerHandle, Counter, ProducerHandle};
pub use membership::{Attached, Promoted};
pub use producers::{AccessMode, Admission, ProducerKey, ProducerSpec, Producers, Promotion, Refusal};
pub use publish::Publish;
pub use reply::Refused;
pub use subscribe::{Durability, StartAt, StoredCursor, SubscribeError, SubscribeRequest};

use crate::config::Deduplication as DeduplicationPolicyDefault;
use crate::storage::{Position, Store, TopicLog};

/// Whose messages a topic deduplicates, policy and default taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeduplicationPolicy {
    /// Every producer's (policy `true`).
    All,
    /// Those of producers that gave their own name (no policy, broker default).
    NamedProducers,
    /// Nobody's.
    Off,
}

impl DeduplicationPolicy {
    /// Joins a namespace's policy with the broker's default.
    pub fn resolve(policy: Option<bool>, default: DeduplicationPolicyDefault) -> Self {
        match (policy, default) {
            (Some(true), _) => Self::All,
            (Some(false), _) | (None, DeduplicationPolicyDefault::Off) => Self::Off,
            (None, DeduplicationPolicyDefault::NamedProducers) => Self::NamedProducers,
        }
    }
}

/// One topic, or one partition of a partitioned topic.
#[derive(Debug)]
pub struct Topic {
    name: TopicName,
    full_name: String,
    log: TopicLog,
    store: Arc<Store>,
    limits: crate::subscription::Limits,
    state: Mutex<State>,
    /// Held while a subscription is created or deleted, so that two clients do not create the same one.
    creating: tokio::sync::Mutex<()>,
    next_key: AtomicU64,
    created_ms: u64,
    /// Offset up to which the last sequence ids were stored.
    dedup_stored: AtomicU64,
    /// Where the stored sequence ids begin to count.
    dedup_since: Mutex<Position>,
    /// Offset that was stored as the durable end.
    end_stored: AtomicU64,
    lost_entries: u64,
    /// What was stored.
    pub published: Counter,
    /// What was recognised as sent before.
    pub duplicates: Counter,
}

#[derive(Debug)]
struct State {
    producers: Producers,
    handles: HashMap<ProducerKey, Arc<ProducerHandle>>,
    dedup: DedupTable,
    deduplication: DeduplicationPolicy,
    /// Entries before this offset are never in the table: they came while nobody's messages were deduplicated.
    dedup_from: u64,
    pending: VecDeque<publish::PendingReceipt>,
    subscriptions: BTreeMap<String, Arc<Subscription>>,
    poisoned: Option<String>,
    has_chunks: bool,
    last_publish_ms: u64,
    deleted: bool,
}

/// What a topic starts with, read from the disk.
#[derive(Debug)]
pub struct Loaded {
    /// Its log.
    pub log: TopicLog,
    /// The broker's metadata.
    pub store: Arc<Store>,
    /// Last sequence ids.
    pub dedup: DedupTable,
    /// Where they begin to count.
    pub dedup_since: Position,
    /// Entries found missing at the end of the log, now and before.
    pub lost_entries: u64,
    /// Stored topic epoch.
    pub topic_epoch: Option<u64>,
    /// Whose messages are deduplicated.
    pub deduplication: DeduplicationPolicy,
    /// Caps on unacknowledged messages.
    pub limits: crate::subscription::Limits,
    /// When it was created (ms since the epoch).
    pub created_ms: u64,
}

impl Topic {
    /// Brings a topic up and connects it with its log's commit thread.
    pub fn new(name: TopicName, loaded: Loaded) -> Arc<Self> {
        let topic = Arc::new(Self {
            full_name: name.to_string(),
            name,
            log: loaded.log,
            store: loaded.store,
            limits: loaded.limits,
            state: Mutex::new(State {
                producers: Producers::new(loaded.topic_epoch),
                handles: HashMap::new(),
                dedup: loaded.dedup,
                deduplication: loaded.deduplication,
                dedup_from: 0,
                pending: VecDeque::new(),
                subscriptions: BTreeMap::new(),
                poisoned: None,
                has_chunks: false,
                last_publish_ms: 0,
                deleted: false,
            }),
            creating: tokio::sync::Mutex::new(()),
            next_key: AtomicU64::new(1),
            created_ms: loaded.created_ms,
            dedup_stored: AtomicU64::new(0),
            dedup_since: Mutex::new(loaded.dedup_since),
            end_stored: AtomicU64::new(u64::MAX),
            lost_entries: loaded.lost_entries,
            published: Counter::default(),
            duplicates: Counter::default(),
        });
        let weak = Arc::downgrade(&topic);
        topic.log.on_durable(Box::new(move |outcome| {
            if let Some(topic) = weak.upgrade() {
                topic.on_durable(outcome);
            }
        }));
        topic
    }

    /// Gives the parsed name.
    pub fn name(&self) -> &TopicName {
        &self.name
    }

    /// Gives the canonical name.
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// Gives the log.
    pub fn log(&self) -> &TopicLog {
        &self.log
    }

    /// Gives the time of creation (ms since the epoch).
    pub fn created_ms(&self) -> u64 {
        self.created_ms
    }

    /// Sets whose messages are deduplicated from now on. Last sequence ids do not outlive a time without deduplication:
    /// producers that begin anew in it would have their next messages taken for repeats.
    pub fn set_deduplication(&self, policy: DeduplicationPolicy) {
        let mut state = self.lock();
        if (state.deduplication == DeduplicationPolicy::Off) != (policy == DeduplicationPolicy::Off) {
            state.dedup = DedupTable::default();
            state.pending.iter_mut().for_each(publish::PendingReceipt::forget_sequence_id);
            state.dedup_from = self.log.end();
            *self.dedup_since.lock().unwrap_or_else(PoisonError::into_inner) = self.log.position(state.dedup_from);
            self.forget_dedup_snapshot();
        }
        state.deduplication = policy;
    }

    /// Gives whose messages are deduplicated.
    pub fn deduplication(&self) -> DeduplicationPolicy {
        self.lock().deduplication
    }

    /// Gives the producers.
    pub fn producers(&self) -> Vec<Arc<ProducerHandle>> {
        let state = self.lock();
        state.producers.connected().filter_map(|(key, _)| state.handles.get(&key).cloned()).collect()
    }

    /// Gives the producers of a connection, waiting ones too, by key and id.
    pub fn producers_of(&self, connection: u64) -> Vec<(ProducerKey, u64)> {
        self.lock().producers.of_connection(connection)
    }

    /// Gives the subscriptions by name.
    pub fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.lock().subscriptions.values().cloned().collect()
    }

    /// Gives one subscription.
    pub fn subscription(&self, name: &str) -> Option<Arc<Subscription>> {
        self.lock().subscriptions.get(name).cloned()
    }

    /// Tells whether chunked messages were published since the start.
    pub fn has_chunks(&self) -> bool {
        self.lock().has_chunks
    }

    /// Gives the publish time of the last message since the start; 0 if there was none.
    pub fn last_publish_ms(&self) -> u64 {
        self.lock().last_publish_ms
    }

    /// Gives the highest durable sequence ids by producer name, and the offset up to which they are complete.
    pub fn dedup_snapshot(&self) -> (u64, Vec<(String, i64)>) {
        let state = self.lock();
        let complete = state.pending.iter().find_map(|r| r.first_offset()).unwrap_or_else(|| self.log.durable_end());
        (complete.max(state.dedup_from), state.dedup.snapshot())
    }

    /// Gives the message id of an entry, without batch index.
    pub fn message_id(&self, offset: u64) -> MessageIdData {
        let position = self.log.position(offset);
        self.wire_id(position.ledger, position.entry)
    }

    /// Gives the id of the last durable entry with the index of its last message; (−1, −1) on an empty topic.
    ///
    /// # Errors
    /// The entry cannot be read.
    pub async fn last_message_id(&self) -> Result<MessageIdData, Refused> {
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

    /// Gives the id before an offset, as mark-delete positions are told.
    pub fn position_before(&self, offset: u64) -> MessageIdData {
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

    fn wake_subscriptions(&self) {
        let state = self.lock();
        state.subscriptions.values().for_each(|subscription| subscription.wake());
    }

    fn new_key(&self) -> u64 {
        self.next_key.fetch_add(1, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the time in ms since the epoch.
pub(crate) fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
