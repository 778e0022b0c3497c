//! Opens the data directory, and opens, creates and deletes topics.

use std::sync::{Arc, Mutex};

use bitacora_pulsar_wire::{EntryPeek, TopicName, proto::ServerError};

use super::{
    policies::{NamespacePolicies, Tenant},
    state::{Catalog, Entry, State},
    stored_topic::{StoredTopic, deleting_key},
    topics::Missing,
};
use crate::{
    clock::now_ms,
    config::BrokerConfig,
    error::BrokerError,
    refused::Refused,
    storage::{self, DataDirectory, KnownLog, StorageError, TopicIdentity, TopicLog, key},
    topic::{DedupTable, DeduplicationPolicy, Loaded, StoredCursor, StoredDedup, StoredEnd, Topic},
};

impl Catalog {
    /// Opens the data directory, and returns the catalog and the number of this start.
    ///
    /// # Errors
    /// The directory is locked, damaged or full.
    pub(crate) async fn open(config: &BrokerConfig) -> Result<(Self, u64), BrokerError> {
        let path = config.data_dir.clone();
        let opened = tokio::task::spawn_blocking(move || DataDirectory::open(&path)).await;
        let directory = opened
            .map_err(|e| BrokerError::Configuration(e.to_string()))?
            .map_err(|error| BrokerError::Storage { path: config.data_dir.clone(), reason: error.to_string() })?;
        let catalog = Self::over(config, directory);
        let instance = catalog.load().await.map_err(|e| catalog.storage_error(e))?;
        Ok((catalog, instance))
    }

    pub(super) fn over(config: &BrokerConfig, directory: DataDirectory) -> Self {
        Self {
            config: config.clone(),
            store: Arc::clone(directory.store()),
            directory: Arc::new(directory),
            state: Mutex::new(State::default()),
            histories: Mutex::default(),
            creating: tokio::sync::Mutex::default(),
            partitioning: tokio::sync::Mutex::default(),
        }
    }

    pub(super) async fn load(&self) -> Result<u64, StorageError> {
        let instance_key = key(&["instance"]);
        // At least the clock, because metadata from a backup has an old number, with which the broker would generate
        // producer names for a second time.
        let instance = self.store.get::<u64>(&instance_key)?.unwrap_or(0).max(now_ms() / 1_000);
        let mut changes = vec![(instance_key, Some(storage::value(&(instance + 1))?))];
        changes.extend(self.finish_deletions()?);
        {
            let mut state = self.lock();
            state.tenants = self.store.list::<Tenant>(&["tenant"])?.into_iter().collect();
            state.namespaces = self.store.list::<NamespacePolicies>(&["namespace"])?.into_iter().collect();
            state.partitioned = self.store.list::<u32>(&["partitioned"])?.into_iter().collect();
            changes.extend(self.load_topics(&mut state)?);
            let stored_next = self.store.get::<u64>(&key(&["next-topic"]))?.unwrap_or(0);
            state.next_topic_id = self.survey(&state)?.max(stored_next);
        }
        self.store.apply(changes).await?;
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
        let incarnation = TopicIdentity::new(&full_name).incarnation;
        let entry = Entry { id, created_ms, incarnation, ..Entry::default() };
        let (next, topic) = (storage::value(&(id + 1))?, storage::value(&StoredTopic::of(&entry))?);
        let topic_key = key(&["topic", &full_name]);
        self.store.apply(vec![(key(&["next-topic"]), Some(next)), (topic_key, Some(topic))]).await?;
        let mut state = self.lock();
        Ok(state.topics.entry(full_name).or_insert(entry).clone())
    }

    pub(super) async fn open_topic(&self, name: &TopicName, entry: &Entry) -> Result<Arc<Topic>, Refused> {
        let full_name = name.to_string();
        let (directory, id) = (Arc::clone(&self.directory), entry.id);
        let stored_end = self.store.get::<StoredEnd>(&key(&["end", &full_name]))?.unwrap_or_default();
        let known = KnownLog {
            identity: TopicIdentity { name: full_name.clone(), incarnation: entry.incarnation },
            adopted_below: entry.adopted_below,
            durable: stored_end.durable(),
        };
        let opened = tokio::task::spawn_blocking(move || directory.open_log(id, known)).await;
        let log = opened.map_err(|e| Refused::new(ServerError::UnknownError, e.to_string()))?.map_err(|error| {
            tracing::error!(topic = full_name, %error, "cannot open the topic");
            Refused::from(error)
        })?;
        for error in log.damage() {
            tracing::error!(topic = full_name, %error,
                "the log is damaged; readers stop where its entries are missing");
        }
        if log.lost() > 0 {
            let (end, before) = (log.end(), stored_end.durable().offset);
            tracing::error!(
                topic = full_name,
                end,
                durable_before = before,
                "the log ends before what was durable: its last {} entries are gone; producers that keep what they \
                sent send it again, for the rest restore topics/ and metadata.redb from one backup",
                log.lost()
            );
        }
        let dedup_key = key(&["dedup", &full_name]);
        let mut stored: StoredDedup = self.store.get(&dedup_key)?.unwrap_or_default();
        let deduplication = self.deduplication(&name.full_namespace());
        // The policy or the broker's setting may have changed since the state was stored. Then messages published
        // before do not count.
        let is_off = deduplication == DeduplicationPolicy::Off;
        if stored.is_off != is_off {
            stored = if is_off { StoredDedup::off() } else { StoredDedup::starting_at(log.position(log.end())) };
            self.store.put(dedup_key, &stored).await?;
        }
        if log.lost() > 0 || log.is_after_end(stored.covered()) {
            stored.begin_again();
            // Store this before anything is published. After new segments nobody could see that the stored position was
            // beyond the log's end.
            self.store.put(key(&["dedup", &full_name]), &stored).await?;
        }
        let forgettable = match deduplication {
            DeduplicationPolicy::All => None,
            _ => Some(self.config.cluster.as_str()),
        };
        let (dedup, schema_versions) = recover_dedup(&log, &stored, forgettable).await?;
        self.reserve_schema_versions(name, schema_versions).await?;
        let lost_entries = stored_end.lost.saturating_add(log.lost());
        let topic = Topic::new(
            name.clone(),
            Loaded {
                log,
                store: Arc::clone(&self.store),
                dedup,
                dedup_since: stored.since(),
                lost_entries,
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

    /// Deletes a topic with everything that belongs to it, and disconnects its producers and consumers.
    ///
    /// # Errors
    /// The topic does not exist, or files or metadata cannot be deleted.
    pub(crate) async fn delete_topic(&self, name: &TopicName) -> Result<(), Refused> {
        let full_name = name.to_string();
        let topic = self.topic(name, Missing::Refuse).await?;
        let _creating = self.creating.lock().await;
        // Held until the topic and its keys are gone: a cursor written in between would belong to the next topic of
        // this name.
        let write_order = self.store.lock_write_order().await;
        let is_known = self.lock().topics.get(&full_name).and_then(|entry| entry.open.get().cloned());
        if is_known.is_none_or(|known| !Arc::ptr_eq(&known, &topic)) {
            return Err(Refused::new(ServerError::TopicNotFound, format!("topic {full_name} does not exist")));
        }
        let mut changes: Vec<_> =
            ["topic", "epoch", "dedup", "end"].map(|kind| (key(&[kind, &full_name]), None)).into();
        for (subscription, _) in self.store.list::<serde_json::Value>(&["cursor", &full_name])? {
            changes.push((key(&["cursor", &full_name, &subscription]), None));
        }
        let id = self.lock().topics.get(&full_name).map(|entry| (entry.id, entry.incarnation));
        if let Some((id, incarnation)) = id {
            // After a crash before the folder is deleted, this tells the folder from one that the metadata has lost.
            changes.push((deleting_key(id), Some(storage::value(&format!("{incarnation:032x}"))?)));
        }
        // A deletion that cannot be stored leaves the topic as it was.
        self.store.apply(changes).await?;
        topic.close_for_deletion();
        let Some(entry) = self.lock().topics.remove(&full_name) else {
            return Err(Refused::new(ServerError::TopicNotFound, format!("topic {full_name} does not exist")));
        };
        drop(write_order);
        topic.delete_log();
        let directory = Arc::clone(&self.directory);
        let deleted = tokio::task::spawn_blocking(move || directory.delete_log(entry.id)).await;
        deleted.map_err(|e| Refused::new(ServerError::UnknownError, e.to_string()))??;
        Ok(self.store.apply(vec![(deleting_key(entry.id), None)]).await?)
    }
}

/// Rebuilds the table of last sequence ids from the snapshot and every entry after it. Producer names that a broker of
/// the `forgettable` cluster generated are left out, so that they do not displace names that applications chose. Also
/// returns the number of schema versions that the read entries prove to exist.
async fn recover_dedup(
    log: &TopicLog,
    stored: &StoredDedup,
    forgettable: Option<&str>,
) -> Result<(DedupTable, u64), StorageError> {
    let (mut table, mut schema_versions) = (DedupTable::default(), 0);
    if stored.is_off {
        return Ok((table, schema_versions));
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
            if let Some(version) = peek.schema_version.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) {
                schema_versions = schema_versions.max(u64::from_be_bytes(version).saturating_add(1));
            }
            let is_early_chunk = matches!((peek.chunk_id, peek.num_chunks_from_msg), (Some(i), Some(n)) if i + 1 < n);
            let is_forgettable = forgettable.is_some_and(|cluster| is_generated(cluster, peek.producer_name));
            if !is_early_chunk && !is_forgettable {
                table.recovered(peek.producer_name, peek.last_sequence_id().cast_signed());
            }
        }
    }
    Ok((table, schema_versions))
}

/// Returns whether a producer name has the form `cluster-number-number`, which the broker generates.
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
