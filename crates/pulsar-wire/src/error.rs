//! What can be wrong with bytes of Pulsar's protocol.

use thiserror::Error;

/// A frame, an entry, a topic name or a schema that cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A peer announced a frame above the agreed maximum.
    #[error(
        "the peer announced a frame of {frame_bytes} bytes, more than the {limit_bytes} allowed; raise the maximum \
        message size on both sides or send smaller messages"
    )]
    FrameTooLarge {
        /// Announced size, without the size field itself.
        frame_bytes: u64,
        /// What this side accepts.
        limit_bytes: u64,
    },
    /// The sizes inside a frame contradict each other.
    #[error("malformed frame: {reason}; the peer does not speak Pulsar's protocol")]
    MalformedFrame {
        /// What does not fit.
        reason: &'static str,
    },
    /// A command that is not valid protobuf.
    #[error("the command in a frame is not valid protobuf; the peer does not speak Pulsar's protocol")]
    Command(#[source] prost::DecodeError),
    /// Entry bytes that end early or whose lengths contradict each other.
    #[error("malformed entry: {reason}; the entry is damaged")]
    MalformedEntry {
        /// What does not fit.
        reason: &'static str,
    },
    /// Entry metadata that is not valid protobuf.
    #[error("the metadata of an entry is not valid protobuf; the entry is damaged")]
    Metadata(#[source] prost::DecodeError),
    /// The checksum in the entry is not that of its bytes.
    #[error("checksum mismatch: the entry says {announced:08x}, its bytes give {computed:08x}; the entry is damaged")]
    ChecksumMismatch {
        /// CRC-32C stored in the entry.
        announced: u32,
        /// CRC-32C of the bytes.
        computed: u32,
    },
    /// A codec that this build cannot read or write.
    #[error("compression {codec} is not supported; let the producer use none, LZ4 or ZSTD")]
    UnsupportedCompression {
        /// Name of the codec, or its number if unknown.
        codec: String,
    },
    /// The announced uncompressed size is above the reader's limit.
    #[error(
        "an entry announces {announced_bytes} bytes uncompressed, more than the {limit_bytes} allowed; raise the \
        reader's limit if the producer really sends such batches"
    )]
    UncompressedTooLarge {
        /// Size in the entry's metadata.
        announced_bytes: u64,
        /// What the reader accepts.
        limit_bytes: u64,
    },
    /// The body does not decompress to what its metadata announces.
    #[error("the body of an entry does not decompress ({codec}); the entry is damaged")]
    Decompress {
        /// Name of the codec.
        codec: &'static str,
        /// The codec's own error, when it has one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The body cannot be compressed.
    #[error("a batch cannot be compressed ({codec})")]
    Compress {
        /// Name of the codec.
        codec: &'static str,
        /// The codec's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The body is encrypted.
    #[error("the entry is encrypted; this client holds no keys, read it with the consumer that does")]
    Encrypted,
    /// A message, or all messages of a batch together, do not fit the protocol's 32-bit sizes.
    #[error(
        "a message of {bytes} bytes does not fit a Pulsar entry; the limit is 2 GiB and the broker's maximum message \
        size is usually 5 MiB"
    )]
    MessageTooLarge {
        /// Size of the message or batch.
        bytes: u64,
    },
    /// A message that does not fit into chunks either.
    #[error(
        "a message with {metadata_bytes} bytes of key, properties and other metadata and {body_bytes} bytes of \
        payload cannot be sent, not in chunks either: every chunk of {limit_bytes} bytes repeats the metadata, and all \
        chunks together hold 2 GiB; raise the broker's maximum message size or send a smaller message"
    )]
    NotChunkable {
        /// Size of the metadata.
        metadata_bytes: u64,
        /// Size of the payload as it would be sent.
        body_bytes: u64,
        /// Largest entry that the broker takes.
        limit_bytes: u64,
    },
    /// Text that is not a topic name.
    #[error(
        "invalid topic name {name:?}: {reason}; write a topic as `topic`, `tenant/namespace/topic` or \
        `persistent://tenant/namespace/topic`"
    )]
    TopicName {
        /// The text.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Schema data of a KeyValue schema that cannot be split.
    #[error("malformed KeyValue schema: {reason}; the schema is not one of Pulsar's KeyValue schemas")]
    KeyValueSchema {
        /// What does not fit.
        reason: &'static str,
    },
}
