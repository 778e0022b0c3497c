//! Pulsar's binary protocol: frames, commands, message metadata, batches, schemas, topic names. No I/O.
//!
//! A [`Frame`] is a [`Command`] with, for SEND and MESSAGE only, the entry it carries. An *entry* is what a broker
//! stores and relays byte for byte: magic, checksum, metadata, body. [`BatchBuilder`] writes entries,
//! [`EntryReader`] reads their messages, [`EntryPeek`] gives a broker the few metadata fields it needs.
//!
//! Bytes of a peer never panic here and never cause an allocation above the caller's limit.

mod command;
mod entry;
mod error;
mod frame;
mod message_id;
pub mod proto;
pub mod schema;
mod topic;

pub use command::{Command, UnknownCommand};
pub use entry::{
    Batch, BatchBuilder, ChunkCutter, Codec, Compressor, EntryHeader, EntryMessage, EntryParts, EntryPeek, EntryReader,
    Landmark, MessageKey, OutgoingMessage, ReadLimits, split_entry,
};
pub use error::Error;
pub use frame::{
    DEFAULT_MAX_MESSAGE_BYTES, FRAME_PADDING_BYTES, Frame, FrameDecoder, encode, encode_command, encode_head,
};
pub use message_id::{InvalidMessageId, MessageId};
pub use proto::{MessageMetadata, ServerError, SingleMessageMetadata};
pub use topic::{Domain, TopicName};

/// Protocol version that this crate speaks (PulsarApi.proto, `ProtocolVersion`).
pub const PROTOCOL_VERSION: i32 = 21;
