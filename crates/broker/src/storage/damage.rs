//! Tells damage from a torn write.
//!
//! No sound record can follow a torn write, but any may follow damage. So before a tail is cut off, every byte of it is
//! tried as the start of a record, whatever the damaged record says about its own length. By chance many places of a
//! tail look like a length, and each would cost a checksum over megabytes. Therefore the checksums of the tail's
//! prefixes are kept for every block, and the checksum of any stretch follows from two of them (CRC-32C is linear).

use std::{fs::File, path::Path};

use super::{
    StorageError,
    file::read_up_to,
    record::{HEADER_BYTES, LENGTH_AND_CRC, claim},
};

/// Distance between two kept checksums.
const BLOCK_BYTES: usize = 256;
const WINDOW_BYTES: usize = 1024 * 1024;
/// Longest stretch whose checksum is computed directly, which is faster than deriving it from prefixes.
const SHORT_BYTES: usize = 4 * 1024;

/// Returns the offset of the first sound record at or after `from`, if there is one.
pub(super) fn sound_record(file: &File, path: &Path, from: u64, length: u64) -> Result<Option<u64>, StorageError> {
    let stretch = Stretch::read(file, path, from, length)?;
    let mut window = vec![0; WINDOW_BYTES + HEADER_BYTES + SHORT_BYTES];
    let mut start = from;
    while start < length {
        let left = usize::try_from(length - start).unwrap_or(usize::MAX);
        let read = read_up_to(file, path, &mut window, start)?.min(left);
        let window = window.get(..read).unwrap_or_default();
        for (i, head) in window.windows(HEADER_BYTES).take(WINDOW_BYTES).enumerate() {
            let Some((entry_bytes, crc)) = claim(head) else { continue };
            let (at, end) = (i + LENGTH_AND_CRC, i + HEADER_BYTES + entry_bytes);
            let actual = match window.get(at..end) {
                Some(bytes) if entry_bytes <= SHORT_BYTES => Some(crc32c::crc32c(bytes)),
                _ if end > left => None,
                _ => stretch.checksum(start + at as u64, start + end as u64)?,
            };
            if actual == Some(crc) {
                return Ok(Some(start + i as u64));
            }
        }
        start += WINDOW_BYTES as u64;
    }
    Ok(None)
}

/// A part of a file, with the checksums of its prefixes.
struct Stretch<'f> {
    file: &'f File,
    path: &'f Path,
    from: u64,
    /// The checksum of all bytes before each block.
    before: Vec<u32>,
}

impl<'f> Stretch<'f> {
    fn read(file: &'f File, path: &'f Path, from: u64, length: u64) -> Result<Self, StorageError> {
        let (mut before, mut crc, mut at) = (Vec::new(), 0, from);
        let mut window = vec![0; WINDOW_BYTES];
        while at < length {
            let read = read_up_to(file, path, &mut window, at)?;
            if read == 0 {
                break;
            }
            for block in window.get(..read).unwrap_or_default().chunks(BLOCK_BYTES) {
                before.push(crc);
                crc = crc32c::crc32c_append(crc, block);
            }
            at += read as u64;
        }
        before.push(crc);
        Ok(Self { file, path, from, before })
    }

    /// Returns the checksum of the bytes from `start` to `end`.
    fn checksum(&self, start: u64, end: u64) -> Result<Option<u32>, StorageError> {
        let (Some(head), Some(whole)) = (self.prefix(start)?, self.prefix(end)?) else { return Ok(None) };
        let Ok(bytes) = usize::try_from(end - start) else { return Ok(None) };
        Ok(Some(crc32c::crc32c_combine(head, 0, bytes) ^ whole))
    }

    /// Returns the checksum of everything before `end`.
    fn prefix(&self, end: u64) -> Result<Option<u32>, StorageError> {
        let Some(bytes) = end.checked_sub(self.from).and_then(|b| usize::try_from(b).ok()) else { return Ok(None) };
        let Some(crc) = self.before.get(bytes / BLOCK_BYTES) else { return Ok(None) };
        let mut block = [0; BLOCK_BYTES];
        let rest = block.get_mut(..bytes % BLOCK_BYTES).unwrap_or_default();
        let wanted = rest.len();
        let read = read_up_to(self.file, self.path, rest, end - wanted as u64)?;
        Ok((read == wanted).then(|| crc32c::crc32c_append(*crc, rest)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storage::record::Header;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn check(junk: usize, entry_bytes: usize, behind: usize) {
        // Many places look like a length, short or long.
        let pattern =
            |count: usize| (0..count).map(|i| if i % 512 < 8 { [7, 1, 0, 0, 0, 0x40, 0, 0][i % 512] } else { 0xff });
        let entry: Vec<u8> = (0..=u8::MAX).cycle().take(entry_bytes).collect();
        let mut bytes: Vec<u8> = pattern(junk).collect();
        bytes.extend_from_slice(&Header::of(&entry, 1, 1).encode());
        bytes.extend_from_slice(&entry);
        bytes.extend(pattern(behind));
        let file = file(&bytes);
        let found = |length: usize| sound_record(file.as_file(), file.path(), 0, length as u64).unwrap();
        assert_eq!(found(bytes.len()), Some(junk as u64));
        assert_eq!(found(junk + HEADER_BYTES + entry_bytes - 1), None, "its last byte is missing");
    }

    #[test]
    fn a_record_is_found_at_the_borders_of_blocks_and_windows() {
        for junk in [0, 1, BLOCK_BYTES - 8, BLOCK_BYTES, WINDOW_BYTES - HEADER_BYTES, WINDOW_BYTES - 1, WINDOW_BYTES] {
            check(junk, 300, 0);
        }
        check(3, WINDOW_BYTES + 5, 1_000);
    }

    /// Runs the number of cases in `PROPTEST_CASES` (`make fuzz`), or else only a few, because each writes a file.
    fn config() -> ProptestConfig {
        if std::env::var_os("PROPTEST_CASES").is_some() {
            ProptestConfig::default()
        } else {
            ProptestConfig::with_cases(64)
        }
    }

    proptest! {
        #![proptest_config(config())]
        #[test]
        fn the_checksum_of_a_stretch_is_that_of_its_bytes(
            bytes in proptest::collection::vec(any::<u8>(), 0..2_000), from in 0usize..2_000,
            a in 0usize..2_000, b in 0usize..2_000,
        ) {
            let from = from.min(bytes.len());
            let (a, b) = (a.clamp(from, bytes.len()), b.clamp(from, bytes.len()));
            let (start, end) = (a.min(b), a.max(b));
            let file = file(&bytes);
            let stretch = Stretch::read(file.as_file(), file.path(), from as u64, bytes.len() as u64).unwrap();
            if start < end {
                let crc = stretch.checksum(start as u64, end as u64).unwrap();
                prop_assert_eq!(crc, Some(crc32c::crc32c(&bytes[start..end])));
            }
        }
    }
}
