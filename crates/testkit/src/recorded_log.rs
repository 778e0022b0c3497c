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
