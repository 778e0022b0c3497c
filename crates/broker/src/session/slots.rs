//! The producers and consumers of one connection, by the ids that the client gave them.
//!
//! The [`Connection`] has notes of what the broker withdrew. Each access to the tables applies the notes first, so that
//! a topic never writes here. Order of locks: table, topic, notes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    peer::{CloseReason, Connection, WithdrawnProducer},
    subscription::ConsumerKey,
    topic::{ProducerHandle, Subscription, Topic},
};

/// Number of producer ids of one connection above which the ids of producers that the broker closed are forgotten.
/// Until then a late SEND for such an id is ignored; afterwards it is an error.
const REMEMBERED_CLOSES: usize = 1_000;

/// A producer id on a connection.
#[derive(Debug, Clone)]
pub(super) enum ProducerSlot {
    /// PRODUCER is being processed.
    Pending,
    /// The producer waits in the topic's queue. Only the topic knows when its turn comes; then the slot counts as
    /// ready.
    Waiting(Arc<Topic>, Arc<ProducerHandle>),
    /// The producer may publish.
    Ready(Arc<Topic>, Arc<ProducerHandle>),
    /// The broker closed the producer; late SENDs are ignored.
    ClosedByBroker(CloseReason),
}

/// What a PRODUCER finds under its id.
#[derive(Debug)]
pub(super) enum Begin {
    /// Nothing, or a producer that it replaces: PRODUCER must be processed.
    Work,
    /// An earlier PRODUCER without a final answer.
    Busy,
    /// The producer that it asks for.
    Known(Arc<ProducerHandle>),
}

/// A consumer id on a connection.
#[derive(Debug, Clone)]
pub(super) enum ConsumerSlot {
    /// SUBSCRIBE is being processed.
    Pending,
    /// The consumer may consume.
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

    /// Marks an id as pending for a PRODUCER, unless the id has a producer already. A client that creates a producer
    /// again on the same connection raises `epoch`; then the old producer is replaced.
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

    /// Returns the slot of a producer id.
    pub(super) fn producer(&self, id: u64) -> Option<ProducerSlot> {
        find(&mut self.producers(), id)
    }

    /// Stores the result of PRODUCER, and returns whether the client still wants it. CLOSE_PRODUCER, a close by the
    /// broker or the end of the connection may have come while PRODUCER was processed.
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
        // If the broker closed the producer meanwhile, the id stays, because SENDs may be under way.
        if matches!(producers.get(&id), Some(ProducerSlot::Pending)) {
            producers.remove(&id);
        }
    }

    /// Frees a producer id and returns its slot.
    pub(super) fn take_producer(&self, id: u64) -> Option<ProducerSlot> {
        self.producers().remove(&id)
    }

    /// Removes every producer, at the end of the connection.
    pub(super) fn clear_producers(&self) {
        self.producers().clear();
    }

    /// Marks an id as pending for a SUBSCRIBE. If the id has a consumer already, nothing changes and its slot is
    /// returned.
    pub(super) fn begin_consumer(&self, id: u64) -> Option<ConsumerSlot> {
        let mut consumers = self.consumers();
        let found = consumers.get(&id).cloned();
        if found.is_none() {
            consumers.insert(id, ConsumerSlot::Pending);
        }
        found
    }

    /// Returns the slot of a consumer id.
    pub(super) fn consumer(&self, id: u64) -> Option<ConsumerSlot> {
        self.consumers().get(&id).cloned()
    }

    /// Stores the consumer, and returns whether the client still wants it, as [`Slots::fill_producer`] does.
    pub(super) fn fill_consumer(&self, id: u64, slot: ConsumerSlot) -> bool {
        let mut consumers = self.consumers();
        let is_wanted = !self.connection.has_ended() && matches!(consumers.get(&id), Some(ConsumerSlot::Pending));
        if is_wanted {
            consumers.insert(id, slot);
        }
        is_wanted
    }

    /// Frees a consumer id and returns its slot.
    pub(super) fn take_consumer(&self, id: u64) -> Option<ConsumerSlot> {
        self.consumers().remove(&id)
    }

    /// Removes and returns every consumer, at the end of the connection.
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
                WithdrawnProducer::Closed(id, reason) => {
                    if producers.len() > REMEMBERED_CLOSES {
                        producers.retain(|_, slot| !matches!(slot, ProducerSlot::ClosedByBroker(_)));
                    }
                    producers.insert(id, ProducerSlot::ClosedByBroker(reason));
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

/// Returns the slot of a producer id. A waiting producer whose turn has come becomes ready.
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
        connection.close_producer(1, CloseReason::TakenOver);
        connection.refuse_producer(2, CommandError::default());
        assert!(matches!(slots.producer(1), Some(ProducerSlot::ClosedByBroker(_))), "late SENDs are ignored");
        assert!(slots.producer(2).is_none());
        assert!(
            !slots.fill_producer(1, ProducerSlot::ClosedByBroker(CloseReason::TakenOver)),
            "what PRODUCER made is not wanted any more"
        );
        assert!(slots.begin_consumer(7).is_none());
        assert!(matches!(slots.begin_consumer(7), Some(ConsumerSlot::Pending)));
        connection.close_consumer(7);
        assert!(slots.consumer(7).is_none());
    }

    /// A note about the former producer of an id must not affect the next producer of that id.
    #[test]
    fn an_id_that_is_used_again_is_not_withdrawn_by_an_old_note() {
        let (connection, slots) = slots();
        assert!(matches!(slots.begin_producer(1, 0), Begin::Work));
        connection.close_producer(1, CloseReason::TakenOver);
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
            connection.close_producer(id, CloseReason::TopicClosed);
        }
        assert!(slots.producer(0).is_none());
        assert!(matches!(slots.producer(many - 1), Some(ProducerSlot::ClosedByBroker(_))));
    }
}
