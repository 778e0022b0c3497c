//! FORMAT_DESCRIPTION: binlog version u16, server version (50 bytes, NUL-padded), created u32, header length u8, a
//! post-header length for each event type from 1, and from MySQL 5.6.1 and MariaDB 5.3 the checksum algorithm u8.

use crate::{
    cursor::Cursor,
    error::Error,
    event_type::EventType,
    flavor::Flavor,
    header::{ChecksumAlgorithm, HEADER_BYTES},
};

/// The format of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatDescription {
    /// Binlog version; always 4.
    pub binlog_version: u16,
    /// Version text of the server, as `9.7.4` or `10.11.18-MariaDB-log`.
    pub server_version: String,
    /// Creation of the log, seconds since 1970; 0 unless the server has just started.
    pub created: u32,
    /// Server family.
    pub flavor: Flavor,
    /// Checksum of the events that follow.
    pub checksum: ChecksumAlgorithm,
    post_header_bytes: Vec<u8>,
}

impl Default for FormatDescription {
    fn default() -> Self {
        Self {
            binlog_version: 4,
            server_version: String::new(),
            created: 0,
            flavor: Flavor::Mysql,
            checksum: ChecksumAlgorithm::None,
            post_header_bytes: Vec::new(),
        }
    }
}

impl FormatDescription {
    /// Parses the body without the checksum.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        const WHAT: &str = "the format description";
        let binlog_version = cursor.u16(WHAT)?;
        if binlog_version != 4 {
            return Err(Error::Invalid { what: "the binlog version", value: u64::from(binlog_version) });
        }
        let version = cursor.take(50, WHAT)?;
        let version = version.split(|byte| *byte == 0).next().unwrap_or_default();
        let server_version = String::from_utf8_lossy(version).into_owned();
        let created = cursor.u32(WHAT)?;
        let header_bytes = cursor.u8(WHAT)?;
        if usize::from(header_bytes) != HEADER_BYTES {
            return Err(Error::Invalid { what: "the header length", value: u64::from(header_bytes) });
        }
        let rest = cursor.rest();
        let (post_header_bytes, algorithm) = match rest.split_last() {
            Some((algorithm, lengths)) if has_checksum(&server_version) => (lengths, *algorithm),
            _ => (rest, 0),
        };
        let checksum = match algorithm {
            0 | 255 => ChecksumAlgorithm::None,
            1 => ChecksumAlgorithm::Crc32,
            other => return Err(Error::Invalid { what: "the checksum algorithm", value: u64::from(other) }),
        };
        let flavor = if server_version.contains("MariaDB") { Flavor::Mariadb } else { Flavor::Mysql };
        let post_header_bytes = post_header_bytes.to_vec();
        Ok(Self { binlog_version, server_version, created, flavor, checksum, post_header_bytes })
    }

    /// Returns the length in bytes of the fixed part of an event's body, or `None` where the log does not say.
    pub fn post_header_bytes(&self, kind: EventType) -> Option<u8> {
        self.post_header_bytes.get(usize::from(kind.0).checked_sub(1)?).copied()
    }

    /// Returns the length in bytes of a table id: 4 in logs of MySQL before 5.1.4, else 6.
    pub(crate) fn table_id_bytes(&self, kind: EventType) -> u8 {
        if self.post_header_bytes(kind) == Some(6) { 4 } else { 6 }
    }
}

/// Returns whether a format description of that server version ends with checksum algorithm and checksum.
pub(crate) fn has_checksum(version: &str) -> bool {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let number = (part(), part(), part());
    number >= (5, 6, 1) || (version.contains("MariaDB") && number >= (5, 3, 0))
}
