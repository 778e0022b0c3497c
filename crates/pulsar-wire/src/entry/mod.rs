//! Entries: the unit that a broker stores and relays byte for byte.
//!
//! Format, big-endian: optionally, added by a broker in front, `0x0e02` · `u32` size · broker metadata; optionally
//! `0x0e01` · `u32` CRC-32C of all that follows; then `u32` metadata size · [`crate::MessageMetadata`] · body. The body
//! is one message or, when the metadata says `num_messages_in_batch`, a run of `u32` size ·
//! [`crate::SingleMessageMetadata`] · payload; compressed, then encrypted, as a whole.
//! (Source of the format: Pulsar's binary protocol specification, "Framing" and "Batch messages".)

mod builder;
mod chunk;
mod compression;
mod lz4;
mod peek;
mod reader;
mod single;

pub use builder::{Batch, BatchBuilder, EntryHeader};
pub use chunk::ChunkCutter;
pub use compression::{Codec, Compressor};
pub use lz4::Landmark;
pub use peek::EntryPeek;
pub use reader::{EntryMessage, EntryReader, ReadLimits};
pub use single::{MessageKey, OutgoingMessage};

use crate::error::Error;

const MAGIC_CHECKSUM: u16 = 0x0e01;
const MAGIC_BROKER_METADATA: u16 = 0x0e02;

/// An entry cut into its parts, nothing checked yet but the lengths.
#[derive(Clone, Copy, Debug)]
pub struct EntryParts<'a> {
    /// CRC-32C as stored; writers older than protocol version 6 store none.
    pub checksum: Option<u32>,
    /// The bytes that the checksum covers.
    pub checked: &'a [u8],
    /// The encoded [`crate::MessageMetadata`].
    pub metadata: &'a [u8],
    /// The body, as stored.
    pub body: &'a [u8],
}

impl EntryParts<'_> {
    /// Compares the stored checksum, if there is one, with that of the bytes.
    ///
    /// # Errors
    /// [`Error::ChecksumMismatch`].
    pub fn verify(&self) -> Result<(), Error> {
        let Some(announced) = self.checksum else {
            return Ok(());
        };
        let computed = crc32c::crc32c(self.checked);
        if announced == computed { Ok(()) } else { Err(Error::ChecksumMismatch { announced, computed }) }
    }
}

/// Cuts an entry into its parts.
///
/// # Errors
/// [`Error::MalformedEntry`] when the entry ends inside a part.
pub fn split_entry(entry: &[u8]) -> Result<EntryParts<'_>, Error> {
    let mut rest = entry;
    let mut checksum = None;
    if let Some(after) = strip_magic(rest, MAGIC_BROKER_METADATA) {
        let (_, tail) =
            take_sized(after).ok_or(Error::MalformedEntry { reason: "it ends inside the broker's metadata" })?;
        rest = tail;
    }
    if let Some(after) = strip_magic(rest, MAGIC_CHECKSUM) {
        let (sum, tail) =
            after.split_first_chunk::<4>().ok_or(Error::MalformedEntry { reason: "it ends inside the checksum" })?;
        checksum = Some(u32::from_be_bytes(*sum));
        rest = tail;
    }
    let (metadata, body) = take_sized(rest).ok_or(Error::MalformedEntry { reason: "it ends inside the metadata" })?;
    Ok(EntryParts { checksum, checked: rest, metadata, body })
}

fn strip_magic(bytes: &[u8], magic: u16) -> Option<&[u8]> {
    bytes.strip_prefix(&magic.to_be_bytes())
}

/// Splits a `u32` length and that many bytes off the front.
fn take_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*size) as usize)
}
