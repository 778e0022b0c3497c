//! Restores lost metadata from the logs: `bitacora repair`.
//!
//! Every segment names its topic, so names, numbers and incarnations can be restored, and with them the messages and
//! the last sequence ids. Only the metadata has subscriptions, schemas and policies, so those are lost with it.

use std::collections::BTreeMap;
use std::path::Path;

use bitacora_pulsar_wire::TopicName;

use super::{
    policies::{NamespacePolicies, Tenant},
    state::{Catalog, Entry},
    stored_topic::StoredTopic,
};
use crate::{
    clock::now_ms,
    config::BrokerConfig,
    error::BrokerError,
    storage::{self, DataDirectory, FoundFolder, StorageError, TopicIdentity, key},
};

/// Adds every log that the metadata does not know to it, as the topic that the log's segments name. Creates the
/// metadata if it is missing. Deletes nothing. Returns one sentence for each folder.
///
/// # Errors
/// The data directory is in use or cannot be written, or its metadata is damaged.
pub async fn repair(data_dir: &Path) -> Result<Vec<String>, BrokerError> {
    let path = data_dir.to_owned();
    let opened = tokio::task::spawn_blocking(move || DataDirectory::open_for_repair(&path)).await;
    let opened = opened.map_err(|e| BrokerError::Configuration(e.to_string()))?;
    let failed = |error: StorageError| BrokerError::Storage { path: data_dir.to_owned(), reason: error.to_string() };
    let catalog = Catalog::over(&BrokerConfig::new(data_dir), opened.map_err(failed)?);
    catalog.load().await.map_err(failed)?;
    let told = catalog.take_in().await.map_err(failed)?;
    catalog.close().await?;
    Ok(told)
}

impl Catalog {
    async fn take_in(&self) -> Result<Vec<String>, StorageError> {
        let known: Vec<u64> = self.lock().topics.values().map(|entry| entry.id).collect();
        let (mut told, mut candidates) = (Vec::new(), BTreeMap::<String, Vec<(u64, TopicIdentity, u64)>>::new());
        for id in self.directory.topic_ids()?.into_iter().filter(|id| !known.contains(id)) {
            let folder = self.directory.folder(id);
            let left = |why: &str| format!("{}: left as it is, {why}", folder.display());
            match self.directory.inspect(id)? {
                FoundFolder::Of(owner, below) => {
                    candidates.entry(owner.name.clone()).or_default().push((id, owner, below));
                }
                FoundFolder::Nameless(_) => {
                    told.push(left("an earlier version wrote it, so its segments name no topic"));
                }
                FoundFolder::Unclear => told.push(left("its segments name several topics, or one of them is damaged")),
                FoundFolder::Empty => {}
            }
        }
        for (name, found) in candidates {
            let is_known = self.lock().topics.contains_key(&name);
            match (found.as_slice(), TopicName::parse(&name)) {
                ([(id, owner, below)], Ok(topic)) if !is_known => {
                    let entry = Entry {
                        id: *id,
                        created_ms: now_ms(),
                        incarnation: owner.incarnation,
                        adopted_below: *below,
                        ..Entry::default()
                    };
                    self.take_in_topic(&topic, entry).await?;
                    told.push(format!("{}: taken in as {name}", self.directory.folder(*id).display()));
                }
                _ => {
                    for (id, ..) in &found {
                        let folder = self.directory.folder(*id);
                        told.push(format!(
                            "{}: left as it is, another log is, or claims to be, the log of {name}; keep the one that \
                            you need",
                            folder.display()
                        ));
                    }
                }
            }
        }
        Ok(told)
    }

    async fn take_in_topic(&self, topic: &TopicName, entry: Entry) -> Result<(), StorageError> {
        let (name, namespace) = (topic.to_string(), topic.full_namespace());
        let mut changes = vec![(key(&["topic", &name]), Some(storage::value(&StoredTopic::of(&entry))?))];
        let tenant = namespace.split('/').next().unwrap_or_default().to_owned();
        if !self.tenants().contains_key(&tenant) {
            changes.push((key(&["tenant", &tenant]), Some(storage::value(&Tenant::default())?)));
        }
        if self.namespace(&namespace).is_none() {
            changes.push((key(&["namespace", &namespace]), Some(storage::value(&NamespacePolicies::default())?)));
        }
        let whole = topic.without_partition();
        let partitions = topic.partition().map_or(0, |index| index.saturating_add(1));
        if partitions > self.partitions(&whole) {
            changes.push((key(&["partitioned", &whole.to_string()]), Some(storage::value(&partitions)?)));
        }
        self.store.apply(changes).await?;
        let mut state = self.lock();
        state.tenants.entry(tenant).or_default();
        state.namespaces.entry(namespace).or_default();
        if partitions > 0 {
            let known = state.partitioned.entry(whole.to_string()).or_default();
            *known = partitions.max(*known);
        }
        state.topics.insert(name, entry);
        Ok(())
    }
}
