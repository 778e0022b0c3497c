//! Recorded logs: binlog files of real servers, packed with gzip.

use std::io::Read;

/// The first bytes of a binlog file.
const MAGIC: &[u8] = b"\xfebin";

/// Reads and unpacks a file; `path` begins at the project's root.
///
/// # Panics
/// If there is no such file, or it is not a gzip file.
pub fn unpacked(path: &str) -> Vec<u8> {
    let path = crate::project_root().join(path);
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut plain).unwrap();
    plain
}

/// Splits a binlog file into its events, each with its position in the file.
///
/// # Panics
/// If the bytes are not a binlog file.
pub fn events(log: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    assert_eq!(log.get(..MAGIC.len()), Some(MAGIC), "a binlog file begins with {MAGIC:?}");
    let mut at = MAGIC.len();
    std::iter::from_fn(move || {
        let rest = log.get(at..).filter(|rest| !rest.is_empty())?;
        // The event's length follows its time, type and server.
        let length = u32::from_le_bytes(rest[9..13].try_into().unwrap()) as usize;
        let event = (at, &rest[..length]);
        at += length;
        Some(event)
    })
}

/// What a server adds to its table maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMetadata {
    /// Nothing: MariaDB's default, and all that older servers have.
    NoLog,
    /// Signs and character sets: MySQL's default.
    Minimal,
}

/// Returns a TABLE_MAP event as the server would have written it with less metadata, in place of FULL.
///
/// # Panics
/// If the event is none.
pub fn with_less_metadata(event: &[u8], kept: RowMetadata) -> Vec<u8> {
    const HEADER: usize = 19;
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let (body, checksum) = event.split_at(event.len() - 4);
    let has_checksum = crc(body) == checksum;
    let bytes = if has_checksum { body } else { event };
    // Table id and flags, two names with their lengths and a zero, the number of columns and their types.
    let mut at = HEADER + 8;
    for _ in 0..2 {
        at += 2 + usize::from(bytes[at]);
    }
    let columns = length(bytes, &mut at);
    at += columns;
    // The details of the types, and which columns may be NULL.
    let details = length(bytes, &mut at);
    at += details + columns.div_ceil(8);
    let mut short = bytes[..at].to_vec();
    while kept == RowMetadata::Minimal && at < bytes.len() {
        let start = at;
        let kind = bytes[at];
        at += 1;
        let field = length(bytes, &mut at);
        at += field;
        // Signs, the default character set, and those of single columns.
        if (1..=3).contains(&kind) {
            short.extend_from_slice(&bytes[start..at]);
        }
    }
    let total = u32::try_from(short.len() + if has_checksum { 4 } else { 0 }).unwrap();
    short[9..13].copy_from_slice(&total.to_le_bytes());
    if has_checksum {
        let checksum = crc(&short);
        short.extend_from_slice(&checksum);
    }
    short
}

/// Reads a length-encoded number of at most two bytes behind its first.
fn length(bytes: &[u8], at: &mut usize) -> usize {
    let first = bytes[*at];
    *at += 1;
    if first < 0xfb {
        return usize::from(first);
    }
    assert_eq!(first, 0xfc, "a length of a table map");
    let length = usize::from(u16::from_le_bytes([bytes[*at], bytes[*at + 1]]));
    *at += 2;
    length
}
