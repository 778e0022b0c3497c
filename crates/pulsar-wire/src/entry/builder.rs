//! Builds entries from messages.
//!
//! One builder lives as long as its producer and is reused: [`BatchBuilder::append`] writes a message's metadata and
//! payload behind the previous ones, without an allocation once the buffer has grown; [`BatchBuilder::finish`]
//! compresses the body, computes the checksum and returns the entry in one allocation of its exact size.

use bytes::Bytes;

use super::MAGIC_CHECKSUM;
use super::compression::{Codec, Compressor};
use super::lz4::Hints;
use super::single::{self, KeyKind, OutgoingMessage, StoredKey, put_bytes, put_property, put_varint};
use crate::error::Error;

/// What all messages of an entry share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHeader<'a> {
    /// Name of the producer, on which the broker's deduplication works.
    pub producer_name: &'a str,
    /// Milliseconds since 1970.
    pub publish_time_ms: u64,
    /// Version of the schema that the broker gave at PRODUCER; `None` or empty when the producer has no schema.
    pub schema_version: Option<&'a [u8]>,
    /// Codec of the body.
    pub codec: Codec,
}

/// A finished entry, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The entry.
    pub entry: Bytes,
    /// Sequence id of its first message.
    pub lowest_sequence_id: u64,
    /// Sequence id of its last message.
    pub highest_sequence_id: u64,
    /// Count of its messages, at least 1.
    pub message_count: u32,
    /// Size of its body before compression.
    pub uncompressed_bytes: usize,
}

/// Collects messages into an entry.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    body: Vec<u8>,
    /// Where the payload of the first message begins: an entry of one message is that payload alone.
    first: FirstMessage,
    message_count: u32,
    lowest_sequence_id: u64,
    highest_sequence_id: u64,
    /// Where the body repeats, if its messages have landmarks.
    hints: Hints,
    /// Created when the builder first finishes a batch without a shared compressor.
    compressor: Option<Box<Compressor>>,
    head: Vec<u8>,
}

#[derive(Debug, Default)]
struct FirstMessage {
    payload_at: usize,
    key: StoredKey,
    event_time_ms: Option<u64>,
    ordering_key: Option<Vec<u8>>,
    is_null: bool,
    properties: Vec<(String, String)>,
}

impl BatchBuilder {
    /// Creates an empty builder; its buffer grows to the largest batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the count of messages in the open batch.
    pub fn message_count(&self) -> u32 {
        self.message_count
    }

    /// Returns the size in bytes of the open batch before compression.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Returns whether the open batch has no message.
    pub fn is_empty(&self) -> bool {
        self.message_count == 0
    }

    /// Returns the sequence id of the last message of the open batch.
    pub fn highest_sequence_id(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.highest_sequence_id)
    }

    /// Drops the open batch.
    pub fn clear(&mut self) {
        self.body.clear();
        self.hints.clear();
        self.message_count = 0;
    }

    /// Adds a message to the open batch.
    ///
    /// # Errors
    /// [`Error::MessageTooLarge`]; the batch is as it was before.
    pub fn append(&mut self, message: &OutgoingMessage<'_>) -> Result<(), Error> {
        let payload_bytes = message.value.map_or(0, <[u8]>::len);
        let after = self.body.len() as u64 + payload_bytes as u64;
        if after > i32::MAX as u64 {
            return Err(Error::MessageTooLarge { bytes: after });
        }
        let start = self.body.len();
        single::append(message, &mut self.body)?;
        self.hints.add(message.landmarks, start, self.body.len() - payload_bytes);
        if self.message_count == 0 {
            self.lowest_sequence_id = message.sequence_id;
            self.first.remember(message, self.body.len() - payload_bytes);
        }
        self.highest_sequence_id = message.sequence_id;
        self.message_count += 1;
        Ok(())
    }

    /// Closes the open batch and returns its entry, or `None` when there is no message.
    ///
    /// A batch of one message becomes a plain entry, as Pulsar's own producers do. The builder is empty afterwards,
    /// also after an error.
    ///
    /// # Errors
    /// [`Error::Compress`] when the codec fails.
    pub fn finish(&mut self, header: &EntryHeader<'_>) -> Result<Option<Batch>, Error> {
        let mut compressor = self.compressor.take().unwrap_or_default();
        let finished = self.finish_with(header, &mut compressor);
        self.compressor = Some(compressor);
        finished
    }

    /// Does what [`BatchBuilder::finish`] does with a compressor that several builders share.
    ///
    /// # Errors
    /// [`Error::Compress`] when the codec fails.
    #[expect(clippy::cast_possible_truncation, reason = "metadata is below the size of a frame, which has 32 bits")]
    pub fn finish_with(
        &mut self,
        header: &EntryHeader<'_>,
        compressor: &mut Compressor,
    ) -> Result<Option<Batch>, Error> {
        let message_count = std::mem::take(&mut self.message_count);
        if message_count == 0 {
            return Ok(None);
        }
        let is_batch = message_count > 1;
        let start = if is_batch { 0 } else { self.first.payload_at };
        let uncompressed = self.body.get(start..).unwrap_or_default();
        let uncompressed_bytes = uncompressed.len();
        let hints = Some(&self.hints).filter(|hints| is_batch && !hints.is_empty());
        let compressed = compressor.compress(header.codec, uncompressed, hints);
        self.hints.clear();
        let body = match compressed {
            Ok(body) => body,
            Err(error) => {
                self.body.clear();
                return Err(error);
            }
        };

        let head = &mut self.head;
        head.clear();
        head.extend_from_slice(&MAGIC_CHECKSUM.to_be_bytes());
        head.extend_from_slice(&[0; 8]);
        put_bytes(1, header.producer_name.as_bytes(), head);
        put_varint(2, self.lowest_sequence_id, head);
        put_varint(3, header.publish_time_ms, head);
        if !is_batch {
            for (key, value) in &self.first.properties {
                put_property(4, key, value, head);
            }
        }
        self.first.put_key(head);
        if header.codec != Codec::None {
            put_varint(8, header.codec.wire() as u64, head);
            put_varint(9, uncompressed_bytes as u64, head);
        }
        if is_batch {
            put_varint(11, u64::from(message_count), head);
        }
        if let Some(time) = self.first.event_time_ms {
            put_varint(12, time, head);
        }
        if let Some(version) = header.schema_version.filter(|version| !version.is_empty()) {
            put_bytes(16, version, head);
        }
        self.first.put_flags(is_batch, head);
        if is_batch {
            put_varint(24, self.highest_sequence_id, head);
        }
        self.first.put_null_flags(is_batch, head);

        let metadata_bytes = (head.len() - HEAD_BYTES) as u32;
        let mut entry = Vec::with_capacity(head.len() + body.len());
        entry.extend_from_slice(head);
        entry.extend_from_slice(body);
        if let Some(size) = entry.get_mut(CHECKED_AT..HEAD_BYTES) {
            size.copy_from_slice(&metadata_bytes.to_be_bytes());
        }
        let checksum = crc32c::crc32c(entry.get(CHECKED_AT..).unwrap_or_default());
        if let Some(target) = entry.get_mut(2..CHECKED_AT) {
            target.copy_from_slice(&checksum.to_be_bytes());
        }
        self.body.clear();
        // The memory of a single huge message is freed, or the producer would hold it for ever.
        self.body.shrink_to(KEPT_BYTES);
        compressor.shrink_to(KEPT_BYTES);
        Ok(Some(Batch {
            entry: entry.into(),
            lowest_sequence_id: self.lowest_sequence_id,
            highest_sequence_id: self.highest_sequence_id,
            message_count,
            uncompressed_bytes,
        }))
    }
}

/// Most memory that a builder and a compressor keep for the next batch.
const KEPT_BYTES: usize = 8 << 20;
/// Magic and checksum; the checksum covers what follows.
const CHECKED_AT: usize = 6;
/// Magic, checksum and metadata size.
const HEAD_BYTES: usize = 10;

impl FirstMessage {
    fn remember(&mut self, message: &OutgoingMessage<'_>, payload_at: usize) {
        self.payload_at = payload_at;
        self.key.set(message.key);
        self.event_time_ms = message.event_time_ms;
        self.ordering_key = message.ordering_key.map(<[u8]>::to_vec);
        self.is_null = message.value.is_none();
        self.properties.clear();
        self.properties.extend(message.properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    }

    fn put_key(&self, head: &mut Vec<u8>) {
        if matches!(self.key.kind, KeyKind::Text | KeyKind::Base64) {
            put_bytes(6, &self.key.text, head);
        }
    }

    fn put_flags(&self, is_batch: bool, head: &mut Vec<u8>) {
        if self.key.kind == KeyKind::Base64 {
            put_varint(17, 1, head);
        }
        if let Some(key) = self.ordering_key.as_ref().filter(|_| !is_batch) {
            put_bytes(18, key, head);
        }
    }

    /// In a batch these flags belong to the single messages: on the entry they would speak for all of them.
    fn put_null_flags(&self, is_batch: bool, head: &mut Vec<u8>) {
        if is_batch {
            return;
        }
        if self.is_null {
            put_varint(25, 1, head);
        }
        if self.key.kind == KeyKind::Null {
            put_varint(30, 1, head);
        }
    }
}
