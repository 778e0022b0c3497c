//! A message that is written into an entry, with a hand-written encoder of its metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::lz4::Landmark;
use crate::error::Error;

/// The key of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MessageKey<'a> {
    /// No key.
    #[default]
    None,
    /// A KeyValue message whose key is null (`null_partition_key`).
    Null,
    /// Text, stored as it is.
    Text(&'a str),
    /// Bytes, stored as base64 with the flag `partition_key_b64_encoded`: the key of KeyValue SEPARATED messages.
    Bytes(&'a [u8]),
}

/// A message to append to a batch. All data is borrowed and copied once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct OutgoingMessage<'a> {
    /// The key.
    pub key: MessageKey<'a>,
    /// The payload; `None` writes a null value (a tombstone).
    pub value: Option<&'a [u8]>,
    /// Must be greater than that of the producer's previous message.
    pub sequence_id: u64,
    /// Time of the event in milliseconds since 1970, if the message has one.
    pub event_time_ms: Option<u64>,
    /// Orders messages in Key_Shared subscriptions instead of the key.
    pub ordering_key: Option<&'a [u8]>,
    /// Application properties.
    pub properties: &'a [(&'a str, &'a str)],
    /// Places in the value, in rising order, that help to compress it; may be empty.
    pub landmarks: &'a [Landmark],
}

/// The key of the first message, which the entry's own metadata repeats.
#[derive(Debug, Default)]
pub(super) struct StoredKey {
    pub(super) text: Vec<u8>,
    pub(super) kind: KeyKind,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    #[default]
    None,
    Null,
    Text,
    Base64,
}

impl StoredKey {
    pub(super) fn set(&mut self, key: MessageKey<'_>) {
        self.text.clear();
        self.kind = match key {
            MessageKey::None => KeyKind::None,
            MessageKey::Null => KeyKind::Null,
            MessageKey::Text(text) => {
                self.text.extend_from_slice(text.as_bytes());
                KeyKind::Text
            }
            MessageKey::Bytes(bytes) => {
                put_base64(bytes, &mut self.text);
                KeyKind::Base64
            }
        };
    }
}

/// Appends `u32` size, single-message metadata and payload.
#[expect(clippy::cast_possible_truncation, reason = "metadata is below the size of a frame, which has 32 bits")]
pub(super) fn append(message: &OutgoingMessage<'_>, body: &mut Vec<u8>) -> Result<(), Error> {
    let payload = message.value.unwrap_or_default();
    let payload_bytes = payload.len() as u64;
    if i32::try_from(payload_bytes).is_err() {
        return Err(Error::MessageTooLarge { bytes: payload_bytes });
    }
    let start = body.len();
    body.extend_from_slice(&[0; 4]);
    for (key, value) in message.properties {
        put_property(1, key, value, body);
    }
    match message.key {
        MessageKey::Text(text) => put_bytes(2, text.as_bytes(), body),
        MessageKey::Bytes(bytes) => {
            encode_key(2, WireType::LengthDelimited, body);
            encode_varint(base64_bytes(bytes.len()) as u64, body);
            put_base64(bytes, body);
        }
        MessageKey::None | MessageKey::Null => {}
    }
    put_varint(3, payload_bytes, body);
    if let Some(time) = message.event_time_ms {
        put_varint(5, time, body);
    }
    if matches!(message.key, MessageKey::Bytes(_)) {
        put_varint(6, 1, body);
    }
    if let Some(key) = message.ordering_key {
        put_bytes(7, key, body);
    }
    put_varint(8, message.sequence_id, body);
    if message.value.is_none() {
        put_varint(9, 1, body);
    }
    if message.key == MessageKey::Null {
        put_varint(10, 1, body);
    }
    let metadata_bytes = (body.len() - start - 4) as u32;
    if let Some(size) = body.get_mut(start..start + 4) {
        size.copy_from_slice(&metadata_bytes.to_be_bytes());
    }
    body.extend_from_slice(payload);
    Ok(())
}

pub(super) fn put_varint(number: u32, value: u64, out: &mut Vec<u8>) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

pub(super) fn put_bytes(number: u32, value: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

pub(super) fn put_property(number: u32, key: &str, value: &str, out: &mut Vec<u8>) {
    let field = |text: &str| 1 + encoded_len_varint(text.len() as u64) + text.len();
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint((field(key) + field(value)) as u64, out);
    put_bytes(1, key.as_bytes(), out);
    put_bytes(2, value.as_bytes(), out);
}

fn base64_bytes(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

fn put_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + base64_bytes(bytes.len()), 0);
    if let Some(target) = out.get_mut(start..) {
        // This fails only if the target is too small, and it has exactly the encoded size.
        let written = STANDARD.encode_slice(bytes, target);
        debug_assert!(written.is_ok());
    }
}
