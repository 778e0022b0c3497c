//! A received message.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitacora_pulsar_wire::{EntryMessage, MessageId, MessageMetadata, SingleMessageMetadata, TopicName};
use bytes::Bytes;

/// A message as it was delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its topic.
    pub topic: Arc<TopicName>,
    /// Its id, with the index inside a batch.
    pub id: MessageId,
    /// The payload; empty when the value is null.
    pub payload: Bytes,
    /// The message's own metadata: key, properties, event time, sequence id, null flags.
    pub metadata: SingleMessageMetadata,
    /// Metadata of the entry: producer, publish time, schema version.
    pub entry: Arc<MessageMetadata>,
    /// How often it was delivered before.
    pub redelivery_count: u32,
    /// Where its first chunk lies, if it came in chunks; `id` is that of the last one.
    pub first_chunk_id: Option<MessageId>,
}

impl Message {
    pub(super) fn new(
        topic: &Arc<TopicName>,
        entry_id: MessageId,
        entry: &Arc<MessageMetadata>,
        message: EntryMessage,
        redelivery_count: u32,
    ) -> Self {
        let batch_index = message.batch_index.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1);
        Self {
            topic: Arc::clone(topic),
            id: MessageId { batch_index, ..entry_id },
            payload: message.payload,
            metadata: message.metadata,
            entry: Arc::clone(entry),
            redelivery_count,
            first_chunk_id: None,
        }
    }

    /// Returns the value: the payload, or `None` when it is null.
    pub fn value(&self) -> Option<&[u8]> {
        (!self.metadata.null_value()).then_some(&self.payload[..])
    }

    /// Returns the key as it is stored: base64 text when the message says so.
    pub fn key_text(&self) -> Option<&str> {
        self.metadata.partition_key.as_deref()
    }

    /// Returns the bytes of the key, out of base64 when the message says so.
    pub fn key(&self) -> Option<Vec<u8>> {
        let text = self.key_text()?;
        if !self.metadata.partition_key_b64_encoded() {
            return Some(text.as_bytes().to_vec());
        }
        STANDARD.decode(text).ok()
    }

    /// Returns the producer's name.
    pub fn producer_name(&self) -> &str {
        &self.entry.producer_name
    }

    /// Returns the message's sequence id.
    pub fn sequence_id(&self) -> u64 {
        self.metadata.sequence_id.unwrap_or(self.entry.sequence_id)
    }

    /// Returns the publish time in milliseconds since 1970.
    pub fn publish_time_ms(&self) -> u64 {
        self.entry.publish_time
    }

    /// Returns the event time in milliseconds since 1970, if the message has one.
    pub fn event_time_ms(&self) -> Option<u64> {
        self.metadata.event_time.filter(|time| *time > 0)
    }

    /// Returns the schema version, eight bytes, if the producer had a schema.
    pub fn schema_version(&self) -> Option<&Bytes> {
        self.entry.schema_version.as_ref()
    }
}
