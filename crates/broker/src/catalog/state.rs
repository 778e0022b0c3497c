//! The catalog's state and its locks.
//!
//! A change is made durable first and enters [`State`] then, so that nobody uses what a crash would undo.
//!
//! Order of locks: `partitioning`, `creating`, the store's write order, [`State`], a topic's own. [`State`] is never
//! held across an await.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

use super::policies::{NamespacePolicies, Tenant};
use crate::{
    config::BrokerConfig,
    error::BrokerError,
    schema::SchemaHistory,
    storage::{DataDirectory, StorageError, Store},
    topic::{DeduplicationPolicy, Topic},
};

/// The schema histories that were read, by the topic's name without partition. The lock of a history is held from its
/// read to its write, so that two clients cannot both add the next version.
pub(super) type Histories = Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<SchemaHistory>>>>>;

/// Tenants, namespaces and topics.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(super) config: BrokerConfig,
    pub(super) directory: Arc<DataDirectory>,
    pub(super) store: Arc<Store>,
    pub(super) state: Mutex<State>,
    pub(super) histories: Histories,
    /// Held while a topic is created or deleted, so that one name never gets two numbers.
    pub(super) creating: tokio::sync::Mutex<()>,
    /// Held while a topic gets its partitions, so that their number never falls.
    pub(super) partitioning: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tenants: BTreeMap<String, Tenant>,
    pub(super) namespaces: BTreeMap<String, NamespacePolicies>,
    pub(super) partitioned: BTreeMap<String, u32>,
    pub(super) topics: BTreeMap<String, Entry>,
    pub(super) next_topic_id: u64,
}

impl State {
    pub(super) fn deduplication(&self, namespace: &str, config: &BrokerConfig) -> DeduplicationPolicy {
        let policy = self.namespaces.get(namespace).and_then(|policies| policies.deduplication_enabled);
        DeduplicationPolicy::resolve(policy, config.deduplication)
    }
}

/// A topic that exists, open or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) created_ms: u64,
    /// Random number from the topic's creation; see [`crate::storage::TopicIdentity`].
    pub(super) incarnation: u128,
    /// See [`crate::storage::KnownLog::adopted_below`].
    pub(super) adopted_below: u64,
    pub(super) open: Arc<OnceCell<Arc<Topic>>>,
}

impl Catalog {
    pub(super) fn storage_error(&self, error: StorageError) -> BrokerError {
        BrokerError::Storage { path: self.config.data_dir.clone(), reason: error.to_string() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
