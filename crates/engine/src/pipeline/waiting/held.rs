//! Messages that wait for the decision on their transaction.

use bitacora_change::{Message, MessageBuffer, WholeMessage};

use super::super::logical_offset::EventOffset;
use super::super::topics::TopicIndex;
use crate::sink::OutgoingMessage;

/// Where a message that waits belongs.
#[derive(Debug, Clone, Copy)]
struct HeldPlace {
    /// Its topic.
    topic: TopicIndex,
    /// Distance of its sequence id from the place from which its transaction is counted.
    distance: u64,
}

/// The messages of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Where each message of the buffer belongs, in their order.
    places: Vec<HeldPlace>,
    buffer: MessageBuffer,
}

impl Held {
    /// Keeps a message of a buffer.
    pub(crate) fn push(&mut self, topic: TopicIndex, distance: u64, from: &MessageBuffer, message: &Message) {
        self.places.push(HeldPlace { topic, distance });
        self.buffer.push(&WholeMessage {
            key: from.key(message),
            value: from.value(message),
            properties: from.properties(message),
            event_time_ms: from.event_time_ms(message),
        });
    }

    /// Counts the messages.
    pub(crate) fn message_count(&self) -> usize {
        self.places.len()
    }

    /// Counts the bytes of all messages.
    pub(crate) fn byte_count(&self) -> usize {
        self.buffer.byte_count()
    }

    /// The messages in their order, with their topics. The sequence id of each is `base` and its distance.
    pub(crate) fn messages(&self, base: EventOffset) -> impl Iterator<Item = (TopicIndex, OutgoingMessage<'_>)> {
        let messages = self.places.iter().zip(self.buffer.messages());
        messages.map(move |(place, message)| {
            (place.topic, OutgoingMessage::of(&self.buffer, message, base.at(place.distance)))
        })
    }

    /// Forgets the messages from number `count` on; the memory is kept.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.places.truncate(count);
        self.buffer.truncate(count);
    }
}
