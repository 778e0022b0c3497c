//! Functions of a topic for the broker's background work and the admin REST API.

use super::state::Topic;
use crate::{clock::now_ms, refused::Refused, storage};

impl Topic {
    /// Makes a topic epoch durable.
    ///
    /// # Errors
    /// The metadata cannot be written, or the topic is being deleted.
    pub(crate) async fn store_epoch(&self, epoch: u64) -> Result<(), Refused> {
        let _write_order = self.store.lock_write_order().await;
        self.refuse_deleted()?;
        Ok(self.store.put(storage::key(&["epoch", &self.full_name]), &epoch).await?)
    }

    /// Samples all rates. The caller does this once a second.
    pub(crate) fn sample(&self) {
        let now_ms = now_ms();
        self.published.sample(now_ms);
        self.producers().iter().for_each(|producer| producer.published.sample(now_ms));
        self.subscriptions().iter().for_each(|subscription| subscription.lock().dispatcher.sample(now_ms));
    }

    /// Returns whether the topic has no entries and no producer is connected.
    pub(crate) fn is_unused(&self) -> bool {
        self.lock().producers.count() == 0 && self.log.end() == self.log.first()
    }

    /// Returns whether a producer or a consumer is connected.
    pub(crate) fn is_in_use(&self) -> bool {
        self.lock().producers.count() > 0 || self.subscriptions().iter().any(|s| !s.lock().handles.is_empty())
    }

    /// Closes all producers and consumers; their clients connect them again.
    pub(crate) fn unload(&self) {
        self.close_producers();
        for subscription in self.subscriptions() {
            self.close_consumers(&subscription);
        }
    }

    /// Returns whether the topic is being deleted or has been deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.lock().deleted
    }

    /// Closes all producers and consumers and lets no new ones in.
    pub(crate) fn close_for_deletion(&self) {
        self.lock().deleted = true;
        self.unload();
        let subscriptions = std::mem::take(&mut self.lock().subscriptions);
        subscriptions.values().for_each(|subscription| subscription.close());
    }
}
