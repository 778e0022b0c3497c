//! The messages of a row, and the reusable buffer that they are written to.

use std::ops::Range;

use crate::landmark::Landmark;
use crate::scratch::Scratch;

/// Most memory that a cleared buffer keeps; what a huge row needed beyond that is freed.
const KEPT_BYTES: usize = 8 << 20;

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `c`: inserted.
    Create,
    /// `u`: updated.
    Update,
    /// `d`: deleted.
    Delete,
    /// `r`: read by a snapshot.
    Read,
}

/// One message: places in the buffer's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    landmarks: Range<usize>,
    properties: Range<usize>,
    event_time_ms: Option<u64>,
}

/// A message that is complete elsewhere and goes into a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WholeMessage<'a> {
    /// Key, if there is one.
    pub key: Option<&'a [u8]>,
    /// Value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values of its properties.
    pub properties: &'a [(String, String)],
    /// When the event happened that it is about, milliseconds since 1970.
    pub event_time_ms: Option<u64>,
}

/// The messages of one row. It is cleared and reused, so that it stops allocating once it is large enough.
#[derive(Debug, Default)]
pub struct MessageBuffer {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    /// Properties of all messages; the entries behind `property_count` keep their allocations for later messages.
    properties: Vec<(String, String)>,
    property_count: usize,
    scratch: Scratch,
}

impl MessageBuffer {
    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.messages.clear();
        self.property_count = 0;
        self.scratch.landmarks.clear();
    }

    /// Returns the messages in their order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Returns the key of a message; `None` for a table without key.
    pub fn key(&self, message: &Message) -> Option<&[u8]> {
        message.key.clone().and_then(|range| self.bytes.get(range))
    }

    /// Returns the value of a message; `None` for a tombstone.
    pub fn value(&self, message: &Message) -> Option<&[u8]> {
        message.value.clone().and_then(|range| self.bytes.get(range))
    }

    /// Returns the landmarks of a message's value, in rising order; none for a message that was pushed whole.
    pub fn landmarks(&self, message: &Message) -> &[Landmark] {
        self.scratch.landmarks.of(message.landmarks.clone())
    }

    /// Returns names and values of a message's properties; only routed messages and those of a changed key have some.
    pub fn properties(&self, message: &Message) -> &[(String, String)] {
        self.properties.get(message.properties.clone()).unwrap_or_default()
    }

    /// Returns when the event of a message happened, milliseconds since 1970; only routed messages have such a time.
    pub fn event_time_ms(&self, message: &Message) -> Option<u64> {
        message.event_time_ms
    }

    /// Returns the length in bytes of all keys, values and properties.
    pub fn byte_count(&self) -> usize {
        let properties = self.properties.iter().take(self.property_count);
        self.bytes.len() + properties.map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }

    /// Adds a message that is complete already.
    pub fn push(&mut self, message: &WholeMessage<'_>) {
        let mut keep = |part: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(part);
            start..self.bytes.len()
        };
        let key = message.key.map(&mut keep);
        let value = message.value.map(&mut keep);
        let start = self.property_count;
        for (name, value) in message.properties {
            self.push_property(name, value);
        }
        let properties = start..self.property_count;
        self.messages.push(Message { key, value, landmarks: 0..0, properties, event_time_ms: message.event_time_ms });
    }

    /// Forgets the messages from number `count` on. For buffers of whole messages, as [`MessageBuffer::push`] adds
    /// them.
    pub fn truncate(&mut self, count: usize) {
        self.messages.truncate(count);
        let end_of = |message: &Message| message.value.as_ref().or(message.key.as_ref()).map(|range| range.end);
        self.bytes.truncate(self.messages.iter().rev().find_map(end_of).unwrap_or(0));
        self.property_count = self.messages.last().map_or(0, |message| message.properties.end);
    }

    /// Gives a property to the messages of these numbers, which have none yet.
    pub(crate) fn set_property(&mut self, messages: Range<usize>, name: &str, value: &str) {
        let start = self.property_count;
        self.push_property(name, value);
        for message in self.messages.get_mut(messages).unwrap_or_default() {
            message.properties = start..self.property_count;
        }
    }

    fn push_property(&mut self, name: &str, value: &str) {
        if self.property_count == self.properties.len() {
            self.properties.push(<(String, String)>::default());
        }
        if let Some(property) = self.properties.get_mut(self.property_count) {
            name.clone_into(&mut property.0);
            value.clone_into(&mut property.1);
            self.property_count += 1;
        }
    }

    pub(crate) fn parts(&mut self) -> (&mut Vec<u8>, &mut Scratch) {
        (&mut self.bytes, &mut self.scratch)
    }

    pub(crate) fn finish(&mut self, key: Option<Range<usize>>, value: Option<Range<usize>>) {
        let landmarks = self.scratch.landmarks.finish();
        self.messages.push(Message { key, value, landmarks, properties: 0..0, event_time_ms: None });
    }
}
