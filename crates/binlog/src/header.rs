//! The common header of every event: 19 bytes, little-endian, binlog version 4 (MySQL internals manual,
//! "Common-Header").
//!
//! `timestamp u32 | type u8 | server id u32 | event length u32 | next position u32 | flags u16`

use crate::{cursor::Cursor, error::Error, event_type::EventType};

/// Bytes of the common header.
pub const HEADER_BYTES: usize = 19;

/// Bytes of the CRC-32 behind an event.
pub const CHECKSUM_BYTES: usize = 4;

/// The common header of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventHeader {
    /// Start of the statement on the server, seconds since 1970; 0 for artificial events.
    pub timestamp: u32,
    /// Type of the event.
    pub kind: EventType,
    /// Server that wrote the event first.
    pub server_id: u32,
    /// Bytes of the whole event: header, body and checksum.
    pub event_bytes: u32,
    /// End of the event in its file, low 32 bits; 0 for artificial events, for events inside a compressed transaction,
    /// and inside transactions of MariaDB from 11.4.
    pub next_position: u32,
    /// See the `FLAG_` constants.
    pub flags: u16,
}

impl EventHeader {
    /// The log is open, or was not closed properly (only in a format description).
    pub const FLAG_IN_USE: u16 = 0x1;
    /// Made up by the dump thread, not part of the log.
    pub const FLAG_ARTIFICIAL: u16 = 0x20;
    /// A reader that does not know the type may skip the event.
    pub const FLAG_IGNORABLE: u16 = 0x80;

    /// Reads the header at the start of `event`; the length in it is not compared with the slice.
    pub fn parse(event: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "the event header";
        if event.len() < HEADER_BYTES {
            return Err(Error::Truncated { what: WHAT, needed: HEADER_BYTES, available: event.len() });
        }
        let mut cursor = Cursor::new(event);
        Ok(Self {
            timestamp: cursor.u32(WHAT)?,
            kind: EventType(cursor.u8(WHAT)?),
            server_id: cursor.u32(WHAT)?,
            event_bytes: cursor.u32(WHAT)?,
            next_position: cursor.u32(WHAT)?,
            flags: cursor.u16(WHAT)?,
        })
    }

    /// Returns whether the dump thread made the event up: it is not part of the log.
    pub fn is_artificial(&self) -> bool {
        self.flags & Self::FLAG_ARTIFICIAL != 0
    }

    /// Returns whether a reader that does not know the type may skip the event.
    pub fn is_ignorable(&self) -> bool {
        self.flags & Self::FLAG_IGNORABLE != 0
    }

    /// Says that a fault lies in the event of this header, `offset` bytes from the header's start.
    #[cold]
    pub(crate) fn locate(&self, offset: usize, cause: Error) -> Error {
        Error::Event { kind: self.kind, next_position: self.next_position, offset, cause: Box::new(cause) }
    }
}

/// The checksum behind each event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ChecksumAlgorithm {
    /// No checksum.
    #[default]
    None,
    /// CRC-32 (the one of zlib), 4 bytes, little-endian.
    Crc32,
}
