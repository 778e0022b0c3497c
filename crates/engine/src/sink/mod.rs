//! Where messages go.
//!
//! The pipeline knows a sink only through [`Sink`]: it opens topics, appends messages in log order and asks for the
//! lowest sequence id that is not durable yet. Batching, compression, connections and retries are the sink's own
//! affair; what it promises about durability is what checkpoints are built on.

use bitacora_change::{Landmark, Message, MessageBuffer, MessageSchema};

use crate::checkpoint::TopicMark;
use crate::error::EngineError;
pub(crate) use crate::lane::Lane;

pub(crate) mod compare;
pub(crate) mod in_flight;
pub(crate) mod names;
mod opening;
pub(crate) mod pulsar;
mod sealer;
mod tail;
#[cfg(test)]
mod wordless_tests;

/// An open topic of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TopicId(pub u32);

impl TopicId {
    /// Returns the handle of a place in a list of topics.
    fn at(index: usize) -> TopicId {
        TopicId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Returns the place in that list.
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a sink knows of a topic when it opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Handle for [`Sink::append`].
    pub topic: TopicId,
    /// The highest sequence id that the sink has stored for this producer; `None` when it keeps none.
    pub last_sequence_id: Option<u64>,
}

/// One message on its way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutgoingMessage<'a> {
    /// Encoded key; `None` for a table without key.
    pub key: Option<&'a [u8]>,
    /// Encoded value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Where constant parts of the value begin; may be empty.
    pub landmarks: &'a [Landmark],
    /// Names and values of the message's properties; may be empty.
    pub properties: &'a [(String, String)],
    /// Time of the change or event, milliseconds since 1970.
    pub event_time_ms: Option<u64>,
    /// Strictly increasing for each topic and lane.
    pub sequence_id: u64,
}

impl<'a> OutgoingMessage<'a> {
    /// A message of a buffer.
    pub(crate) fn of(buffer: &'a MessageBuffer, message: &Message, sequence_id: u64) -> Self {
        OutgoingMessage {
            key: buffer.key(message),
            value: buffer.value(message),
            landmarks: buffer.landmarks(message),
            properties: buffer.properties(message),
            event_time_ms: buffer.event_time_ms(message),
            sequence_id,
        }
    }
}

/// A destination of messages. Calls come from one thread and may block it for back-pressure.
pub(crate) trait Sink {
    /// Opens a topic, or opens it again with another schema.
    ///
    /// # Errors
    /// The broker refuses the topic, the producer or the schema.
    fn open(&mut self, lane: Lane, topic: &str, schema: &MessageSchema) -> Result<Opened, EngineError>;

    /// Returns how many bytes a message's key, in Base64, and its properties may have together.
    fn metadata_bytes_max(&self) -> usize {
        usize::MAX
    }

    /// Takes a message. It need not be durable when this returns.
    ///
    /// # Errors
    /// The sink has failed for good.
    fn append(&mut self, topic: TopicId, message: OutgoingMessage<'_>) -> Result<(), EngineError>;

    /// Sends what was collected, without waiting for receipts.
    ///
    /// # Errors
    /// The sink has failed for good.
    fn flush(&mut self) -> Result<(), EngineError>;

    /// The lowest sequence id of the stream lane that is not durable; `None` when all are.
    ///
    /// # Errors
    /// The sink has failed for good.
    fn oldest_pending(&mut self) -> Result<Option<u64>, EngineError>;

    /// Takes what became durable in each topic since the last call; called after [`Sink::oldest_pending`] or
    /// [`Sink::finish`]. Empty for a sink whose topics never lose messages.
    fn take_marks(&mut self) -> Vec<TopicMark> {
        Vec::new()
    }

    /// Sends everything of a topic, waits until it is durable and closes its producer. The handle is of no use
    /// afterwards; [`Sink::open`] gives a new one.
    ///
    /// # Errors
    /// The sink has failed for good.
    fn close(&mut self, topic: TopicId) -> Result<(), EngineError>;

    /// Sends everything and waits until it is durable, then closes the producers of `lane`.
    ///
    /// # Errors
    /// The sink has failed for good.
    fn finish(&mut self, lane: Lane) -> Result<(), EngineError>;
}
