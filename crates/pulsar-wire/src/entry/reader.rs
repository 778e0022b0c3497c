//! Reads the messages of an entry.

use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::compression::decompress;
use super::split_entry;
use crate::error::Error;
use crate::proto::{MessageMetadata, SingleMessageMetadata};

/// What a reader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Largest body after decompression.
    pub max_uncompressed_bytes: usize,
}

impl Default for ReadLimits {
    /// 64 MiB: above any batch of a producer with Pulsar's default limits.
    fn default() -> Self {
        Self { max_uncompressed_bytes: 64 * 1024 * 1024 }
    }
}

/// One message of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryMessage {
    /// Index in the batch; `None` when the entry is not a batch.
    pub batch_index: Option<u32>,
    /// The message's own metadata; for an entry that is not a batch, taken from the entry's.
    pub metadata: SingleMessageMetadata,
    /// The payload, shared with the entry.
    pub payload: Bytes,
}

/// Iterates over the messages of an entry; the checksum was verified and the body decompressed when it was opened.
#[derive(Clone, Debug)]
pub struct EntryReader {
    metadata: MessageMetadata,
    body: Bytes,
    next_index: u32,
    message_count: u32,
}

impl EntryReader {
    /// Opens an entry.
    ///
    /// # Errors
    /// Damaged bytes, a codec or encryption that this build cannot read, a body above the limit, or a batch that does
    /// not hold as many messages as it announces.
    pub fn open(entry: &Bytes, limits: ReadLimits) -> Result<Self, Error> {
        let (metadata, body) = Self::parts(entry)?;
        Self::of_parts(metadata, body, limits)
    }

    /// Verifies an entry and returns its metadata and its body as stored.
    ///
    /// # Errors
    /// Damaged bytes.
    pub fn parts(entry: &Bytes) -> Result<(MessageMetadata, Bytes), Error> {
        let parts = split_entry(entry)?;
        parts.verify()?;
        let metadata = MessageMetadata::decode(parts.metadata).map_err(Error::Metadata)?;
        Ok((metadata, entry.slice_ref(parts.body)))
    }

    /// Opens what [`EntryReader::parts`] returned, or the metadata of one chunk with the joined bodies of all of them.
    ///
    /// # Errors
    /// As [`EntryReader::open`], but for the checksum.
    pub fn of_parts(metadata: MessageMetadata, mut body: Bytes, limits: ReadLimits) -> Result<Self, Error> {
        if !metadata.encryption_keys.is_empty() {
            return Err(Error::Encrypted);
        }
        let compression = metadata.compression.unwrap_or_default();
        let announced = if compression == 0 { body.len() } else { metadata.uncompressed_size() as usize };
        if announced > limits.max_uncompressed_bytes {
            return Err(Error::UncompressedTooLarge {
                announced_bytes: announced as u64,
                limit_bytes: limits.max_uncompressed_bytes as u64,
            });
        }
        if compression != 0 {
            body = decompress(compression, body, announced)?;
        }
        let message_count = match metadata.num_messages_in_batch {
            None => 1,
            Some(count) => u32::try_from(count)
                .ok()
                .filter(|count| *count > 0)
                .ok_or(Error::MalformedEntry { reason: "the count of messages is below 1" })?,
        };
        let reader = Self { metadata, body, next_index: 0, message_count };
        if reader.is_batch() {
            reader.check_count()?;
        }
        Ok(reader)
    }

    /// Checks that the batch has as many messages as it announces. With a false count messages would be dropped
    /// silently, or memory would be allocated for messages that do not exist.
    fn check_count(&self) -> Result<(), Error> {
        // The least bytes of a message: its size field and the one required field of its metadata.
        const MESSAGE_BYTES_MIN: usize = 6;
        if self.message_count as usize > self.body.len() / MESSAGE_BYTES_MIN {
            return Err(ends("it announces more messages than its bytes can hold"));
        }
        let mut rest: &[u8] = &self.body;
        for _ in 0..self.message_count {
            let size = rest.try_get_u32().map_err(|_| ends("the batch ends inside a message's size"))? as usize;
            let (metadata, after) =
                rest.split_at_checked(size).ok_or(ends("the batch ends inside a message's metadata"))?;
            let payload_bytes = payload_bytes(metadata)?;
            rest = after.get(payload_bytes..).ok_or(ends("the batch ends inside a message's payload"))?;
        }
        if rest.is_empty() { Ok(()) } else { Err(ends("it holds more than the messages that it announces")) }
    }

    /// Returns the metadata of the entry.
    pub fn metadata(&self) -> &MessageMetadata {
        &self.metadata
    }

    /// Returns whether the entry is a batch (also one of a single message).
    pub fn is_batch(&self) -> bool {
        self.metadata.num_messages_in_batch.is_some()
    }

    /// Returns the count of messages that the metadata announces.
    pub fn message_count(&self) -> u32 {
        self.message_count
    }

    fn read_next(&mut self) -> Result<EntryMessage, Error> {
        let index = self.next_index;
        if !self.is_batch() {
            let payload = std::mem::take(&mut self.body);
            return Ok(EntryMessage {
                batch_index: None,
                metadata: own_metadata(&self.metadata, payload.len()),
                payload,
            });
        }
        let size = self.body.try_get_u32().map_err(|_| ends("the batch ends inside a message's size"))? as usize;
        let metadata = self.body.get(..size).ok_or(ends("the batch ends inside a message's metadata"))?;
        let metadata = SingleMessageMetadata::decode(metadata).map_err(Error::Metadata)?;
        self.body.advance(size);
        let payload_bytes = usize::try_from(metadata.payload_size)
            .ok()
            .filter(|bytes| *bytes <= self.body.len())
            .ok_or(ends("the batch ends inside a message's payload"))?;
        let payload = self.body.split_to(payload_bytes);
        Ok(EntryMessage { batch_index: Some(index), metadata, payload })
    }
}

impl Iterator for EntryReader {
    type Item = Result<EntryMessage, Error>;

    /// Returns the next message; after an error there are no more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.next_index >= self.message_count {
            return None;
        }
        let message = self.read_next();
        self.next_index = if message.is_ok() { self.next_index + 1 } else { self.message_count };
        Some(message)
    }
}

fn ends(reason: &'static str) -> Error {
    Error::MalformedEntry { reason }
}

/// Reads only the payload's size from a message's metadata.
#[expect(clippy::cast_possible_truncation, reason = "an int32 is the low half of its varint")]
fn payload_bytes(mut metadata: &[u8]) -> Result<usize, Error> {
    let mut found = None;
    while !metadata.is_empty() {
        let (number, wire) = decode_key(&mut metadata).map_err(Error::Metadata)?;
        match (number, wire) {
            (3, WireType::Varint) => {
                let size = decode_varint(&mut metadata).map_err(Error::Metadata)? as i32;
                found = usize::try_from(size).ok();
            }
            _ => skip_field(wire, number, &mut metadata, DecodeContext::default()).map_err(Error::Metadata)?,
        }
    }
    found.ok_or(ends("a message's metadata name no payload size"))
}

fn own_metadata(entry: &MessageMetadata, payload_bytes: usize) -> SingleMessageMetadata {
    SingleMessageMetadata {
        properties: entry.properties.clone(),
        partition_key: entry.partition_key.clone(),
        payload_size: i32::try_from(payload_bytes).unwrap_or(i32::MAX),
        compacted_out: None,
        event_time: entry.event_time,
        partition_key_b64_encoded: entry.partition_key_b64_encoded,
        ordering_key: entry.ordering_key.clone(),
        sequence_id: Some(entry.sequence_id),
        null_value: entry.null_value,
        null_partition_key: entry.null_partition_key,
    }
}
