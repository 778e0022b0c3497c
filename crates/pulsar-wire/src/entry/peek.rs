//! The metadata fields that a broker needs, read without an allocation.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::split_entry;
use crate::error::Error;

/// Borrowed view of the metadata that matters for storing, ordering and dispatching an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryPeek<'a> {
    /// Producer's name.
    pub producer_name: &'a str,
    /// Sequence id of the first message.
    pub sequence_id: u64,
    /// Sequence id of the last message of a batch.
    pub highest_sequence_id: Option<u64>,
    /// Milliseconds since 1970.
    pub publish_time: u64,
    /// Present exactly when the entry is a batch.
    pub num_messages_in_batch: Option<i32>,
    /// Key, as stored.
    pub partition_key: Option<&'a str>,
    /// The key is base64 of bytes.
    pub partition_key_b64_encoded: bool,
    /// Key for Key_Shared, in preference to `partition_key`.
    pub ordering_key: Option<&'a [u8]>,
    /// Milliseconds since 1970.
    pub event_time: Option<u64>,
    /// Deliver not before this time, milliseconds since 1970.
    pub deliver_at_time: Option<i64>,
    /// Number of the codec.
    pub compression: i32,
    /// Body bytes before compression.
    pub uncompressed_size: u32,
    /// Schema version that the messages were written with.
    pub schema_version: Option<&'a [u8]>,
    /// The value is null (compaction deletes the key).
    pub null_value: bool,
    /// The key is null.
    pub null_partition_key: bool,
    /// Common id of the chunks of one message.
    pub uuid: Option<&'a str>,
    /// Index of this chunk.
    pub chunk_id: Option<i32>,
    /// Count of chunks of the message.
    pub num_chunks_from_msg: Option<i32>,
    /// Bytes of all chunks together.
    pub total_chunk_msg_size: Option<i32>,
    /// A marker of replication or transactions, not a message.
    pub marker_type: Option<i32>,
    /// The entry belongs to a transaction.
    pub has_transaction: bool,
    /// The body is encrypted.
    pub is_encrypted: bool,
}

impl<'a> EntryPeek<'a> {
    /// Reads the metadata of an entry; the checksum is not verified (see [`super::EntryParts::verify`]).
    ///
    /// # Errors
    /// [`Error::MalformedEntry`] or [`Error::Metadata`].
    pub fn parse(entry: &'a [u8]) -> Result<Self, Error> {
        Self::parse_metadata(split_entry(entry)?.metadata)
    }

    /// Reads encoded metadata.
    ///
    /// # Errors
    /// [`Error::MalformedEntry`] or [`Error::Metadata`].
    pub fn parse_metadata(mut metadata: &'a [u8]) -> Result<Self, Error> {
        let mut peek = Self::default();
        while !metadata.is_empty() {
            let (number, wire) = decode_key(&mut metadata).map_err(Error::Metadata)?;
            match wire {
                WireType::Varint => {
                    let value = decode_varint(&mut metadata).map_err(Error::Metadata)?;
                    peek.set_number(number, value);
                }
                WireType::LengthDelimited => {
                    let size = decode_varint(&mut metadata).map_err(Error::Metadata)?;
                    let (value, rest) = usize::try_from(size)
                        .ok()
                        .and_then(|size| metadata.split_at_checked(size))
                        .ok_or(Error::MalformedEntry { reason: "a field is longer than the metadata" })?;
                    metadata = rest;
                    peek.set_bytes(number, value)?;
                }
                _ => skip_field(wire, number, &mut metadata, DecodeContext::default()).map_err(Error::Metadata)?,
            }
        }
        Ok(peek)
    }

    /// Returns whether the body is a run of single messages.
    pub fn is_batch(&self) -> bool {
        self.num_messages_in_batch.is_some()
    }

    /// Returns the count of messages: what the entry costs in permits. At least 1.
    pub fn message_count(&self) -> u32 {
        self.num_messages_in_batch.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1)
    }

    /// Returns the highest sequence id in the entry, the one that deduplication compares.
    pub fn last_sequence_id(&self) -> u64 {
        self.highest_sequence_id.map_or(self.sequence_id, |highest| highest.max(self.sequence_id))
    }

    // Protobuf writes an int32 as a varint of 64 bits, whose low half is the value.
    #[expect(clippy::cast_possible_truncation, reason = "an int32 is the low half of its varint")]
    fn set_number(&mut self, number: u32, value: u64) {
        let int = value as i32;
        match number {
            2 => self.sequence_id = value,
            3 => self.publish_time = value,
            8 => self.compression = int,
            9 => self.uncompressed_size = value as u32,
            11 => self.num_messages_in_batch = Some(int),
            12 => self.event_time = Some(value),
            17 => self.partition_key_b64_encoded = value != 0,
            19 => self.deliver_at_time = Some(value.cast_signed()),
            20 => self.marker_type = Some(int),
            22 | 23 => self.has_transaction = true,
            24 => self.highest_sequence_id = Some(value),
            25 => self.null_value = value != 0,
            27 => self.num_chunks_from_msg = Some(int),
            28 => self.total_chunk_msg_size = Some(int),
            29 => self.chunk_id = Some(int),
            30 => self.null_partition_key = value != 0,
            _ => {}
        }
    }

    fn set_bytes(&mut self, number: u32, value: &'a [u8]) -> Result<(), Error> {
        match number {
            1 => self.producer_name = text(value)?,
            6 => self.partition_key = Some(text(value)?),
            13 => self.is_encrypted = true,
            16 => self.schema_version = Some(value),
            18 => self.ordering_key = Some(value),
            26 => self.uuid = Some(text(value)?),
            _ => {}
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes)
        .map_err(|_| Error::MalformedEntry { reason: "a text field of the metadata is not UTF-8" })
}
