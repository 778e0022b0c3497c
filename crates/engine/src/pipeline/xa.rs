//! XA transactions between PREPARE and the decision.
//!
//! The log holds the rows of an XA transaction when it is *prepared*; whether they count is said later, by `XA COMMIT` or
//! `XA ROLLBACK`. Their messages wait here. A commit releases them as if they had been written at that place of the log:
//! their sequence ids follow the commit's own offset and keep their distances, so that a replay numbers them alike. While
//! a transaction waits no checkpoint may pass it, or its rows would be lost with a restart.

use std::collections::HashMap;

use bitacora_change::{Message, MessageBuffer, WholeMessage};

use super::logical_offset::{EventOffset, LogicalOffset};
use crate::sink::OutgoingMessage;

/// Where a message that waits belongs.
#[derive(Debug, Clone, Copy)]
pub struct HeldPlace {
    /// Index of its topic.
    pub topic: usize,
    /// Distance of its sequence id from the transaction's first event.
    pub distance: u64,
}

/// The messages of one prepared transaction.
#[derive(Debug)]
pub struct Held {
    /// Counts the bytes of the transaction's events, from 0.
    pub offset: LogicalOffset,
    /// Where each message of the buffer belongs, in their order.
    places: Vec<HeldPlace>,
    buffer: MessageBuffer,
}

impl Default for Held {
    fn default() -> Self {
        Held { offset: LogicalOffset::at(0), places: Vec::new(), buffer: MessageBuffer::default() }
    }
}

impl Held {
    /// Keeps a message of a buffer.
    pub fn push(&mut self, topic: usize, distance: u64, from: &MessageBuffer, message: &Message) {
        self.places.push(HeldPlace { topic, distance });
        self.buffer.push(&WholeMessage {
            key: from.key(message),
            value: from.value(message),
            properties: from.properties(message),
            event_time_ms: from.event_time_ms(message),
        });
    }

    /// Counts the messages.
    pub fn message_count(&self) -> usize {
        self.places.len()
    }

    /// The messages in their order. The sequence id of each is `base` and its distance.
    pub fn messages(&self, base: EventOffset) -> impl Iterator<Item = (usize, OutgoingMessage<'_>)> {
        let messages = self.places.iter().zip(self.buffer.messages());
        messages.map(move |(place, message)| {
            (place.topic, OutgoingMessage::of(&self.buffer, message, base.at(place.distance)))
        })
    }

    fn byte_count(&self) -> usize {
        self.buffer.byte_count()
    }
}

/// The transaction being prepared and those that wait for their decision, by the text of their xid.
#[derive(Debug, Default)]
pub struct XaTransactions {
    current: Option<(String, Held)>,
    waiting: HashMap<String, Held>,
    bytes: usize,
}

impl XaTransactions {
    /// `XA START` was read: rows belong to this transaction until it is prepared.
    pub fn start(&mut self, xid: &str) {
        self.current = Some((xid.to_owned(), Held::default()));
    }

    /// The transaction whose rows are being read.
    pub fn current(&mut self) -> Option<&mut Held> {
        self.current.as_mut().map(|(_, held)| held)
    }

    /// The transaction is prepared: it waits. Gives the bytes that wait in all.
    pub fn prepare(&mut self) -> usize {
        if let Some((xid, held)) = self.current.take() {
            self.bytes += held.byte_count();
            self.waiting.insert(xid, held);
        }
        self.bytes
    }

    /// The transaction commits in one phase, or was never prepared: its messages count at once.
    pub fn take_current(&mut self) -> Option<Held> {
        self.current.take().map(|(_, held)| held)
    }

    /// The decision came. `None` if the transaction was prepared before this source started.
    pub fn decide(&mut self, xid: &str) -> Option<Held> {
        let held = self.waiting.remove(xid)?;
        self.bytes -= held.byte_count();
        Some(held)
    }

    /// Whether a transaction waits, which holds back the checkpoint.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Forgets the transaction that was being read: the connection was cut and it will be read again.
    pub fn abandon_current(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn messages_wait_for_the_decision_and_are_forgotten_once() {
        let mut xa = XaTransactions::default();
        xa.start("X'61',X'',1");
        if let Some(held) = xa.current() {
            let mut buffer = MessageBuffer::default();
            buffer.push(&WholeMessage { key: Some(b"key"), ..WholeMessage::default() });
            held.push(3, 19, &buffer, &buffer.messages()[0]);
        }
        assert!(!xa.is_waiting());
        assert_eq!(xa.prepare(), 3);
        assert!(xa.is_waiting());
        assert!(xa.current().is_none());
        assert_eq!(xa.decide("X'62',X'',1").map(|held| held.message_count()), None);
        assert_eq!(xa.decide("X'61',X'',1").map(|held| held.message_count()), Some(1));
        assert!(!xa.is_waiting());
        assert_eq!(xa.prepare(), 0);
    }
}
