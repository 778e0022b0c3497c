//! Starts a topic from its stored state.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, atomic::AtomicU64},
};

use bitacora_pulsar_wire::TopicName;

use super::{
    dedup::{DedupTable, DeduplicationPolicy},
    handle::Counter,
    producers::Producers,
    state::{State, Topic},
};
use crate::{
    storage::{Position, Store, TopicLog},
    subscription::Limits,
};

/// The stored state with which a topic starts.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its log.
    pub log: TopicLog,
    /// The broker's metadata.
    pub store: Arc<Store>,
    /// The last sequence ids by producer name.
    pub dedup: DedupTable,
    /// The first position whose entries are deduplicated.
    pub dedup_since: Position,
    /// How many entries were found missing at the end of the log, now and before.
    pub lost_entries: u64,
    /// Stored topic epoch.
    pub topic_epoch: Option<u64>,
    /// Which producers' messages are deduplicated.
    pub deduplication: DeduplicationPolicy,
    /// Limits on unacknowledged messages.
    pub limits: Limits,
    /// When it was created (ms since the epoch).
    pub created_ms: u64,
}

impl Topic {
    /// Creates a topic from its stored state and connects it with its log's commit thread.
    pub(crate) fn new(name: TopicName, loaded: Loaded) -> Arc<Self> {
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
}
