//! Frames: the unit that travels on a connection.
//!
//! Format, big-endian: `u32` bytes that follow · `u32` command size · command · for SEND and MESSAGE the entry, to the
//! end of the frame. A decoder lives as long as its connection and allocates for a frame only after its announced
//! size has passed the limit. (Source of the format: Pulsar's binary protocol specification, "Framing".)

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::command::Command;
use crate::error::Error;

/// Pulsar's default limit of a message.
pub const DEFAULT_MAX_MESSAGE_BYTES: u32 = 5 * 1024 * 1024;

/// How much larger than the largest message a frame may be: room for command and metadata.
pub const FRAME_PADDING_BYTES: u32 = 10 * 1024;

const SIZE_FIELD_BYTES: usize = 4;

/// A command and, for SEND and MESSAGE, the entry that comes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The command.
    pub command: Command,
    /// Everything after the command: magic, checksum, metadata size, metadata, body. Stored and relayed as it is.
    pub payload: Option<Bytes>,
}

impl Frame {
    /// Creates a frame without an entry.
    pub fn new(command: impl Into<Command>) -> Self {
        Self { command: command.into(), payload: None }
    }

    /// Creates a SEND or MESSAGE frame.
    pub fn with_payload(command: impl Into<Command>, payload: Bytes) -> Self {
        Self { command: command.into(), payload: Some(payload) }
    }

    /// Returns the size in bytes of the frame on the wire, with its size fields.
    pub fn encoded_bytes(&self) -> usize {
        2 * SIZE_FIELD_BYTES + self.command.encoded_bytes() + self.payload.as_ref().map_or(0, Bytes::len)
    }
}

impl<C: Into<Command>> From<C> for Frame {
    fn from(command: C) -> Self {
        Self::new(command)
    }
}

/// Appends a whole frame to `out`.
///
/// The sizes wrap above 4 GiB; limits are checked where entries are built and by the receiver.
pub fn encode(frame: &Frame, out: &mut BytesMut) {
    let payload = frame.payload.as_deref().unwrap_or_default();
    encode_head(&frame.command, payload.len(), out);
    out.put_slice(payload);
}

/// Appends a frame that consists of a command alone.
pub fn encode_command(command: &Command, out: &mut BytesMut) {
    encode_head(command, 0, out);
}

/// Appends size fields and command of a frame whose entry of `payload_bytes` is written separately, without a copy.
#[expect(clippy::cast_possible_truncation, reason = "stated above: sizes wrap at 4 GiB, limits are checked elsewhere")]
pub fn encode_head(command: &Command, payload_bytes: usize, out: &mut BytesMut) {
    let command_bytes = command.encoded_bytes();
    out.reserve(2 * SIZE_FIELD_BYTES + command_bytes + payload_bytes.min(64 * 1024));
    out.put_u32((SIZE_FIELD_BYTES + command_bytes + payload_bytes) as u32);
    out.put_u32(command_bytes as u32);
    command.write(out);
}

/// Cuts a byte stream into frames.
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    max_frame_bytes: u32,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::with_max_message_bytes(DEFAULT_MAX_MESSAGE_BYTES)
    }
}

impl FrameDecoder {
    /// Creates a decoder that accepts frames for messages of up to `max_message_bytes`.
    pub fn with_max_message_bytes(max_message_bytes: u32) -> Self {
        Self { max_frame_bytes: max_message_bytes.saturating_add(FRAME_PADDING_BYTES) }
    }

    /// Changes the limit, for example to the one that the broker names in CONNECTED.
    pub fn set_max_message_bytes(&mut self, max_message_bytes: u32) {
        *self = Self::with_max_message_bytes(max_message_bytes);
    }

    /// Returns the size of the largest frame that is accepted, without the size field.
    pub fn max_frame_bytes(&self) -> u32 {
        self.max_frame_bytes
    }

    /// Takes the next whole frame from the front of `stream`, or `None` when more bytes must be read first.
    ///
    /// Reserves room for the rest of an incomplete frame, so that the caller can read directly into `stream`.
    ///
    /// # Errors
    /// Any error is final for the connection: the stream has lost its frame borders.
    pub fn decode(&self, stream: &mut BytesMut) -> Result<Option<Frame>, Error> {
        let Some(size) = stream.first_chunk::<SIZE_FIELD_BYTES>() else {
            return Ok(None);
        };
        let frame_bytes = u32::from_be_bytes(*size);
        if frame_bytes > self.max_frame_bytes {
            return Err(Error::FrameTooLarge {
                frame_bytes: u64::from(frame_bytes),
                limit_bytes: u64::from(self.max_frame_bytes),
            });
        }
        let total = SIZE_FIELD_BYTES + frame_bytes as usize;
        if stream.len() < total {
            stream.reserve(total - stream.len());
            return Ok(None);
        }
        let mut frame = stream.split_to(total);
        frame.advance(SIZE_FIELD_BYTES);
        parse(frame.freeze()).map(Some)
    }
}

fn parse(mut frame: Bytes) -> Result<Frame, Error> {
    let Some(size) = frame.first_chunk::<SIZE_FIELD_BYTES>() else {
        return Err(Error::MalformedFrame { reason: "it is shorter than its own size fields" });
    };
    let command_bytes = u32::from_be_bytes(*size) as usize;
    frame.advance(SIZE_FIELD_BYTES);
    let Some(bytes) = frame.get(..command_bytes) else {
        return Err(Error::MalformedFrame { reason: "the command is longer than the frame" });
    };
    let command = Command::read(bytes)?;
    frame.advance(command_bytes);
    match (command.carries_entry(), frame.is_empty()) {
        (true, false) => Ok(Frame { command, payload: Some(frame) }),
        (false, true) => Ok(Frame { command, payload: None }),
        (true, true) => Err(Error::MalformedFrame { reason: "a SEND or MESSAGE carries no entry" }),
        (false, false) => Err(Error::MalformedFrame { reason: "bytes follow a command that carries none" }),
    }
}
