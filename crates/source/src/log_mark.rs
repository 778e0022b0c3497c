//! A mark that tells a log from another one with the same file names and offsets.
//!
//! After a reset, or after a restore from an image, a server uses the same file numbers and offsets again (MariaDB also
//! the same GTIDs) for other transactions. A mark identifies the log at a position by two things: the second in which
//! the file was created (from the header of its format description event), and a fingerprint of the last event before
//! the position.

use serde::{Deserialize, Serialize};

/// Length of an event's header.
const HEADER_BYTES: usize = 19;

/// Bytes at the end of an event that enter its fingerprint. The whole event does not, because a compressed transaction
/// may be very long.
const TAIL_BYTES: usize = 64;

/// The log at a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMark {
    /// Binlog file that holds the position.
    pub file: String,
    /// Timestamp of the file's format description, seconds since 1970.
    pub created: u32,
    /// The last event before the position; `None` at the beginning of a file.
    pub event: Option<EventMark>,
}

/// An event of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMark {
    /// Offset in the file at which the event begins.
    pub start: u64,
    /// Fingerprint of the event's header and last bytes.
    pub fingerprint: u32,
}

impl EventMark {
    /// Returns the mark of an event that begins at `start`; the last `checksum_bytes` of its bytes are the checksum.
    ///
    /// Length and checksum do not enter the fingerprint, because a server may send an event with or without the
    /// checksum that its file has.
    pub fn of(event: &[u8], start: u64, checksum_bytes: usize) -> EventMark {
        let event = event.get(..event.len().saturating_sub(checksum_bytes)).unwrap_or_default();
        let (header, body) = event.split_at(event.len().min(HEADER_BYTES));
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(header.get(..9).unwrap_or_default());
        hasher.update(header.get(13..).unwrap_or_default());
        hasher.update(body.get(body.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default());
        EventMark { start, fingerprint: hasher.finalize() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(xid: u8, length: u8) -> Vec<u8> {
        let mut event = vec![1, 2, 3, 4, 16, 1, 0, 0, 0, length, 0, 0, 0, 100, 0, 0, 0, 0, 0];
        event.extend_from_slice(&[xid, 0, 0, 0, 0, 0, 0, 0]);
        event
    }

    #[test]
    fn the_same_event_with_and_without_checksum_has_one_mark() {
        let mut with_checksum = event(7, 31);
        with_checksum.extend_from_slice(&[9, 9, 9, 9]);
        assert_eq!(EventMark::of(&event(7, 27), 200, 0), EventMark::of(&with_checksum, 200, 4));
    }

    #[test]
    fn another_transaction_at_the_same_place_has_another_mark() {
        assert_ne!(EventMark::of(&event(7, 27), 200, 0), EventMark::of(&event(8, 27), 200, 0));
        assert_ne!(EventMark::of(&event(7, 27), 200, 0), EventMark::of(&event(7, 27), 231, 0));
    }
}
