//! Producers that come, wait and leave.

use std::sync::Arc;

use bitacora_pulsar_wire::{
    Command,
    proto::{CommandError, CommandProducerSuccess, ServerError},
};

use super::{Admission, ProducerHandle, ProducerKey, ProducerSpec, Refusal, Topic};
use crate::{
    session::{Connection, ProducerSlot},
    topic::Refused,
};

/// How a producer was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// It may publish as soon as the epoch, if there is one, is durable.
    Ready {
        /// Topic epoch of the exclusive modes.
        topic_epoch: Option<u64>,
        /// Last sequence id of its name; −1 if unknown.
        last_sequence_id: i64,
    },
    /// It waits for its turn.
    Waiting,
}

/// What must follow after a producer left: an epoch to be stored and a waiting producer to be told.
#[derive(Debug)]
pub struct Promoted {
    /// Whose turn it is.
    pub handle: Arc<ProducerHandle>,
    /// The new topic epoch.
    pub topic_epoch: u64,
}

impl Topic {
    /// Gives a key for a new producer or consumer.
    pub fn next_member_key(&self) -> u64 {
        self.new_key()
    }

    /// Takes a producer in.
    ///
    /// # Errors
    /// The access mode or the name does not allow it; see [`Refusal`].
    pub fn attach_producer(
        &self,
        handle: &Arc<ProducerHandle>,
        epoch: u64,
        topic_epoch: Option<u64>,
    ) -> Result<Attached, Result<Refusal, Refused>> {
        let spec = ProducerSpec {
            name: handle.name.clone(),
            producer_id: handle.producer_id,
            connection: handle.connection.id,
            epoch,
            mode: handle.mode,
            topic_epoch,
        };
        let mut state = self.lock();
        if state.deleted {
            return Err(Err(Refused::new(ServerError::TopicNotFound, "the topic is being deleted")));
        }
        if let Some(reason) = &state.poisoned {
            return Err(Err(Refused::new(ServerError::PersistenceError, reason.clone())));
        }
        let admission = state.producers.add(handle.key, spec).map_err(Ok)?;
        state.handles.insert(handle.key, Arc::clone(handle));
        let Admission::Granted { topic_epoch, closed, failed } = admission else {
            return Ok(Attached::Waiting);
        };
        for key in closed {
            if let Some(old) = state.handles.remove(&key)
                && !(Arc::ptr_eq(&old.connection, &handle.connection) && old.producer_id == handle.producer_id)
            {
                old.connection.close_producer(old.producer_id);
            }
        }
        for key in failed {
            if let Some(waiter) = state.handles.remove(&key) {
                refuse_waiter(&waiter);
            }
        }
        let last_sequence_id =
            if self.deduplicates_name(&state, handle) { state.dedup.last_pushed(&handle.name) } else { -1 };
        Ok(Attached::Ready { topic_epoch, last_sequence_id })
    }

    /// Gives the producer's connection, to be probed for life.
    pub fn producer_connection(&self, key: ProducerKey) -> Option<Arc<Connection>> {
        self.lock().handles.get(&key).map(|handle| Arc::clone(&handle.connection))
    }

    /// Takes a producer out; the caller stores the epoch and then calls [`Topic::tell_promoted`].
    pub fn detach_producer(&self, key: ProducerKey) -> Option<Promoted> {
        let mut state = self.lock();
        state.handles.remove(&key);
        let (promotion, fenced) = state.producers.remove(key);
        for key in fenced {
            if let Some(waiter) = state.handles.remove(&key) {
                refuse_waiter(&waiter);
            }
        }
        let promotion = promotion?;
        let handle = state.handles.get(&promotion.producer).cloned()?;
        Some(Promoted { handle, topic_epoch: promotion.topic_epoch })
    }

    /// Tells a waiting producer that it may publish now.
    pub fn tell_promoted(self: &Arc<Self>, promoted: &Promoted) {
        let handle = &promoted.handle;
        let mut slots = handle.connection.producers();
        if !matches!(slots.get(&handle.producer_id), Some(ProducerSlot::Pending)) {
            return;
        }
        slots.insert(handle.producer_id, ProducerSlot::Ready(Arc::clone(self), Arc::clone(handle)));
        drop(slots);
        let last_sequence_id = {
            let state = self.lock();
            if self.deduplicates_name(&state, handle) { state.dedup.last_pushed(&handle.name) } else { -1 }
        };
        handle.connection.outbound.push(Command::from(CommandProducerSuccess {
            request_id: handle.request_id,
            producer_name: handle.name.clone(),
            last_sequence_id: Some(last_sequence_id),
            schema_version: Some(handle.schema_version.clone()),
            topic_epoch: Some(promoted.topic_epoch),
            producer_ready: Some(true),
        }));
    }

    /// Sends every producer away; clients reconnect.
    pub fn close_producers(&self) {
        let mut state = self.lock();
        for key in state.producers.all_keys() {
            state.producers.remove(key);
            if let Some(handle) = state.handles.remove(&key) {
                handle.connection.close_producer(handle.producer_id);
            }
        }
    }

    fn deduplicates_name(&self, state: &super::State, handle: &ProducerHandle) -> bool {
        match state.deduplication {
            super::DeduplicationPolicy::All => true,
            super::DeduplicationPolicy::NamedProducers => handle.is_named_by_user,
            super::DeduplicationPolicy::Off => false,
        }
    }
}

fn refuse_waiter(waiter: &ProducerHandle) {
    waiter.connection.producers().remove(&waiter.producer_id);
    waiter.connection.outbound.push(Command::from(CommandError {
        request_id: waiter.request_id,
        error: ServerError::ProducerFenced as i32,
        message: "another producer took the topic over".to_owned(),
    }));
}
