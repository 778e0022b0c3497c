//! Opening, creating and deleting topics, and the data directory itself.

use std::sync::{Arc, Mutex};

use bitacora_pulsar_wire::{EntryPeek, TopicName, proto::ServerError};

use super::{Catalog, Entry, NamespacePolicies, State, Tenant};
use crate::{
    config::BrokerConfig,
    error::BrokerError,
    topic::{
        DedupTable, Loaded, Refused, StorageError, Store, StoredCursor, StoredDedup, Topic, TopicLog, now_ms,
        store::key,
    },
};

impl Catalog {
    /// Opens the data directory; gives the catalog and the number of this start.
    ///
    /// # Errors
    /// The directory is locked, damaged or full.
    pub async fn open(config: &BrokerConfig) -> Result<(Self, u64), BrokerError> {
        let store = Arc::new(Store::default());
        let catalog =
            Self { config: config.clone(), store, state: Mutex::new(State::default()), histories: Mutex::default() };
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
            for (name, created_ms) in self.store.list::<u64>(&["topic"])? {
                state.topics.insert(name, Entry { created_ms, ..Entry::default() });
            }
        }
        for tenant in ["public", "pulsar"] {
            if !self.tenants().contains_key(tenant) {
                let new = Tenant { allowed_clusters: vec![self.config.cluster.clone()], ..Tenant::default() };
                self.put_tenant(tenant, new).await.map_err(|e| StorageError(e.message))?;
            }
        }
        for namespace in ["public/default", "pulsar/system"] {
            if self.namespace(namespace).is_none() {
                let new = NamespacePolicies::default();
                self.put_namespace(namespace, new).await.map_err(|e| StorageError(e.message))?;
            }
        }
        Ok(instance)
    }

    pub(super) async fn create_entry(&self, name: &TopicName) -> Result<Entry, Refused> {
        let (full_name, created_ms) = (name.to_string(), now_ms());
        self.store.put(key(&["topic", &full_name]), &created_ms).await?;
        let mut state = self.lock();
        let entry = state.topics.entry(full_name).or_insert_with(|| Entry { created_ms, ..Entry::default() });
        Ok(entry.clone())
    }

    pub(super) async fn open_topic(&self, name: &TopicName, created_ms: u64) -> Result<Arc<Topic>, Refused> {
        let full_name = name.to_string();
        let log = TopicLog::default();
        let stored: StoredDedup = self.store.get(&key(&["dedup", &full_name]))?.unwrap_or_default();
        let dedup = recover_dedup(&log, &stored).await?;
        let topic = Topic::new(
            name.clone(),
            Loaded {
                log,
                store: Arc::clone(&self.store),
                dedup,
                topic_epoch: self.store.get::<u64>(&key(&["epoch", &full_name]))?,
                deduplication: self.deduplication(&name.full_namespace()),
                limits: self.config.unacked,
                created_ms,
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
        topic.close_for_deletion();
        let mut changes: Vec<_> = ["topic", "epoch", "dedup"].map(|kind| (key(&[kind, &full_name]), None)).into();
        for (subscription, _) in self.store.list::<serde_json::Value>(&["cursor", &full_name])? {
            changes.push((key(&["cursor", &full_name, &subscription]), None));
        }
        self.store.apply(changes).await?;
        if self.lock().topics.remove(&full_name).is_none() {
            return Err(Refused::new(ServerError::TopicNotFound, format!("topic {full_name} does not exist")));
        }
        Ok(())
    }
}

/// Rebuilds the table of last sequence ids: the snapshot, then every entry that it does not cover.
async fn recover_dedup(log: &TopicLog, stored: &StoredDedup) -> Result<DedupTable, StorageError> {
    let mut table = DedupTable::default();
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
            if !is_early_chunk {
                table.recovered(peek.producer_name, peek.last_sequence_id().cast_signed());
            }
        }
    }
    Ok(table)
}
