//! Creates, moves and deletes the subscriptions of a topic, and adds and removes their consumers.

use std::{collections::HashMap, sync::Arc};

use bitacora_pulsar_wire::proto::{MessageIdData, ServerError};

use super::{
    dispatch,
    handle::ConsumerHandle,
    state::Topic,
    subscription::{Durability, Subscription},
};
use crate::{
    clock::now_ms,
    refused::Refused,
    storage::Position,
    subscription::{AckSet, AddError, ConsumerKey, ConsumerSpec, Cursor, Dispatcher, SubscriptionKind},
};

/// Where a new subscription starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StartAt {
    /// After the last entry.
    Latest,
    /// Before the first entry.
    Earliest,
    /// At this entry, which is delivered.
    Id(MessageIdData),
    /// At the first entry published at or after this time (ms since the epoch).
    Time(u64),
}

/// A SUBSCRIBE as it came from the wire.
#[derive(Debug, Clone)]
pub(crate) struct SubscribeRequest {
    /// Subscription name.
    pub subscription: String,
    /// The requested type.
    pub kind: SubscriptionKind,
    /// Whether the cursor survives; readers request that it does not.
    pub durability: Durability,
    /// Where the subscription starts if it does not exist yet.
    pub start: StartAt,
    /// Name, priority, epoch and hash ranges of the consumer.
    pub spec: ConsumerSpec,
    /// Properties of the subscription.
    pub properties: HashMap<String, String>,
}

/// Why a consumer was not admitted.
#[derive(Debug, Clone)]
pub(crate) enum SubscribeError {
    /// Another consumer prevents it. The caller checks whether that consumer's connection is alive.
    Occupied(Arc<ConsumerHandle>, Refused),
    /// The refusal is final.
    Refused(Refused),
}

impl From<Refused> for SubscribeError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Topic {
    /// Adds a consumer to a subscription, which is created if it does not exist.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        handle: &Arc<ConsumerHandle>,
        request: &SubscribeRequest,
    ) -> Result<Arc<Subscription>, SubscribeError> {
        let subscription = self.ensure_subscription(request).await?;
        let mut core = subscription.lock();
        let admitted = core.dispatcher.add_consumer(handle.key, request.kind, request.spec.clone());
        match admitted {
            Ok(changes) => {
                core.handles.insert(handle.key, Arc::clone(handle));
                subscription.note_members(&core);
                // The new client must get SUCCESS before ACTIVE_CONSUMER_CHANGE, so its session announces the change
                // after the answer. Here only the others get it.
                let others: Vec<_> = changes.into_iter().filter(|change| change.consumer != handle.key).collect();
                subscription.announce(&core, &others);
                drop(core);
                Ok(subscription)
            }
            Err(AddError::Busy { holder } | AddError::OtherKind { holder }) => {
                let message = match core.dispatcher.kind() {
                    kind if kind != request.kind => {
                        format!("the subscription has consumers of type {}", kind.name())
                    }
                    _ => "an exclusive consumer is connected to the subscription already".to_owned(),
                };
                let refused = Refused::new(ServerError::ConsumerBusy, message);
                match core.handles.get(&holder) {
                    Some(other) => Err(SubscribeError::Occupied(Arc::clone(other), refused)),
                    None => Err(refused.into()),
                }
            }
            Err(AddError::Ranges) => {
                let message = "the key hash ranges are malformed or overlap those of another consumer";
                Err(Refused::new(ServerError::ConsumerAssignError, message).into())
            }
        }
    }

    /// Creates a durable subscription without a consumer, unless it exists. Returns whether it was created.
    ///
    /// # Errors
    /// The cursor cannot be stored.
    pub(crate) async fn create_subscription(
        self: &Arc<Self>,
        name: &str,
        start: StartAt,
        properties: HashMap<String, String>,
    ) -> Result<bool, Refused> {
        if self.subscription(name).is_some() {
            return Ok(false);
        }
        let request = SubscribeRequest {
            subscription: name.to_owned(),
            kind: SubscriptionKind::Exclusive,
            durability: Durability::Durable,
            start,
            spec: ConsumerSpec::default(),
            properties,
        };
        self.ensure_subscription(&request).await.map(|_| true)
    }

    async fn ensure_subscription(self: &Arc<Self>, request: &SubscribeRequest) -> Result<Arc<Subscription>, Refused> {
        let _creating = self.creating.lock().await;
        if let Some(subscription) = self.subscription(&request.subscription) {
            let is_durable = request.durability == Durability::Durable;
            if subscription.is_durable() != is_durable && subscription.idle_since_ms().is_none() {
                let message = "a durable and a non-durable subscription cannot share one name";
                return Err(Refused::new(ServerError::NotAllowedError, message));
            }
            return Ok(subscription);
        }
        // This comes before the write order is locked, because a search by time reads the disk.
        let (offset, remaining) = self.start_offset(&request.start).await?;
        let mut cursor = Cursor::default();
        cursor.reset(offset, remaining);
        if request.durability == Durability::Durable {
            let stored = self.stored_cursor(&cursor, request.properties.clone());
            let _write_order = self.store.lock_write_order().await;
            self.refuse_deleted()?;
            self.store.put(self.cursor_key(&request.subscription), &stored).await?;
        }
        let dispatcher = Dispatcher::new(request.kind, cursor, self.limits, self.name.partition());
        let subscription =
            Subscription::new(request.subscription.clone(), request.durability, request.properties.clone(), dispatcher);
        dispatch::start(self, &subscription);
        let mut state = self.lock();
        // The topic may have been deleted since the cursor was stored. For a non-durable subscription this is the first
        // check.
        if state.deleted {
            subscription.close();
            return Err(being_deleted());
        }
        state.subscriptions.insert(request.subscription.clone(), Arc::clone(&subscription));
        Ok(subscription)
    }

    /// Ends non-durable subscriptions whose consumer was closed by a seek and has not connected again.
    pub(crate) fn drop_abandoned(&self, idle_ms: u64) {
        let now = now_ms();
        let mut state = self.lock();
        state.subscriptions.retain(|_, subscription| {
            let idle = subscription.idle_since_ms().is_some_and(|since| now.saturating_sub(since) > idle_ms);
            let keep = subscription.is_durable() || !idle;
            if !keep {
                subscription.close();
            }
            keep
        });
    }

    /// Removes a consumer. A non-durable subscription ends when its last consumer leaves.
    pub(crate) fn detach_consumer(&self, subscription: &Arc<Subscription>, key: ConsumerKey) {
        let is_last = {
            let mut core = subscription.lock();
            // The broker has closed it for a seek or a deletion and has removed it from the dispatcher.
            if core.handles.remove(&key).is_none() {
                return;
            }
            let changes = core.dispatcher.remove_consumer(key);
            subscription.note_members(&core);
            subscription.announce(&core, &changes);
            core.handles.is_empty()
        };
        subscription.wake();
        if is_last && !subscription.is_durable() {
            self.forget(subscription);
        }
    }

    /// Deletes a subscription and closes its consumers. The caller checks whether that is allowed.
    ///
    /// # Errors
    /// The cursor cannot be deleted.
    pub(crate) async fn delete_subscription(&self, subscription: &Arc<Subscription>) -> Result<(), Refused> {
        // Lock order: `creating`, then the store's write order. A client that subscribes again waits until the cursor
        // has been deleted.
        let _creating = self.creating.lock().await;
        self.close_consumers(subscription);
        self.forget(subscription);
        let _write_order = self.store.lock_write_order().await;
        if subscription.is_durable() {
            self.store.apply(vec![(self.cursor_key(subscription.name()), None)]).await?;
        }
        Ok(())
    }

    /// Moves a subscription so that the given entry is delivered next. Its consumers are closed; clients connect them
    /// again.
    ///
    /// # Errors
    /// The log cannot be searched or the cursor cannot be stored.
    pub(crate) async fn seek(&self, subscription: &Arc<Subscription>, to: &StartAt) -> Result<(), Refused> {
        let (offset, remaining) = self.start_offset(to).await?;
        // Consumers are closed before the cursor moves, because acknowledgements of what they got before the seek must
        // not change the moved cursor.
        self.close_consumers(subscription);
        let _write_order = self.store.lock_write_order().await;
        self.refuse_deleted()?;
        if subscription.is_closed() {
            let message = format!("subscription {} was deleted", subscription.name());
            return Err(Refused::new(ServerError::SubscriptionNotFound, message));
        }
        let stored = {
            let mut core = subscription.lock();
            core.dispatcher.seek(offset, remaining);
            self.stored_cursor(core.dispatcher.cursor(), subscription.properties().clone())
        };
        if subscription.is_durable() {
            self.store.put(self.cursor_key(subscription.name()), &stored).await?;
        }
        subscription.wake();
        Ok(())
    }

    /// Closes every consumer of a subscription; clients subscribe again.
    pub(crate) fn close_consumers(&self, subscription: &Arc<Subscription>) {
        let mut core = subscription.lock();
        let handles: Vec<Arc<ConsumerHandle>> = core.handles.drain().map(|(_, handle)| handle).collect();
        for handle in handles {
            core.dispatcher.remove_consumer(handle.key);
            handle.connection.close_consumer(handle.consumer_id);
        }
        subscription.note_members(&core);
    }

    /// Returns the offset of an entry; `None` if it does not exist.
    pub(crate) fn offset_of(&self, id: &MessageIdData) -> Option<u64> {
        self.log.offset(Position { ledger: id.ledger_id, entry: id.entry_id })
    }

    async fn start_offset(&self, start: &StartAt) -> Result<(u64, Option<AckSet>), Refused> {
        Ok(match start {
            StartAt::Latest => (self.log.end(), None),
            StartAt::Earliest => (self.log.first(), None),
            StartAt::Time(time_ms) => (self.log.offset_at_time(*time_ms).await?, None),
            StartAt::Id(id) => {
                let (ledger, entry) = (id.ledger_id, id.entry_id);
                if ledger.cast_signed() < 0 {
                    (self.log.first(), None)
                } else if ledger == i64::MAX.cast_unsigned() {
                    (self.log.end(), None)
                } else if entry.cast_signed() < 0 {
                    (self.log.offset_at_or_after(Position { ledger, entry: 0 }), None)
                } else {
                    let set = (!id.ack_set.is_empty()).then(|| AckSet::from_wire(&id.ack_set));
                    (self.log.offset_at_or_after(Position { ledger, entry }), set)
                }
            }
        })
    }

    /// Refuses to write metadata of a topic that is being deleted, because a new topic of the same name would find
    /// it. The caller has locked the store's write order, which a deletion keeps locked until it has removed its
    /// keys.
    pub(super) fn refuse_deleted(&self) -> Result<(), Refused> {
        if self.is_deleted() { Err(being_deleted()) } else { Ok(()) }
    }

    fn forget(&self, subscription: &Arc<Subscription>) {
        subscription.close();
        let mut state = self.lock();
        if state.subscriptions.get(subscription.name()).is_some_and(|known| Arc::ptr_eq(known, subscription)) {
            state.subscriptions.remove(subscription.name());
        }
    }
}

fn being_deleted() -> Refused {
    Refused::new(ServerError::TopicNotFound, "the topic is being deleted")
}
