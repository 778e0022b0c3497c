//! Opening, creating and deleting topics, and the data directory itself.

use std::sync::{Arc, Mutex};

use bitacora_pulsar_wire::{EntryPeek, TopicName, proto::ServerError};

use super::{Catalog, Entry, NamespacePolicies, State, Tenant};
use crate::{
    config::BrokerConfig,
    error::BrokerError,
    storage::{self, DataDirectory, StorageError, TopicLog, key},
    topic::{DedupTable, DeduplicationPolicy, Loaded, Refused, StoredCursor, StoredDedup, Topic, now_ms},
};

impl Catalog {
    /// Opens the data directory; gives the catalog and the number of this start.
    ///
    /// # Errors
    /// The directory is locked, damaged or full.
    pub async fn open(config: &BrokerConfig) -> Result<(Self, u64), BrokerError> {
        let path = config.data_dir.clone();
        let opened = tokio::task::spawn_blocking(move || DataDirectory::open(&path)).await;
        let directory =
            opened.map_err(|e| BrokerError::Configuration(e.to_string()))?.map_err(|error| BrokerError::Storage {
                path: config.data_dir.clone(),
                reason: error.to_string(),
                source: Some(Box::new(error)),
            })?;
        let catalog = Self {
            config: config.clone(),
            store: Arc::clone(directory.store()),
            directory: Arc::new(directory),
            state: Mutex::new(State::default()),
            histories: Mutex::default(),
            creating: tokio::sync::Mutex::default(),
            partitioning: tokio::sync::Mutex::default(),
        };
        let instance = catalog.load().await.map_err(|e| catalog.storage_error(e))?;
        Ok((catalog, instance))
    }

    async fn load(&self) -> Result<u64, StorageError> {
        let instance_key = key(&["instance"]);
        let instance = self.store.get::<u64>(&instance_key)?.unwrap_or(0);
        self.store.put(instance_key, &(instance + 1)).await?;
        {
            let mut state = self.lock();
            state.tenants = self.store.list::<Tenant>(&["tenant"])?.into_iter().collect();
            state.namespaces = self.store.list::<NamespacePolicies>(&["namespace"])?.into_iter().collect();
            state.partitioned = self.store.list::<u32>(&["partitioned"])?.into_iter().collect();
            state.next_topic_id = self.store.get::<u64>(&key(&["next-topic"]))?.unwrap_or(0);
            for (name, (id, created_ms)) in self.store.list::<(u64, u64)>(&["topic"])? {
                state.topics.insert(name, Entry { id, created_ms, ..Entry::default() });
            }
        }
        for tenant in ["public", "pulsar"] {
            if !self.tenants().contains_key(tenant) {
                let new = Tenant { allowed_clusters: vec![self.config.cluster.clone()], ..Tenant::default() };
                self.put_tenant(tenant, new).await.map_err(|e| StorageError::Metadata(e.message))?;
            }
        }
        for namespace in ["public/default", "pulsar/system"] {
            if self.namespace(namespace).is_none() {
                let new = NamespacePolicies::default();
                self.put_namespace(namespace, new).await.map_err(|e| StorageError::Metadata(e.message))?;
            }
        }
        Ok(instance)
    }

    pub(super) async fn create_entry(&self, name: &TopicName) -> Result<Entry, Refused> {
        let _creating = self.creating.lock().await;
        let (full_name, created_ms) = (name.to_string(), now_ms());
        let id = {
            let mut state = self.lock();
            if let Some(entry) = state.topics.get(&full_name) {
                return Ok(entry.clone());
            }
            state.next_topic_id += 1;
            state.next_topic_id - 1
        };
        let (next, topic) = (storage::value(&(id + 1))?, storage::value(&(id, created_ms))?);
        let topic_key = key(&["topic", &full_name]);
        self.store.apply(vec![(key(&["next-topic"]), Some(next)), (topic_key, Some(topic))]).await?;
        let mut state = self.lock();
        let entry = state.topics.entry(full_name).or_insert_with(|| Entry { id, created_ms, ..Entry::default() });
        Ok(entry.clone())
    }

    pub(super) async fn open_topic(&self, name: &TopicName, entry: &Entry) -> Result<Arc<Topic>, Refused> {
        let full_name = name.to_string();
        let (directory, id) = (Arc::clone(&self.directory), entry.id);
        let opened = tokio::task::spawn_blocking(move || directory.open_log(id)).await;
        let log = opened.map_err(|e| Refused::new(ServerError::UnknownError, e.to_string()))?.map_err(|error| {
            tracing::error!(topic = full_name, %error, "cannot open the topic");
            Refused::from(error)
        })?;
        let dedup_key = key(&["dedup", &full_name]);
        let mut stored: StoredDedup = self.store.get(&dedup_key)?.unwrap_or_default();
        let deduplication = self.deduplication(&name.full_namespace());
        // The policy, or the broker's own setting, may have changed since: what was published before does not count then.
        let is_off = deduplication == DeduplicationPolicy::Off;
        if stored.is_off != is_off {
            stored = if is_off { StoredDedup::off() } else { StoredDedup::starting_at(log.position(log.end())) };
            self.store.put(dedup_key, &stored).await?;
        }
        let forgettable = match deduplication {
            DeduplicationPolicy::All => None,
            _ => Some(self.config.cluster.as_str()),
        };
        let dedup = recover_dedup(&log, &stored, forgettable).await?;
        let topic = Topic::new(
            name.clone(),
            Loaded {
                log,
                store: Arc::clone(&self.store),
                dedup,
                topic_epoch: self.store.get::<u64>(&key(&["epoch", &full_name]))?,
                deduplication,
                limits: self.config.unacked,
                created_ms: entry.created_ms,
            },
        );
        for (subscription, cursor) in self.store.list::<StoredCursor>(&["cursor", &full_name])? {
            topic.restore_subscription(&subscription, &cursor);
        }
        Ok(topic)
    }

    /// Deletes a topic with everything that belongs to it. Clients are sent away.
    ///
    /// # Errors
    /// It does not exist, or files or metadata cannot be deleted.
    pub async fn delete_topic(&self, name: &TopicName) -> Result<(), Refused> {
        let full_name = name.to_string();
        let topic = self.topic(name, super::Missing::Refuse).await?;
        let _creating = self.creating.lock().await;
        // Until its keys and the topic itself are gone nobody may write a cursor of it, which would come back with the
        // next topic of the name.
        let picture = self.store.picture().await;
        let is_known = self.lock().topics.get(&full_name).and_then(|entry| entry.open.get().cloned());
        if is_known.is_none_or(|known| !Arc::ptr_eq(&known, &topic)) {
            return Err(Refused::new(ServerError::TopicNotFound, format!("topic {full_name} does not exist")));
        }
        let mut changes: Vec<_> = ["topic", "epoch", "dedup"].map(|kind| (key(&[kind, &full_name]), None)).into();
        for (subscription, _) in self.store.list::<serde_json::Value>(&["cursor", &full_name])? {
            changes.push((key(&["cursor", &full_name, &subscription]), None));
        }
        // A deletion that cannot be stored leaves the topic as it was.
        self.store.apply(changes).await?;
        topic.close_for_deletion();
        let Some(entry) = self.lock().topics.remove(&full_name) else {
            return Err(Refused::new(ServerError::TopicNotFound, format!("topic {full_name} does not exist")));
        };
        drop(picture);
        topic.delete_log();
        let directory = Arc::clone(&self.directory);
        let deleted = tokio::task::spawn_blocking(move || directory.delete_log(entry.id)).await;
        Ok(deleted.map_err(|e| Refused::new(ServerError::UnknownError, e.to_string()))??)
    }
}

/// Rebuilds the table of last sequence ids: the snapshot, then every entry that it does not cover. Names that a broker of
/// the `forgettable` cluster generated are left out, so that they do not push out those that applications chose.
async fn recover_dedup(
    log: &TopicLog,
    stored: &StoredDedup,
    forgettable: Option<&str>,
) -> Result<DedupTable, StorageError> {
    let mut table = DedupTable::default();
    if stored.is_off {
        return Ok(table);
    }
    for (producer, last) in &stored.last {
        table.recovered(producer, *last);
    }
    let (mut next, end) = (log.offset_at_or_after(stored.covered()), log.end());
    while next < end {
        let entries = log.read(next, end, 1 << 20).await?;
        let Some((last, _)) = entries.last() else { break };
        next = last + 1;
        for (_, entry) in &entries {
            let Ok(peek) = EntryPeek::parse(entry) else { continue };
            let is_early_chunk = matches!((peek.chunk_id, peek.num_chunks_from_msg), (Some(i), Some(n)) if i + 1 < n);
            let is_forgettable = forgettable.is_some_and(|cluster| is_generated(cluster, peek.producer_name));
            if !is_early_chunk && !is_forgettable {
                table.recovered(peek.producer_name, peek.last_sequence_id().cast_signed());
            }
        }
    }
    Ok(table)
}

/// Tells whether a producer name has the form `cluster-number-number` of the names that the broker gives.
fn is_generated(cluster: &str, name: &str) -> bool {
    let numbers =
        name.strip_prefix(cluster).and_then(|rest| rest.strip_prefix('-')).and_then(|rest| rest.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    numbers.is_some_and(|(instance, count)| is_number(instance) && is_number(count))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_told_from_chosen_ones() {
        let generated = |name| is_generated("standalone", name);
        assert!(generated("standalone-0-12"));
        for chosen in ["standalone", "standalone-1", "standalone-1-", "standalone-1-x", "other-1-2", "engine"] {
            assert!(!generated(chosen), "{chosen}");
        }
    }
}
