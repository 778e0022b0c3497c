//! The form of an entry on the disk, little-endian:
//!
//! ```text
//! u32 bytes of the entry · u32 CRC-32C of all that follows · u64 publish time in ms · u32 messages · entry
//! ```

use std::ops::Range;

/// Bytes before the entry.
pub(super) const HEADER_BYTES: usize = 20;
/// Bytes before those that the checksum covers.
pub(super) const LENGTH_AND_CRC: usize = 8;

/// Largest entry. A greater length is damage.
pub(super) const MAX_ENTRY_BYTES: u32 = 256 * 1024 * 1024;

/// The header of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub entry_bytes: u32,
    pub crc: u32,
    pub publish_time_ms: u64,
    pub message_count: u32,
}

impl Header {
    /// Creates the header of an entry.
    pub(super) fn of(entry: &[u8], publish_time_ms: u64, message_count: u32) -> Self {
        let entry_bytes = u32::try_from(entry.len()).unwrap_or(u32::MAX);
        let mut header = Self { entry_bytes, crc: 0, publish_time_ms, message_count };
        header.crc = header.checksum(entry);
        header
    }

    /// Returns the header's bytes.
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        let fields: [&[u8]; 4] = [
            &self.entry_bytes.to_le_bytes(),
            &self.crc.to_le_bytes(),
            &self.publish_time_ms.to_le_bytes(),
            &self.message_count.to_le_bytes(),
        ];
        for (to, from) in out.iter_mut().zip(fields.concat()) {
            *to = from;
        }
        out
    }

    fn checksum(&self, entry: &[u8]) -> u32 {
        let head = self.encode();
        crc32c::crc32c_append(crc32c::crc32c(head.get(LENGTH_AND_CRC..).unwrap_or_default()), entry)
    }
}

/// Result of reading a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A complete, sound record; the range holds the entry.
    Whole(Header, Range<usize>),
    /// The buffer ends before the record, which needs this many bytes from its start.
    Short(usize),
    /// The bytes are not a record, for this reason.
    Bad(&'static str),
}

/// Reads the record that starts at `at`.
pub(super) fn parse(buffer: &[u8], at: usize) -> Parsed {
    let rest = buffer.get(at..).unwrap_or_default();
    let Some((head, _)) = rest.split_first_chunk::<HEADER_BYTES>() else { return Parsed::Short(HEADER_BYTES) };
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = *head;
    let header = Header {
        entry_bytes: u32::from_le_bytes([a, b, c, d]),
        crc: u32::from_le_bytes([e, f, g, h]),
        publish_time_ms: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
        message_count: u32::from_le_bytes([q, r, s, t]),
    };
    if header.entry_bytes == 0 || header.entry_bytes > MAX_ENTRY_BYTES {
        return Parsed::Bad("the announced length is impossible");
    }
    let total = HEADER_BYTES + header.entry_bytes as usize;
    let Some(entry) = rest.get(HEADER_BYTES..total) else { return Parsed::Short(total) };
    if header.checksum(entry) != header.crc {
        return Parsed::Bad("the checksum does not match");
    }
    Parsed::Whole(header, at + HEADER_BYTES..at + total)
}

/// Returns the length and the checksum that a header claims, if the length is possible.
pub(super) fn claim(head: &[u8]) -> Option<(usize, u32)> {
    let (bytes, rest) = head.split_first_chunk::<4>()?;
    let entry_bytes = u32::from_le_bytes(*bytes);
    let is_possible = entry_bytes != 0 && entry_bytes <= MAX_ENTRY_BYTES;
    Some((entry_bytes as usize, u32::from_le_bytes(*rest.first_chunk::<4>()?))).filter(|_| is_possible)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_and_damage_is_seen(
            entry in proptest::collection::vec(any::<u8>(), 1..200), time: u64, count: u32, flip in 0usize..1_000,
        ) {
            let header = Header::of(&entry, time, count);
            let mut bytes = header.encode().to_vec();
            bytes.extend_from_slice(&entry);
            prop_assert_eq!(parse(&bytes, 0), Parsed::Whole(header, HEADER_BYTES..bytes.len()));
            let cut = &bytes[..bytes.len() - 1];
            let needed = if entry.len() == 1 && cut.len() < HEADER_BYTES { HEADER_BYTES } else { bytes.len() };
            prop_assert_eq!(parse(cut, 0), Parsed::Short(needed));
            let at = flip % bytes.len();
            bytes[at] ^= 1;
            prop_assert!(!matches!(parse(&bytes, 0), Parsed::Whole(..)));
        }
    }
}
