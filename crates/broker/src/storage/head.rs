//! The head of a segment file, little-endian.
//!
//! ```text
//! version 2: BITALOG2 · u32 bytes of the head · u32 CRC-32C of all that follows · u64 ledger
//!            · u64 offset of the first entry · u128 incarnation of the topic
//!            · u64 ledger and u64 bytes of the previous segment (both u64::MAX: none)
//!            · name of the topic
//! version 1: BITALOG1 · u64 ledger · u64 offset of the first entry · u32 CRC-32C of these · zeros up to 32 bytes
//! ```
//!
//! Version 1 names no topic. It is never written, and read only if the metadata says that the segment was in the
//! topic's folder when the topic was adopted.

use std::{fs::File, path::Path};

use super::{StorageError, TopicIdentity, error::corrupt, file::read_up_to};

const MAGIC: &[u8; 8] = b"BITALOG2";
const MAGIC_V1: &[u8; 8] = b"BITALOG1";
/// Bytes of a head of version 1.
pub(super) const V1_BYTES: u64 = 32;
/// Bytes before the name.
const FIXED_BYTES: usize = 64;
/// Magic, length and checksum.
const PREFIX_BYTES: usize = 16;
/// Longest head. A topic's name arrives in one command, so it cannot be longer.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The segment before another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Previous {
    pub ledger: u64,
    pub bytes: u64,
}

/// The content of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub ledger: u64,
    pub base: u64,
    /// `None` in version 1.
    pub owner: Option<TopicIdentity>,
    /// `None` for the first segment and in version 1.
    pub previous: Option<Previous>,
    /// Bytes of the head.
    pub bytes: u64,
}

/// Returns the length in bytes of the head of a topic's segments.
pub(super) fn length(owner: &TopicIdentity) -> u64 {
    (FIXED_BYTES + owner.name.len()) as u64
}

/// Encodes a head.
pub(super) fn encode(owner: &TopicIdentity, ledger: u64, base: u64, previous: Option<Previous>) -> Vec<u8> {
    let previous = previous.unwrap_or(Previous { ledger: u64::MAX, bytes: u64::MAX });
    let mut covered = Vec::with_capacity(FIXED_BYTES + owner.name.len());
    covered.extend_from_slice(&ledger.to_le_bytes());
    covered.extend_from_slice(&base.to_le_bytes());
    covered.extend_from_slice(&owner.incarnation.to_le_bytes());
    covered.extend_from_slice(&previous.ledger.to_le_bytes());
    covered.extend_from_slice(&previous.bytes.to_le_bytes());
    covered.extend_from_slice(owner.name.as_bytes());
    let bytes = u32::try_from(PREFIX_BYTES + covered.len()).unwrap_or(u32::MAX);
    let prefix = [&MAGIC[..], &bytes.to_le_bytes(), &crc32c::crc32c(&covered).to_le_bytes()].concat();
    [prefix, covered].concat()
}

/// Reads the head of a segment; `None` if it was never written completely.
///
/// # Errors
/// The file cannot be read, or its head is damaged or names another ledger.
pub(super) fn read(path: &Path, ledger: u64) -> Result<Option<Head>, StorageError> {
    let file = File::open(path).map_err(StorageError::io("open", path))?;
    let mut bytes = vec![0; FIXED_BYTES];
    let read = read_up_to(&file, path, &mut bytes, 0)?;
    bytes.truncate(read);
    let length = file.metadata().map_err(StorageError::io("inspect", path))?.len();
    let damaged = || corrupt(path, 0, "the head is not this broker's");
    let head = if bytes.starts_with(MAGIC) {
        let Some(announced) = u32_at(&bytes, 8).map(|bytes| bytes as usize) else { return Ok(None) };
        if !(FIXED_BYTES..=MAX_BYTES).contains(&announced) {
            return Err(damaged());
        }
        if length < announced as u64 {
            return Ok(None);
        }
        bytes.resize(announced, 0);
        let read = read_up_to(&file, path, &mut bytes, 0)?;
        bytes.truncate(read);
        decode(&bytes)
    } else if bytes.starts_with(MAGIC_V1) {
        if length < V1_BYTES {
            return Ok(None);
        }
        decode_v1(&bytes)
    } else if bytes.iter().all(|byte| *byte == 0) && length <= MAX_BYTES as u64 && is_zero(&file, path, length)? {
        // The file's name became durable, but its head did not. The head is synced before any entry, so there is none.
        return Ok(None);
    } else {
        None
    };
    head.filter(|head| head.ledger == ledger).map(Some).ok_or_else(damaged)
}

fn is_zero(file: &File, path: &Path, length: u64) -> Result<bool, StorageError> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    read_up_to(file, path, &mut bytes, 0)?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

fn decode(bytes: &[u8]) -> Option<Head> {
    let covered = bytes.get(PREFIX_BYTES..)?;
    if u32_at(bytes, 12)? != crc32c::crc32c(covered) {
        return None;
    }
    let incarnation = u128::from_le_bytes(*bytes.get(32..)?.first_chunk()?);
    let name = String::from_utf8(bytes.get(FIXED_BYTES..)?.to_vec()).ok()?;
    let previous = Previous { ledger: u64_at(bytes, 48)?, bytes: u64_at(bytes, 56)? };
    Some(Head {
        ledger: u64_at(bytes, 16)?,
        base: u64_at(bytes, 24)?,
        owner: Some(TopicIdentity { name, incarnation }),
        previous: Some(previous).filter(|previous| previous.bytes != u64::MAX),
        bytes: bytes.len() as u64,
    })
}

fn decode_v1(bytes: &[u8]) -> Option<Head> {
    let (ledger, base) = (u64_at(bytes, 8)?, u64_at(bytes, 16)?);
    if u32_at(bytes, 24)? != crc32c::crc32c(bytes.get(..24)?) || bytes.get(28..32)? != [0; 4] {
        return None;
    }
    Some(Head { ledger, base, owner: None, previous: None, bytes: V1_BYTES })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_what_was_written_and_every_changed_bit_is_seen() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = TopicIdentity { name: "persistent://public/default/t".to_owned(), incarnation: 7 << 90 };
        let previous = Some(Previous { ledger: 4, bytes: 1_000 });
        let bytes = encode(&owner, 5, 60, previous);
        assert_eq!(bytes.len() as u64, length(&owner));
        std::fs::write(file.path(), &bytes).unwrap();
        let expected = Head { ledger: 5, base: 60, owner: Some(owner), previous, bytes: bytes.len() as u64 };
        assert_eq!(read(file.path(), 5).unwrap(), Some(expected.clone()));
        read(file.path(), 6).unwrap_err();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(file.path(), &changed).unwrap();
            assert_ne!(read(file.path(), 5).ok().flatten(), Some(expected.clone()), "bit {bit}");
        }
        for end in [0, 7, 8, 15, 40, bytes.len() - 1] {
            std::fs::write(file.path(), &bytes[..end]).unwrap();
            assert_eq!(read(file.path(), 5).ok().flatten(), None, "{end} bytes");
        }
        std::fs::write(file.path(), vec![0; bytes.len()]).unwrap();
        assert_eq!(read(file.path(), 5).unwrap(), None, "zeros");
    }
}
