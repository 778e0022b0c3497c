//! What exists: tenants, namespaces with their policies, partitioned topics, topics.
//!
//! Everything here is durable before a request that created it is answered. Topics are opened on first use and stay
//! open. Unlike in a Pulsar cluster, an idle topic is never deleted and entries are kept without a subscription: an
//! outbox's destination must not vanish because nobody listens yet.

mod namespace;
mod open;
mod repair;
mod schemas;
mod stored_topic;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bitacora_pulsar_wire::{Domain, TopicName, proto::ServerError};
use tokio::sync::OnceCell;

pub use namespace::{NamespacePolicies, Tenant};
pub use repair::repair;

use crate::{
    config::BrokerConfig,
    error::BrokerError,
    schema::Strategy,
    storage::{DataDirectory, StorageError, Store, key},
    topic::{DeduplicationPolicy, Refused, StartAt, Topic},
};

/// Most partitions of one topic.
pub const MAX_PARTITIONS: u32 = 4_096;

/// Tenants, namespaces and topics.
#[derive(Debug)]
pub struct Catalog {
    config: BrokerConfig,
    directory: Arc<DataDirectory>,
    store: Arc<Store>,
    state: Mutex<State>,
    histories: schemas::Histories,
    /// Held while a topic is created or deleted, so that one name never gets two numbers.
    creating: tokio::sync::Mutex<()>,
    /// Held while a topic gets its partitions, so that a count is never lowered.
    partitioning: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    tenants: BTreeMap<String, Tenant>,
    namespaces: BTreeMap<String, NamespacePolicies>,
    partitioned: BTreeMap<String, u32>,
    topics: BTreeMap<String, Entry>,
    next_topic_id: u64,
}

impl State {
    fn deduplication(&self, namespace: &str, config: &BrokerConfig) -> DeduplicationPolicy {
        let policy = self.namespaces.get(namespace).and_then(|policies| policies.deduplication_enabled);
        DeduplicationPolicy::resolve(policy, config.deduplication)
    }
}

/// A topic that exists, open or not.
#[derive(Debug, Clone, Default)]
struct Entry {
    id: u64,
    created_ms: u64,
    /// Made at random when it was created; see [`crate::storage::TopicIdentity`].
    incarnation: u128,
    /// See [`crate::storage::KnownLog::adopted_below`].
    adopted_below: u64,
    open: Arc<OnceCell<Arc<Topic>>>,
}

/// Whether a missing topic may be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Create it.
    Create,
    /// Refuse with TopicNotFound.
    Refuse,
}

impl Catalog {
    /// Gives the metadata store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Checks that a topic's namespace exists and gives the topic's parsed name.
    ///
    /// # Errors
    /// The name is malformed or the namespace unknown.
    pub fn parse(&self, name: &str) -> Result<TopicName, Refused> {
        let name = TopicName::parse(name).map_err(|e| Refused::new(ServerError::InvalidTopicName, e.to_string()))?;
        self.require_namespace(&name.full_namespace())?;
        Ok(name)
    }

    /// Gives the partitions of a topic; 0 for a plain one.
    pub fn partitions(&self, name: &TopicName) -> u32 {
        self.lock().partitioned.get(&name.to_string()).copied().unwrap_or(0)
    }

    /// Tells whether a plain topic, a partition or a partitioned topic of this name exists.
    pub fn exists(&self, name: &TopicName) -> bool {
        let (state, name) = (self.lock(), name.to_string());
        state.topics.contains_key(&name) || state.partitioned.contains_key(&name)
    }

    /// Gives an open topic, opening or creating it if need be.
    ///
    /// # Errors
    /// It does not exist and may not be created, is partitioned, or cannot be read.
    pub async fn topic(&self, name: &TopicName, missing: Missing) -> Result<Arc<Topic>, Refused> {
        if name.domain() == Domain::NonPersistent {
            let message = "non-persistent topics are not supported; use a persistent one";
            return Err(Refused::new(ServerError::NotAllowedError, message));
        }
        let full_name = name.to_string();
        {
            let state = self.lock();
            if state.partitioned.contains_key(&full_name) {
                let message = format!("{full_name} is partitioned; use its partitions");
                return Err(Refused::new(ServerError::NotAllowedError, message));
            }
            if let Some(index) = name.partition()
                && let Some(count) = state.partitioned.get(&name.without_partition().to_string())
                && index >= *count
            {
                let message = format!("{full_name} does not exist, the topic has {count} partitions");
                return Err(Refused::new(ServerError::TopicNotFound, message));
            }
        }
        self.stored_topic(name, missing).await
    }

    /// Gives an open topic whatever the count of partitions says.
    async fn stored_topic(&self, name: &TopicName, missing: Missing) -> Result<Arc<Topic>, Refused> {
        let full_name = name.to_string();
        let entry = self.lock().topics.get(&full_name).cloned();
        let entry = match (entry, missing) {
            (Some(entry), _) => entry,
            (None, Missing::Create) => self.create_entry(name).await?,
            (None, Missing::Refuse) => {
                return Err(Refused::new(ServerError::TopicNotFound, format!("topic {full_name} does not exist")));
            }
        };
        let topic = entry.open.get_or_try_init(|| self.open_topic(name, &entry)).await?;
        // The policy may have changed while the topic was being opened.
        let state = self.lock();
        topic.set_deduplication(state.deduplication(&name.full_namespace(), &self.config));
        drop(state);
        Ok(Arc::clone(topic))
    }

    /// Gives the open topics.
    pub fn open_topics(&self) -> Vec<Arc<Topic>> {
        self.lock().topics.values().filter_map(|entry| entry.open.get().cloned()).collect()
    }

    /// Lists the topics of a namespace, partitions one by one.
    pub fn topics_of(&self, namespace: &str) -> Vec<String> {
        let prefix = format!("persistent://{namespace}/");
        let state = self.lock();
        let plain = state.topics.keys().filter(|name| name.starts_with(&prefix)).cloned();
        let partitioned = state.partitioned.iter().filter(|(name, _)| name.starts_with(&prefix));
        let partitions =
            partitioned.flat_map(|(name, count)| (0..*count).map(move |i| format!("{name}-partition-{i}")));
        plain.chain(partitions).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Lists the partitioned topics of a namespace.
    pub fn partitioned_of(&self, namespace: &str) -> Vec<String> {
        let prefix = format!("persistent://{namespace}/");
        self.lock().partitioned.keys().filter(|name| name.starts_with(&prefix)).cloned().collect()
    }

    /// Creates a partitioned topic, or raises the count of one; a count that it has already changes nothing.
    ///
    /// Clients hear of further partitions when each has the durable subscriptions of the others, at its first entry, as
    /// in Pulsar: what is published there before their consumers have come would not reach them otherwise.
    ///
    /// # Errors
    /// There would be too many, or the metadata cannot be written.
    pub async fn set_partitions(&self, name: &TopicName, count: u32) -> Result<(), Refused> {
        if count == 0 || count > MAX_PARTITIONS {
            let message = format!("a topic may have 1 to {MAX_PARTITIONS} partitions");
            return Err(Refused::new(ServerError::NotAllowedError, message));
        }
        let _partitioning = self.partitioning.lock().await;
        let before = self.partitions(name);
        if count <= before {
            return Ok(());
        }
        let full_name = name.to_string();
        if before == 0 {
            // At once, so that nobody takes the name for a plain topic while its partitions are made.
            self.store.put(key(&["partitioned", &full_name]), &count).await?;
            self.lock().partitioned.insert(full_name.clone(), count);
        }
        for index in before..count {
            self.stored_topic(&name.with_partition(index), Missing::Create).await?;
        }
        if before == 0 {
            return Ok(());
        }
        self.extend_subscriptions(name, before, count).await?;
        self.store.put(key(&["partitioned", &full_name]), &count).await?;
        self.lock().partitioned.insert(full_name, count);
        // Again, for those that were created meanwhile by clients that knew of the old partitions only.
        self.extend_subscriptions(name, before, count).await
    }

    /// Creates the durable subscriptions of the partitions before `before` on those from there to `count`.
    async fn extend_subscriptions(&self, name: &TopicName, before: u32, count: u32) -> Result<(), Refused> {
        let mut durable = BTreeMap::new();
        for index in 0..before {
            let partition = self.stored_topic(&name.with_partition(index), Missing::Create).await?;
            let subscriptions = partition.subscriptions().into_iter().filter(|subscription| subscription.is_durable());
            durable.extend(subscriptions.map(|s| (s.name().to_owned(), s.properties().clone())));
        }
        if durable.is_empty() {
            return Ok(());
        }
        for index in before..count {
            let partition = self.stored_topic(&name.with_partition(index), Missing::Create).await?;
            for (subscription, properties) in &durable {
                partition.create_subscription(subscription, StartAt::Earliest, properties.clone()).await?;
            }
        }
        Ok(())
    }

    /// Deletes the record that a topic is partitioned; its partitions are deleted one by one before.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub async fn forget_partitions(&self, name: &TopicName) -> Result<(), Refused> {
        let full_name = name.to_string();
        self.store.apply(vec![(key(&["partitioned", &full_name]), None)]).await?;
        self.lock().partitioned.remove(&full_name);
        Ok(())
    }

    /// Gives the strategy by which a namespace's schemas may change.
    pub fn schema_strategy(&self, namespace: &str) -> Strategy {
        let state = self.lock();
        let policy = state.namespaces.get(namespace).and_then(|p| p.schema_compatibility_strategy.as_deref());
        policy.and_then(Strategy::parse).unwrap_or(self.config.schema_compatibility)
    }

    /// Gives whose messages the topics of a namespace deduplicate.
    pub fn deduplication(&self, namespace: &str) -> DeduplicationPolicy {
        self.lock().deduplication(namespace, &self.config)
    }

    /// Writes every cursor that moved, and how far the logs are durable.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let _picture = self.store.picture().await;
        let mut changes = Vec::new();
        for topic in self.open_topics().into_iter().filter(|topic| !topic.is_deleted()) {
            topic.drop_abandoned(60_000);
            topic.log().drop_idle_tail();
            topic.sample();
            changes.extend(topic.dirty_cursors()?);
            changes.extend(topic.dedup_change()?);
            changes.extend(topic.end_change()?);
        }
        if changes.is_empty() {
            return Ok(());
        }
        let written = self.store.apply(changes).await;
        if written.is_err() {
            for topic in self.open_topics() {
                topic.forget_stored_end();
                topic.subscriptions().iter().for_each(|subscription| subscription.mark_dirty());
            }
        }
        written
    }

    /// Writes everything and closes the logs.
    ///
    /// # Errors
    /// Something cannot be written.
    pub async fn close(&self) -> Result<(), BrokerError> {
        let directory = Arc::clone(&self.directory);
        // Everything appended is durable after this, so that the snapshots below are complete.
        let _ = tokio::task::spawn_blocking(move || directory.stop_logs()).await;
        for topic in self.open_topics() {
            topic.forget_dedup_snapshot();
        }
        let flushed = self.flush().await.map_err(|e| self.storage_error(e));
        let directory = Arc::clone(&self.directory);
        let _ = tokio::task::spawn_blocking(move || directory.close()).await;
        flushed
    }

    fn storage_error(&self, error: StorageError) -> BrokerError {
        BrokerError::Storage {
            path: self.config.data_dir.clone(),
            reason: error.to_string(),
            source: Some(Box::new(error)),
        }
    }

    fn require_namespace(&self, namespace: &str) -> Result<(), Refused> {
        if self.lock().namespaces.contains_key(namespace) {
            return Ok(());
        }
        Err(Refused::new(ServerError::TopicNotFound, format!("namespace {namespace} does not exist")))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests;
