//! Writes the state of the topics in the background and at shutdown.

use std::sync::Arc;

use super::state::Catalog;
use crate::{error::BrokerError, storage::StorageError};

impl Catalog {
    /// Writes every cursor that moved, and the offsets up to which the logs are durable.
    ///
    /// # Errors
    /// [`StorageError`] if the metadata cannot be written.
    pub(crate) async fn flush(&self) -> Result<(), StorageError> {
        let _write_order = self.store.lock_write_order().await;
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
    /// [`BrokerError`] if something cannot be written.
    pub(crate) async fn close(&self) -> Result<(), BrokerError> {
        let directory = Arc::clone(&self.directory);
        // After this everything appended is durable, so the snapshots below are complete.
        let _ = tokio::task::spawn_blocking(move || directory.stop_logs()).await;
        for topic in self.open_topics() {
            topic.forget_dedup_snapshot();
        }
        let flushed = self.flush().await.map_err(|e| self.storage_error(e));
        let directory = Arc::clone(&self.directory);
        let _ = tokio::task::spawn_blocking(move || directory.close()).await;
        flushed
    }
}
