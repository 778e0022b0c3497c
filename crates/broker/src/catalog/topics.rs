//! Finds topics by name, and checks names.

use std::{collections::BTreeSet, sync::Arc};

use bitacora_pulsar_wire::{Domain, TopicName, proto::ServerError};

use super::state::Catalog;
use crate::{refused::Refused, topic::Topic};

/// Whether a missing topic may be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Create it.
    Create,
    /// Refuse with TopicNotFound.
    Refuse,
}

impl Catalog {
    /// Returns the parsed name of a topic whose namespace exists.
    ///
    /// # Errors
    /// The name is malformed, or the namespace does not exist.
    pub(crate) fn parse(&self, name: &str) -> Result<TopicName, Refused> {
        let name = TopicName::parse(name).map_err(|e| Refused::new(ServerError::InvalidTopicName, e.to_string()))?;
        self.require_namespace(&name.full_namespace())?;
        Ok(name)
    }

    /// Returns whether a topic, a partition or a partitioned topic of this name exists.
    pub(crate) fn exists(&self, name: &TopicName) -> bool {
        let (state, name) = (self.lock(), name.to_string());
        state.topics.contains_key(&name) || state.partitioned.contains_key(&name)
    }

    /// Returns a topic, which is opened or created if necessary.
    ///
    /// # Errors
    /// The topic does not exist and may not be created, is partitioned, or cannot be read.
    pub(crate) async fn topic(&self, name: &TopicName, missing: Missing) -> Result<Arc<Topic>, Refused> {
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

    /// Returns a topic as [`Catalog::topic`] does, without checking the number of partitions.
    pub(super) async fn stored_topic(&self, name: &TopicName, missing: Missing) -> Result<Arc<Topic>, Refused> {
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

    /// Returns the open topics.
    pub(crate) fn open_topics(&self) -> Vec<Arc<Topic>> {
        self.lock().topics.values().filter_map(|entry| entry.open.get().cloned()).collect()
    }

    /// Returns the topics of a namespace; each partition is listed as a topic.
    pub(crate) fn topics_of(&self, namespace: &str) -> Vec<String> {
        let prefix = format!("persistent://{namespace}/");
        let state = self.lock();
        let plain = state.topics.keys().filter(|name| name.starts_with(&prefix)).cloned();
        let partitioned = state.partitioned.iter().filter(|(name, _)| name.starts_with(&prefix));
        let partitions =
            partitioned.flat_map(|(name, count)| (0..*count).map(move |i| format!("{name}-partition-{i}")));
        plain.chain(partitions).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn require_namespace(&self, namespace: &str) -> Result<(), Refused> {
        if self.lock().namespaces.contains_key(namespace) {
            return Ok(());
        }
        Err(Refused::new(ServerError::TopicNotFound, format!("namespace {namespace} does not exist")))
    }
}
