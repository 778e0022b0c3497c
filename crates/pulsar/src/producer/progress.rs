//! What the broker has said to a producer: at its opening, and about its messages.

use bitacora_pulsar_wire::MessageId;
use bytes::Bytes;

use crate::error::Error;

/// What the broker answered when the producer was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Name, as given or invented by the broker.
    pub name: String,
    /// Highest sequence id that the broker knows of this name; −1 when it knows none or does not deduplicate.
    pub last_sequence_id: i64,
    /// Version of the schema, eight bytes; empty without a schema.
    pub schema_version: Bytes,
    /// Epoch of the topic, in the exclusive modes.
    pub topic_epoch: Option<u64>,
    /// Largest entry that the broker takes.
    pub max_message_bytes: usize,
}

/// What is durable of what a producer has sent.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Highest sequence id whose batch is durable at the broker, −1 before the first receipt.
    pub durable_sequence_id: i64,
    /// Id of the newest durable message for which the broker has named one.
    pub durable_message_id: Option<MessageId>,
    /// How often the producer lost its session, after which it opens again.
    pub reconnect_count: u64,
    /// Receipts of batches that the broker had stored before.
    pub duplicate_count: u64,
    /// Set once the producer has failed for good; no batch after `durable_sequence_id` is known to be stored.
    pub failure: Option<Error>,
}

/// Proof that a message is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendReceipt {
    /// Its id; [`MessageId::is_none`] when the broker had stored the sequence id before.
    pub message_id: MessageId,
    /// Its sequence id.
    pub sequence_id: u64,
}
