//! The producers and consumers of one connection, by the ids that the client gave them.
//!
//! What the broker withdrew by itself is noted in the [`Connection`]; each look into the tables applies the notes
//! first, so that a topic never writes here. Locks are taken in the order: table, topic, notes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    peer::{Connection, WithdrawnProducer},
    subscription::ConsumerKey,
    topic::{ProducerHandle, Subscription, Topic},
};

/// Ids that one connection may have before those of producers that the broker closed are forgotten. Until then a late
/// SEND for one of them is ignored and not taken for an error.
const REMEMBERED_CLOSES: usize = 1_000;

/// A producer id on a connection.
#[derive(Debug, Clone)]
pub(super) enum ProducerSlot {
    /// PRODUCER is being worked on.
    Pending,
    /// The topic has it in its queue. The topic alone knows when its turn comes; from then on the slot counts as ready.
    Waiting(Arc<Topic>, Arc<ProducerHandle>),
    /// It publishes.
    Ready(Arc<Topic>, Arc<ProducerHandle>),
    /// The broker closed it; late SENDs are ignored.
    ClosedByBroker,
}

/// What a PRODUCER finds under its id.
#[derive(Debug)]
pub(super) enum Begin {
    /// Nothing, or what it replaces: it is to be worked on.
    Work,
    /// An earlier PRODUCER that has not got its final answer.
    Busy,
    /// Its own producer.
    Known(Arc<ProducerHandle>),
}

/// A consumer id on a connection.
#[derive(Debug, Clone)]
pub(super) enum ConsumerSlot {
    /// SUBSCRIBE is being worked on.
    Pending,
    /// It consumes.
    Ready(Arc<Topic>, Arc<Subscription>, ConsumerKey),
}

/// The producers and consumers of one connection.
#[derive(Debug)]
pub(super) struct Slots {
    connection: Arc<Connection>,
    producers: Mutex<HashMap<u64, ProducerSlot>>,
    consumers: Mutex<HashMap<u64, ConsumerSlot>>,
}

impl Slots {
    /// Creates the empty tables of a connection.
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, producers: Mutex::default(), consumers: Mutex::default() }
    }

    /// Notes that PRODUCER is being worked on, unless its id has a producer already. A client that connects again on
    /// the same connection raises `epoch`; its producer is then replaced.
    pub(super) fn begin_producer(&self, id: u64, epoch: u64) -> Begin {
        let mut producers = self.producers();
        match find(&mut producers, id) {
            Some(ProducerSlot::Pending | ProducerSlot::Waiting(..)) => return Begin::Busy,
            Some(ProducerSlot::Ready(_, handle)) if epoch == 0 => return Begin::Known(handle),
            _ => {}
        }
        producers.insert(id, ProducerSlot::Pending);
        Begin::Work
    }

    /// Returns what stands under a producer id.
    pub(super) fn producer(&self, id: u64) -> Option<ProducerSlot> {
        find(&mut self.producers(), id)
    }

    /// Puts the outcome of PRODUCER in; returns whether the client still wants it. CLOSE_PRODUCER, a close by the
    /// broker or the end of the connection may have come while it was worked on.
    pub(super) fn fill_producer(&self, id: u64, slot: ProducerSlot) -> bool {
        let mut producers = self.producers();
        let is_wanted = !self.connection.has_ended() && matches!(producers.get(&id), Some(ProducerSlot::Pending));
        if is_wanted {
            producers.insert(id, slot);
        }
        is_wanted
    }

    /// Frees the id of a PRODUCER that was refused.
    pub(super) fn give_up_producer(&self, id: u64) {
        let mut producers = self.producers();
        // Not if the broker closed it meanwhile: SENDs may be on their way.
        if matches!(producers.get(&id), Some(ProducerSlot::Pending)) {
            producers.remove(&id);
        }
    }

    /// Frees a producer id and returns what stood there.
    pub(super) fn take_producer(&self, id: u64) -> Option<ProducerSlot> {
        self.producers().remove(&id)
    }

    /// Forgets every producer, at the end of the connection.
    pub(super) fn clear_producers(&self) {
        self.producers().clear();
    }

    /// Notes that SUBSCRIBE is being worked on, unless the id has a consumer already; returns that one.
    pub(super) fn begin_consumer(&self, id: u64) -> Option<ConsumerSlot> {
        let mut consumers = self.consumers();
        let found = consumers.get(&id).cloned();
        if found.is_none() {
            consumers.insert(id, ConsumerSlot::Pending);
        }
        found
    }

    /// Returns what stands under a consumer id.
    pub(super) fn consumer(&self, id: u64) -> Option<ConsumerSlot> {
        self.consumers().get(&id).cloned()
    }

    /// Puts the consumer in; returns whether the client still wants it, as [`Slots::fill_producer`] does.
    pub(super) fn fill_consumer(&self, id: u64, slot: ConsumerSlot) -> bool {
        let mut consumers = self.consumers();
        let is_wanted = !self.connection.has_ended() && matches!(consumers.get(&id), Some(ConsumerSlot::Pending));
        if is_wanted {
            consumers.insert(id, slot);
        }
        is_wanted
    }

    /// Frees a consumer id and returns what stood there.
    pub(super) fn take_consumer(&self, id: u64) -> Option<ConsumerSlot> {
        self.consumers().remove(&id)
    }

    /// Forgets every consumer and returns them, at the end of the connection.
    pub(super) fn take_consumers(&self) -> Vec<ConsumerSlot> {
        std::mem::take(&mut *self.consumers()).into_values().collect()
    }

    fn producers(&self) -> MutexGuard<'_, HashMap<u64, ProducerSlot>> {
        let mut producers = self.producers.lock().unwrap_or_else(PoisonError::into_inner);
        for withdrawn in self.connection.take_withdrawn_producers() {
            match withdrawn {
                WithdrawnProducer::Refused(id) => {
                    producers.remove(&id);
                }
                WithdrawnProducer::Closed(id) => {
                    if producers.len() > REMEMBERED_CLOSES {
                        producers.retain(|_, slot| !matches!(slot, ProducerSlot::ClosedByBroker));
                    }
                    producers.insert(id, ProducerSlot::ClosedByBroker);
                }
            }
        }
        producers
    }

    fn consumers(&self) -> MutexGuard<'_, HashMap<u64, ConsumerSlot>> {
        let mut consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        for id in self.connection.take_withdrawn_consumers() {
            consumers.remove(&id);
        }
        consumers
    }
}

/// Returns what stands under a producer id; a producer whose turn has come is ready from now on.
fn find(producers: &mut HashMap<u64, ProducerSlot>, id: u64) -> Option<ProducerSlot> {
    let slot = producers.get_mut(&id)?;
    if let ProducerSlot::Waiting(topic, handle) = slot
        && topic.is_publishing(handle.key)
    {
        *slot = ProducerSlot::Ready(Arc::clone(topic), Arc::clone(handle));
    }
    Some(slot.clone())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use bitacora_pulsar_wire::proto::CommandError;

    use super::*;

    fn slots() -> (Arc<Connection>, Slots) {
        let connection = Arc::new(Connection::new(1, "test".to_owned(), 1 << 20));
        (Arc::clone(&connection), Slots::new(connection))
    }

    #[test]
    fn what_a_topic_withdraws_is_seen_at_the_next_look() {
        let (connection, slots) = slots();
        for id in [1, 2] {
            assert!(matches!(slots.begin_producer(id, 0), Begin::Work));
            assert!(matches!(slots.begin_producer(id, 0), Begin::Busy));
        }
        connection.close_producer(1);
        connection.refuse_producer(2, CommandError::default());
        assert!(matches!(slots.producer(1), Some(ProducerSlot::ClosedByBroker)), "late SENDs are ignored");
        assert!(slots.producer(2).is_none());
        assert!(!slots.fill_producer(1, ProducerSlot::ClosedByBroker), "what PRODUCER made is not wanted any more");
        assert!(slots.begin_consumer(7).is_none());
        assert!(matches!(slots.begin_consumer(7), Some(ConsumerSlot::Pending)));
        connection.close_consumer(7);
        assert!(slots.consumer(7).is_none());
    }

    /// A note about the former producer of an id must not reach the one that came after it.
    #[test]
    fn an_id_that_is_used_again_is_not_withdrawn_by_an_old_note() {
        let (connection, slots) = slots();
        assert!(matches!(slots.begin_producer(1, 0), Begin::Work));
        connection.close_producer(1);
        assert!(matches!(slots.begin_producer(1, 0), Begin::Work));
        assert!(matches!(slots.producer(1), Some(ProducerSlot::Pending)));
        slots.give_up_producer(1);
        assert!(slots.producer(1).is_none());
    }

    #[test]
    fn closed_producers_are_forgotten_when_there_are_many() {
        let (connection, slots) = slots();
        let many = REMEMBERED_CLOSES as u64 + 2;
        for id in 0..many {
            slots.begin_producer(id, 0);
            connection.close_producer(id);
        }
        assert!(slots.producer(0).is_none());
        assert!(matches!(slots.producer(many - 1), Some(ProducerSlot::ClosedByBroker)));
    }
}
