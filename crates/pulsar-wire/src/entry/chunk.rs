//! Chunks, in which a message above the broker's limit is sent (Pulsar's improvement proposal 37, "Large message size
//! handling").
//!
//! Format: every chunk is a plain entry. Its metadata are those of the whole message and four fields more: `uuid`, the
//! same in all chunks of one attempt to send the message; `num_chunks_from_msg`; `total_chunk_msg_size`, the bytes of
//! all bodies together; `chunk_id`, from 0. The bodies of all chunks, one behind the other, are the body of the whole
//! message, compressed as a whole.
//!
//! SEND names the sequence id of the message for all its chunks, and a broker that deduplicates looks only at the last
//! chunk. But when Pulsar loads the topic again, it reads the ids in the metadata of all entries and takes each for
//! that of a whole message. If a message had broken off, the repetition of its chunks would then be dropped as a
//! duplicate. Therefore the metadata of all chunks but the last one name the id before. Consumers take the message's id
//! from the last chunk.

use bytes::Bytes;

use super::single::{put_bytes, put_varint};
use super::{EntryPeek, MAGIC_CHECKSUM, split_entry};
use crate::error::Error;

/// Most bytes of a chunk's own fields without the uuid: their keys, three counts of at most five bytes, a sequence id
/// of at most ten, the length of the uuid.
const FIELD_BYTES: usize = 48;
/// Magic, checksum and metadata size in front of the metadata.
const HEAD_BYTES: usize = 10;

/// Cuts the entry of one message into chunks. Each chunk is created when it is asked for, so that not all are in
/// memory.
#[derive(Debug, Clone)]
pub struct ChunkCutter {
    metadata: Bytes,
    body: Bytes,
    uuid: String,
    sequence_id: u64,
    body_bytes: usize,
    count: usize,
}

impl ChunkCutter {
    /// Creates a cutter for an entry of one message; no chunk, its metadata included, is above `max_entry_bytes`.
    ///
    /// `uuid` must be new for each attempt: consumers join chunks of the same uuid, and the topic may hold chunks of an
    /// earlier attempt that broke off.
    ///
    /// # Errors
    /// [`Error::MalformedEntry`] for anything but the entry of one message; [`Error::NotChunkable`] when the metadata,
    /// which every chunk repeats, would fill more than half of each chunk, or when the sizes do not fit the fields.
    pub fn new(entry: &Bytes, uuid: String, max_entry_bytes: usize) -> Result<Self, Error> {
        let parts = split_entry(entry)?;
        let head_bytes = HEAD_BYTES + parts.metadata.len() + FIELD_BYTES + uuid.len();
        let too_large = || Error::NotChunkable {
            metadata_bytes: parts.metadata.len() as u64,
            body_bytes: parts.body.len() as u64,
            limit_bytes: max_entry_bytes as u64,
        };
        if head_bytes > max_entry_bytes / 2 || i32::try_from(parts.body.len()).is_err() {
            return Err(too_large());
        }
        let body_bytes = max_entry_bytes - head_bytes;
        let count = parts.body.len().div_ceil(body_bytes).max(1);
        if i32::try_from(count).is_err() {
            return Err(too_large());
        }
        let (metadata, body) = (entry.slice_ref(parts.metadata), entry.slice_ref(parts.body));
        let sequence_id = EntryPeek::parse_metadata(&metadata)?.sequence_id;
        Ok(Self { metadata, body, uuid, sequence_id, body_bytes, count })
    }

    /// Returns the count of chunks.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns a chunk as an entry; `None` from [`ChunkCutter::count`] on.
    #[expect(clippy::cast_possible_truncation, reason = "metadata is below the size of a frame, which has 32 bits")]
    pub fn chunk(&self, index: usize) -> Option<Bytes> {
        if index >= self.count {
            return None;
        }
        let start = index * self.body_bytes;
        let body = self.body.get(start..self.body.len().min(start + self.body_bytes))?;
        let mut entry =
            Vec::with_capacity(HEAD_BYTES + self.metadata.len() + FIELD_BYTES + self.uuid.len() + body.len());
        entry.extend_from_slice(&MAGIC_CHECKSUM.to_be_bytes());
        entry.extend_from_slice(&[0; HEAD_BYTES - 2]);
        entry.extend_from_slice(&self.metadata);
        if index + 1 < self.count {
            // If a field occurs twice, protobuf takes the last value, so these fields override those of the message.
            put_varint(2, self.sequence_id.saturating_sub(1), &mut entry);
        }
        put_bytes(26, self.uuid.as_bytes(), &mut entry);
        put_varint(27, self.count as u64, &mut entry);
        put_varint(28, self.body.len() as u64, &mut entry);
        put_varint(29, index as u64, &mut entry);
        let metadata_bytes = (entry.len() - HEAD_BYTES) as u32;
        entry.extend_from_slice(body);
        if let Some(size) = entry.get_mut(6..HEAD_BYTES) {
            size.copy_from_slice(&metadata_bytes.to_be_bytes());
        }
        let checksum = crc32c::crc32c(entry.get(6..).unwrap_or_default());
        if let Some(target) = entry.get_mut(2..6) {
            target.copy_from_slice(&checksum.to_be_bytes());
        }
        Some(entry.into())
    }
}
