//! The cursors of durable subscriptions as they are stored in the metadata.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    dispatch,
    state::Topic,
    subscription::{Durability, Subscription},
};
use crate::{
    storage::{self, Position, StorageError},
    subscription::{AckSet, Cursor, Dispatcher, SubscriptionKind},
};

/// Stored form of a cursor. Positions are (ledger, entry).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredCursor {
    /// The first entry that is not acknowledged.
    next: (u64, u64),
    /// Acknowledged ranges above it; both ends are inclusive.
    #[serde(default)]
    acked: Vec<((u64, u64), (u64, u64))>,
    /// Batches that are acknowledged in part, with the ack set of the remaining messages as on the wire.
    #[serde(default)]
    partial: Vec<((u64, u64), Vec<i64>)>,
    /// Properties that were given at the subscription's creation.
    #[serde(default)]
    properties: HashMap<String, String>,
}

impl Topic {
    /// Adds a stored subscription when the topic is loaded.
    pub(crate) fn restore_subscription(self: &Arc<Self>, name: &str, stored: &StoredCursor) {
        let offset = |(ledger, entry)| self.log.offset_at_or_after(Position { ledger, entry });
        let acked: Vec<(u64, u64)> =
            stored.acked.iter().map(|(first, last)| (offset(*first), offset((last.0, last.1 + 1)))).collect();
        // If a batch is missing in the log, its acknowledgements must not be used for the entry that follows it.
        let known = |(ledger, entry)| self.log.offset(Position { ledger, entry });
        let partial = stored.partial.iter().filter_map(|(at, words)| Some((known(*at)?, AckSet::from_wire(words))));
        let partial = partial.collect();
        let next = Position { ledger: stored.next.0, entry: stored.next.1 };
        if self.log.is_after_end(next) {
            tracing::error!(
                topic = self.full_name,
                subscription = name,
                ledger = next.ledger,
                entry = next.entry,
                "the subscription's cursor is after the end of the log, which lost entries; the cursor is moved to the \
                end, so that the subscription gets every new message"
            );
        }
        let cursor = Cursor::restore(offset(stored.next), &acked, partial);
        let dispatcher = Dispatcher::new(SubscriptionKind::Exclusive, cursor, self.limits, self.name.partition());
        let subscription =
            Subscription::new(name.to_owned(), Durability::Durable, stored.properties.clone(), dispatcher);
        dispatch::start(self, &subscription);
        self.lock().subscriptions.insert(name.to_owned(), subscription);
    }

    /// Returns the changes that store all cursors that have moved.
    ///
    /// # Errors
    /// A cursor cannot be encoded.
    pub(crate) fn dirty_cursors(&self) -> Result<Vec<storage::Change>, StorageError> {
        let mut changes = Vec::new();
        for subscription in self.subscriptions() {
            if subscription.is_durable() && subscription.take_dirty() {
                let properties = subscription.properties().clone();
                let stored = self.stored_cursor(subscription.lock().dispatcher.cursor(), properties);
                changes.push((self.cursor_key(subscription.name()), Some(storage::value(&stored)?)));
            }
        }
        Ok(changes)
    }

    /// Stores the cursor of one subscription, if it has moved.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub(crate) async fn flush_cursor(&self, subscription: &Arc<Subscription>) -> Result<(), StorageError> {
        let _write_order = self.store.lock_write_order().await;
        let is_gone = self.is_deleted() || subscription.is_closed();
        if is_gone || !subscription.is_durable() || !subscription.take_dirty() {
            return Ok(());
        }
        let properties = subscription.properties().clone();
        let stored = self.stored_cursor(subscription.lock().dispatcher.cursor(), properties);
        let written = self.store.put(self.cursor_key(subscription.name()), &stored).await;
        if written.is_err() {
            subscription.mark_dirty();
        }
        written
    }

    pub(super) fn cursor_key(&self, subscription: &str) -> String {
        storage::key(&["cursor", &self.full_name, subscription])
    }

    pub(super) fn stored_cursor(&self, cursor: &Cursor, properties: HashMap<String, String>) -> StoredCursor {
        let at = |offset| {
            let position = self.log.position(offset);
            (position.ledger, position.entry)
        };
        StoredCursor {
            next: at(cursor.mark_delete()),
            acked: cursor.acked_ranges().map(|(start, end)| (at(start), at(end - 1))).collect(),
            partial: cursor.partial().map(|(offset, set)| (at(offset), set.to_wire())).collect(),
            properties,
        }
    }
}
