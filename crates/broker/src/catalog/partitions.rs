//! Partitioned topics.

use std::collections::BTreeMap;

use bitacora_pulsar_wire::{TopicName, proto::ServerError};

use super::{state::Catalog, topics::Missing};
use crate::{refused::Refused, storage::key, topic::StartAt};

/// Most partitions of one topic.
const MAX_PARTITIONS: u32 = 4_096;

impl Catalog {
    /// Returns the number of a topic's partitions; 0 for a topic without partitions.
    pub(crate) fn partitions(&self, name: &TopicName) -> u32 {
        self.lock().partitioned.get(&name.to_string()).copied().unwrap_or(0)
    }

    /// Returns the partitioned topics of a namespace.
    pub(crate) fn partitioned_of(&self, namespace: &str) -> Vec<String> {
        let prefix = format!("persistent://{namespace}/");
        self.lock().partitioned.keys().filter(|name| name.starts_with(&prefix)).cloned().collect()
    }

    /// Creates a partitioned topic, or raises its number of partitions. An equal number changes nothing.
    ///
    /// Clients learn of new partitions only after each has the durable subscriptions of the others, at its first entry,
    /// as in Pulsar. Otherwise messages published there before the consumers connect would not reach them.
    ///
    /// # Errors
    /// There would be too many partitions, or the metadata cannot be written.
    pub(crate) async fn set_partitions(&self, name: &TopicName, count: u32) -> Result<(), Refused> {
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
            // Store this first, so that no client uses the name as a topic without partitions in the meantime.
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
        // Once more, for subscriptions that clients created meanwhile on the old partitions only.
        self.extend_subscriptions(name, before, count).await
    }

    /// Creates the durable subscriptions of the first `before` partitions on the others, up to `count`.
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

    /// Deletes the record that a topic is partitioned. The caller has deleted its partitions before.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub(crate) async fn forget_partitions(&self, name: &TopicName) -> Result<(), Refused> {
        let full_name = name.to_string();
        self.store.apply(vec![(key(&["partitioned", &full_name]), None)]).await?;
        self.lock().partitioned.remove(&full_name);
        Ok(())
    }
}
