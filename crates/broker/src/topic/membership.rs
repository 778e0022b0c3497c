//! Admits producers to a topic and removes them.
//!
//! A producer in an exclusive mode, or one whose turn has come, may publish once the topic's new epoch is durable:
//! after a restart the broker must not give the same epoch to another producer. So [`Topic::admit_producer`] and
//! [`Topic::release_producer`] store the epoch before they answer the client.

use std::sync::Arc;

use bitacora_pulsar_wire::proto::ServerError;

use super::{
    handle::{ProducerHandle, Standing},
    producers::{Admission, ProducerKey, ProducerSpec, Refusal},
    state::{State, Topic},
};
use crate::{
    peer::{CloseReason, Connection, PROBE},
    refused::Refused,
};

/// What a client has from an earlier connection of its producer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Epochs {
    /// Raised by the client at each reconnect.
    pub producer: u64,
    /// The topic epoch that the client had; `None` for [`super::AccessMode::Shared`].
    pub topic: Option<u64>,
}

/// Why a producer cannot be admitted now.
enum NotAttached {
    /// Another producer has the name. If its connection is dead, it is removed and the new producer is tried again.
    NameTaken { holder: ProducerKey, connection: Arc<Connection> },
    /// The refusal is final.
    Refused(Refused),
}

impl From<Refused> for NotAttached {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// A waiting producer whose turn has come.
struct Promoted {
    handle: Arc<ProducerHandle>,
    topic_epoch: u64,
}

impl Topic {
    /// Returns a key for a new producer or consumer.
    pub(crate) fn next_member_key(&self) -> u64 {
        self.new_key()
    }

    /// Returns whether a producer may publish now. A waiting one may not before its turn comes.
    pub(crate) fn is_publishing(&self, key: ProducerKey) -> bool {
        self.lock().producers.is_connected(key)
    }

    /// Admits a producer and makes its topic epoch durable. A producer of the same name on a dead connection is removed
    /// first.
    ///
    /// # Errors
    /// The access mode or the name does not allow it, the topic is being deleted or its log failed, or the epoch cannot
    /// be stored.
    pub(crate) async fn admit_producer(
        &self,
        handle: &Arc<ProducerHandle>,
        epochs: Epochs,
    ) -> Result<Standing, Refused> {
        let standing = self.attach_or_replace(handle, epochs).await?;
        if let Standing::Ready { topic_epoch: Some(epoch), .. } = standing
            && let Err(refused) = self.store_epoch(epoch).await
        {
            self.release_producer(handle.key).await;
            return Err(refused);
        }
        Ok(standing)
    }

    /// Removes a producer and admits the next one, whose epoch is made durable first.
    pub(crate) async fn release_producer(&self, key: ProducerKey) {
        let mut leaving = Some(key);
        while let Some(key) = leaving.take() {
            let Some(promoted) = self.detach(key) else { return };
            match self.store_epoch(promoted.topic_epoch).await {
                Ok(()) => self.tell_promoted(&promoted),
                // The deletion has closed its producers.
                Err(_) if self.is_deleted() => return,
                Err(error) => {
                    tracing::error!(topic = self.full_name(), %error,
                        "cannot store the topic epoch; the waiting producer is not let in");
                    promoted.handle.connection.end();
                    leaving = Some(promoted.handle.key);
                }
            }
        }
    }

    /// Closes every producer; clients connect again.
    pub(crate) fn close_producers(&self) {
        self.lock().close_producers();
    }

    async fn attach_or_replace(&self, handle: &Arc<ProducerHandle>, epochs: Epochs) -> Result<Standing, Refused> {
        let (holder, connection) = match self.attach(handle, epochs) {
            Ok(standing) => return Ok(standing),
            Err(NotAttached::Refused(refused)) => return Err(refused),
            Err(NotAttached::NameTaken { holder, connection }) => (holder, connection),
        };
        // A client whose own producer has the name is alive: it has just sent this request.
        if connection.id == handle.connection.id || connection.is_alive(PROBE).await {
            return Err(name_taken(handle));
        }
        connection.end();
        self.release_producer(holder).await;
        // Only one more attempt: a producer that has the name now came after the probe began, so it is alive.
        self.attach(handle, epochs).map_err(|error| match error {
            NotAttached::Refused(refused) => refused,
            NotAttached::NameTaken { .. } => name_taken(handle),
        })
    }

    fn attach(&self, handle: &Arc<ProducerHandle>, epochs: Epochs) -> Result<Standing, NotAttached> {
        let spec = ProducerSpec {
            name: handle.name.clone(),
            producer_id: handle.producer_id,
            connection: handle.connection.id,
            epoch: epochs.producer,
            mode: handle.mode,
            topic_epoch: epochs.topic,
        };
        let mut state = self.lock();
        if state.deleted {
            return Err(Refused::new(ServerError::TopicNotFound, "the topic is being deleted").into());
        }
        if let Some(reason) = &state.poisoned {
            return Err(Refused::new(ServerError::PersistenceError, reason.clone()).into());
        }
        let admission = state.producers.add(handle.key, spec).map_err(|refusal| state.not_attached(refusal, handle))?;
        state.handles.insert(handle.key, Arc::clone(handle));
        let Admission::Granted { topic_epoch, closed, failed } = admission else {
            return Ok(Standing::Waiting);
        };
        for key in closed {
            // A client that replaces its own producer under the same id gets no CLOSE_PRODUCER: it would close the new
            // one.
            if let Some(old) = state.handles.remove(&key)
                && !(Arc::ptr_eq(&old.connection, &handle.connection) && old.producer_id == handle.producer_id)
            {
                old.connection.close_producer(old.producer_id, CloseReason::TakenOver);
            }
        }
        state.refuse_waiters(&failed);
        Ok(Standing::Ready { topic_epoch, last_sequence_id: state.last_sequence_id(handle) })
    }

    fn detach(&self, key: ProducerKey) -> Option<Promoted> {
        let mut state = self.lock();
        state.handles.remove(&key);
        let (promotion, fenced) = state.producers.remove(key);
        state.refuse_waiters(&fenced);
        let promotion = promotion?;
        let handle = state.handles.get(&promotion.producer).cloned()?;
        Some(Promoted { handle, topic_epoch: promotion.topic_epoch })
    }

    fn tell_promoted(&self, promoted: &Promoted) {
        let state = self.lock();
        // It may have left or have been fenced while its epoch was written. The answer is sent while the lock is held,
        // so that a CLOSE_PRODUCER comes after it if another producer fences this one.
        if state.producers.is_connected(promoted.handle.key) {
            let last_sequence_id = state.last_sequence_id(&promoted.handle);
            promoted.handle.answer(Standing::Ready { topic_epoch: Some(promoted.topic_epoch), last_sequence_id });
        }
    }
}

impl State {
    /// Closes every producer, also waiting ones; clients connect again.
    pub(super) fn close_producers(&mut self) {
        for key in self.producers.all_keys() {
            self.producers.remove(key);
            if let Some(handle) = self.handles.remove(&key) {
                handle.connection.close_producer(handle.producer_id, CloseReason::TopicClosed);
            }
        }
    }

    /// Refuses waiting producers because another one took over the topic.
    fn refuse_waiters(&mut self, keys: &[ProducerKey]) {
        for key in keys {
            if let Some(waiter) = self.handles.remove(key) {
                waiter.refuse("another producer took over the topic");
            }
        }
    }

    fn last_sequence_id(&self, handle: &ProducerHandle) -> i64 {
        if self.deduplication.covers(handle) { self.dedup.last_pushed(&handle.name) } else { -1 }
    }

    fn not_attached(&self, refusal: Refusal, handle: &ProducerHandle) -> NotAttached {
        match refusal {
            Refusal::NameTaken { holder, .. } => match self.handles.get(&holder) {
                Some(other) => NotAttached::NameTaken { holder, connection: Arc::clone(&other.connection) },
                None => name_taken(handle).into(),
            },
            Refusal::Busy => {
                let message = "an exclusive producer holds the topic or waits for it";
                Refused::new(ServerError::ProducerBusy, message).into()
            }
            Refusal::Fenced => {
                let message = "the topic has another producer, or a later one has taken it over";
                Refused::new(ServerError::ProducerFenced, message).into()
            }
        }
    }
}

fn name_taken(handle: &ProducerHandle) -> Refused {
    let message = format!("a producer named \"{}\" is already connected to the topic", handle.name);
    Refused::new(ServerError::ProducerBusy, message)
}
