//! The schemas of topics. All partitions of a topic share its schemas.

use std::sync::Arc;

use bitacora_pulsar_wire::{TopicName, proto::ServerError};
use tokio::sync::Mutex;

use super::state::Catalog;
use crate::{
    clock::now_ms,
    refused::Refused,
    schema::{Incompatible, Registration, SchemaHistory, SchemaInfo},
    storage::key,
    topic::Topic,
};

impl Catalog {
    /// Returns all versions of a topic's schema.
    ///
    /// # Errors
    /// The metadata cannot be read.
    pub(crate) async fn schema_history(&self, name: &TopicName) -> Result<SchemaHistory, Refused> {
        let (slot, stored_key) = self.history_slot(name);
        let mut slot = slot.lock().await;
        self.loaded(&mut slot, &stored_key).cloned()
    }

    /// Finds or registers a schema and returns its version, which is durable then.
    ///
    /// # Errors
    /// IncompatibleSchema, or the metadata cannot be written.
    pub(crate) async fn register_schema(&self, name: &TopicName, info: &SchemaInfo) -> Result<u64, Refused> {
        let strategy = self.schema_strategy(&name.full_namespace());
        let (slot, stored_key) = self.history_slot(name);
        let mut slot = slot.lock().await;
        let mut history = self.loaded(&mut slot, &stored_key)?.clone();
        let registered = history
            .register(info, strategy, now_ms())
            .map_err(|e| Refused::new(ServerError::IncompatibleSchema, e.to_string()))?;
        match registered {
            Registration::Known(version) => Ok(version),
            Registration::Added(version) => {
                self.store.put(stored_key, &history).await?;
                *slot = Some(history);
                Ok(version)
            }
        }
    }

    /// Handles the schema of a SUBSCRIBE: registers it if the topic is unused, otherwise only checks it.
    ///
    /// # Errors
    /// IncompatibleSchema, or the metadata cannot be written.
    pub(crate) async fn consumer_schema(&self, topic: &Topic, info: &SchemaInfo) -> Result<(), Refused> {
        let history = self.schema_history(topic.name()).await?;
        if history.is_empty() {
            if topic.is_unused() {
                self.register_schema(topic.name(), info).await?;
            }
            return Ok(());
        }
        let strategy = self.schema_strategy(&topic.name().full_namespace()).of_consumers();
        history.check(info, strategy).map_err(|Incompatible(reason)| {
            Refused::new(ServerError::IncompatibleSchema, format!("incompatible schema: {reason}"))
        })
    }

    /// Deletes all versions of a topic's schema and returns the last number.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub(crate) async fn delete_schema(&self, name: &TopicName) -> Result<Option<u64>, Refused> {
        let (slot, stored_key) = self.history_slot(name);
        let mut slot = slot.lock().await;
        let mut history = self.loaded(&mut slot, &stored_key)?.clone();
        let last = history.latest().map(|v| v.version);
        if last.is_some() {
            history.clear();
            self.store.put(stored_key, &history).await?;
            *slot = Some(history);
        }
        Ok(last)
    }

    /// Reserves the schema versions that a topic's messages carry, so that new schemas do not get them. Metadata from a
    /// backup may not know these versions.
    ///
    /// # Errors
    /// The metadata cannot be read or written.
    pub(crate) async fn reserve_schema_versions(&self, name: &TopicName, count: u64) -> Result<(), Refused> {
        if count == 0 {
            return Ok(());
        }
        let (slot, stored_key) = self.history_slot(name);
        let mut slot = slot.lock().await;
        let mut history = self.loaded(&mut slot, &stored_key)?.clone();
        if history.reserve(count) {
            tracing::error!(
                topic = name.to_string(),
                "messages of the topic have schema versions up to {}, which the metadata does not know; consumers \
                cannot read them; restore metadata.redb and topics/ from one backup",
                count - 1
            );
            self.store.put(stored_key, &history).await?;
            *slot = Some(history);
        }
        Ok(())
    }

    fn history_slot(&self, name: &TopicName) -> (Arc<Mutex<Option<SchemaHistory>>>, String) {
        let base = name.without_partition().to_string();
        let stored_key = key(&["schema", &base]);
        let mut histories = self.histories.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (Arc::clone(histories.entry(base).or_default()), stored_key)
    }

    fn loaded<'a>(&self, slot: &'a mut Option<SchemaHistory>, stored_key: &str) -> Result<&'a SchemaHistory, Refused> {
        if slot.is_none() {
            *slot = Some(self.store.get::<SchemaHistory>(stored_key)?.unwrap_or_default());
        }
        Ok(slot.get_or_insert_default())
    }
}
