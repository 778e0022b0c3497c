//! Events that name transactions.
//!
//! GTID and ANONYMOUS_GTID of MySQL: flags u8, UUID, number u64, 2 (u8), last committed u64, sequence number u64,
//! immediate commit timestamp (7 bytes; the top bit says that the original one follows), transaction length
//! (length-encoded), immediate server version u32 (the top bit says that the original one follows), commit group ticket
//! u64; older servers stop earlier.
//!
//! GTID_TAGGED is a message of the server's serialisation library: version, length, last field that must be known, then
//! fields of id and value, integers in a variable form (MySQL source documentation, "Mysql serialization library").
//!
//! MariaDB: sequence u64, domain u32, flags u8, then as the flags say: commit id u64; XID (format u32, two lengths u8,
//! data); extra flags u8 and their fields. The server id is the header's.

use super::Xid;
use crate::{
    cursor::Cursor,
    error::Error,
    gtid::{MariadbGtidSet, MysqlGtidSet, Uuid},
};

/// A transaction of MySQL begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gtid<'a> {
    /// False for an anonymous transaction (`gtid_mode` off); `uuid`, `tag` and `gno` are then empty.
    pub is_named: bool,
    /// The transaction may hold statements (bit 0 of the flags).
    pub flags: u8,
    /// Server or group.
    pub uuid: Uuid,
    /// Tag, without one empty.
    pub tag: &'a str,
    /// Number of the transaction.
    pub gno: u64,
    /// Logical clock: the newest transaction that must be committed before.
    pub last_committed: i64,
    /// Logical clock: this transaction.
    pub sequence_number: i64,
    /// Commit on the server that sends, µs since 1970; 0 before MySQL 8.0.1.
    pub immediate_commit_timestamp_us: u64,
    /// Commit on the server where the transaction started, µs since 1970; 0 before MySQL 8.0.1.
    pub original_commit_timestamp_us: u64,
    /// Bytes of all events of the transaction, this one included, as they lie in the log; 0 before MySQL 8.0.2.
    pub transaction_bytes: u64,
    /// Version of the server that sends, as 90704; 0 before MySQL 8.0.14.
    pub immediate_server_version: u32,
    /// Version of the server where the transaction started.
    pub original_server_version: u32,
    /// Commit group of a group-replication member; 0 before MySQL 8.3.
    pub commit_group_ticket: u64,
}

const GTID: &str = "a GTID event";

impl<'a> Gtid<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>, is_named: bool) -> Result<Self, Error> {
        let mut gtid = Self { is_named, flags: cursor.u8(GTID)?, ..Self::default() };
        let uuid = Uuid(cursor.array(GTID)?);
        let gno = cursor.u64(GTID)?;
        if is_named {
            gtid.uuid = uuid;
            gtid.gno = gno;
        }
        if cursor.is_empty() || cursor.u8(GTID)? != 2 {
            cursor.rest();
            return Ok(gtid);
        }
        gtid.last_committed = cursor.u64(GTID)?.cast_signed();
        gtid.sequence_number = cursor.u64(GTID)?.cast_signed();
        if cursor.is_empty() {
            return Ok(gtid);
        }
        let immediate = cursor.u56(GTID)?;
        gtid.immediate_commit_timestamp_us = immediate & !(1 << 55);
        gtid.original_commit_timestamp_us = if immediate >> 55 & 1 == 1 { cursor.u56(GTID)? } else { immediate };
        if cursor.is_empty() {
            return Ok(gtid);
        }
        gtid.transaction_bytes = cursor.lenenc(GTID)?;
        if cursor.is_empty() {
            return Ok(gtid);
        }
        let version = cursor.u32(GTID)?;
        gtid.immediate_server_version = version & !(1 << 31);
        gtid.original_server_version = if version >> 31 == 1 { cursor.u32(GTID)? } else { version };
        if cursor.remaining() >= 8 {
            gtid.commit_group_ticket = cursor.u64(GTID)?;
        }
        Ok(gtid)
    }

    pub(crate) fn read_tagged(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        const KNOWN_FIELDS: u64 = 12;
        let version = cursor.varlen(GTID)?;
        if version != 1 {
            return Err(Error::Invalid { what: "the serialisation version of a tagged GTID", value: version });
        }
        let _message_bytes = cursor.varlen(GTID)?;
        let last_needed = cursor.varlen(GTID)?;
        if last_needed > KNOWN_FIELDS {
            return Err(Error::Invalid {
                what: "the last field of a tagged GTID that must be known",
                value: last_needed,
            });
        }
        let mut gtid = Self { is_named: true, ..Self::default() };
        let (mut has_original_timestamp, mut has_original_version) = (false, false);
        while !cursor.is_empty() {
            match cursor.varlen(GTID)? {
                0 => gtid.flags = low_byte(cursor.varlen(GTID)?),
                1 => {
                    for byte in &mut gtid.uuid.0 {
                        *byte = low_byte(cursor.varlen(GTID)?);
                    }
                }
                2 => gtid.gno = unzigzag(cursor.varlen(GTID)?).cast_unsigned(),
                3 => {
                    let length = cursor.varlen(GTID)?;
                    let tag = cursor.take(usize::try_from(length).unwrap_or(usize::MAX), "the tag of a GTID")?;
                    gtid.tag = std::str::from_utf8(tag).map_err(|_| Error::Utf8 { what: "the tag of a GTID" })?;
                }
                4 => gtid.last_committed = unzigzag(cursor.varlen(GTID)?),
                5 => gtid.sequence_number = unzigzag(cursor.varlen(GTID)?),
                6 => gtid.immediate_commit_timestamp_us = cursor.varlen(GTID)?,
                7 => {
                    gtid.original_commit_timestamp_us = cursor.varlen(GTID)?;
                    has_original_timestamp = true;
                }
                8 => gtid.transaction_bytes = cursor.varlen(GTID)?,
                9 => gtid.immediate_server_version = low_u32(cursor.varlen(GTID)?),
                10 => {
                    gtid.original_server_version = low_u32(cursor.varlen(GTID)?);
                    has_original_version = true;
                }
                11 => gtid.commit_group_ticket = cursor.varlen(GTID)?,
                // A field of a newer server. The message says that it may be ignored; its length is unknown, so reading
                // ends.
                _ => {
                    cursor.rest();
                }
            }
        }
        if !has_original_timestamp {
            gtid.original_commit_timestamp_us = gtid.immediate_commit_timestamp_us;
        }
        if !has_original_version {
            gtid.original_server_version = gtid.immediate_server_version;
        }
        Ok(gtid)
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

fn low_u32(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A transaction of MariaDB begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MariadbGtid<'a> {
    /// Number in its domain.
    pub sequence: u64,
    /// Domain.
    pub domain: u32,
    /// Server that wrote the event first (from the header).
    pub server_id: u32,
    /// See the `FLAG_` constants.
    pub flags: u8,
    /// Group commit.
    pub commit_id: Option<u64>,
    /// XA transaction, where the flags say PREPARED_XA or COMPLETED_XA.
    pub xid: Option<Xid<'a>>,
    /// Thread that ran the transaction (MariaDB 11.5).
    pub thread_id: Option<u32>,
    /// Which part of an `ALTER` in two phases follows (`binlog_alter_two_phase`).
    pub alter: Option<AlterPhase>,
}

/// A part of an `ALTER` that MariaDB logs when it begins and when it ends, each time with its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlterPhase {
    /// It begins; the table is still as it was, and its rows may change meanwhile.
    Start,
    /// It is done.
    Commit,
    /// It failed; the table stays as it was.
    Rollback,
}

impl<'a> MariadbGtid<'a> {
    /// The group is one event without a COMMIT (DDL).
    pub const FLAG_STANDALONE: u8 = 1;
    /// A commit id follows.
    pub const FLAG_GROUP_COMMIT: u8 = 2;
    /// Only transactional tables.
    pub const FLAG_TRANSACTIONAL: u8 = 4;
    /// May run in parallel.
    pub const FLAG_ALLOW_PARALLEL: u8 = 8;
    /// Waited for a lock.
    pub const FLAG_WAITED: u8 = 16;
    /// DDL.
    pub const FLAG_DDL: u8 = 32;
    /// Ends with XA PREPARE.
    pub const FLAG_PREPARED_XA: u8 = 64;
    /// Is XA COMMIT or XA ROLLBACK.
    pub const FLAG_COMPLETED_XA: u8 = 128;

    pub(crate) fn read(cursor: &mut Cursor<'a>, server_id: u32) -> Result<Self, Error> {
        let sequence = cursor.u64(GTID)?;
        let domain = cursor.u32(GTID)?;
        let flags = cursor.u8(GTID)?;
        let mut gtid =
            Self { sequence, domain, server_id, flags, commit_id: None, xid: None, thread_id: None, alter: None };
        if flags & Self::FLAG_GROUP_COMMIT != 0 {
            gtid.commit_id = Some(cursor.u64(GTID)?);
        } else if flags & (Self::FLAG_PREPARED_XA | Self::FLAG_COMPLETED_XA) == 0 && cursor.remaining() <= 6 {
            // Without the optional parts the event is padded to its post-header length of 19.
            let padding = cursor.rest();
            if padding.iter().all(|byte| *byte == 0) {
                return Ok(gtid);
            }
            *cursor = Cursor::new(padding);
        }
        if flags & (Self::FLAG_PREPARED_XA | Self::FLAG_COMPLETED_XA) != 0 {
            let format = cursor.u32(GTID)?;
            let [global_bytes, branch_bytes] = cursor.array(GTID)?;
            let global = cursor.take(usize::from(global_bytes), GTID)?;
            let branch = cursor.take(usize::from(branch_bytes), GTID)?;
            gtid.xid = Some(Xid { format, global, branch });
        }
        if cursor.is_empty() {
            return Ok(gtid);
        }
        const MULTI_ENGINE: u8 = 1;
        const START_ALTER: u8 = 2;
        const COMMIT_ALTER: u8 = 4;
        const ROLLBACK_ALTER: u8 = 8;
        const THREAD_ID: u8 = 16;
        let extra = cursor.u8(GTID)?;
        if extra & MULTI_ENGINE != 0 && !cursor.is_empty() {
            cursor.u8(GTID)?;
        }
        gtid.alter = match extra {
            extra if extra & COMMIT_ALTER != 0 => Some(AlterPhase::Commit),
            extra if extra & ROLLBACK_ALTER != 0 => Some(AlterPhase::Rollback),
            extra if extra & START_ALTER != 0 => Some(AlterPhase::Start),
            _ => None,
        };
        // An end says which beginning it belongs to.
        if matches!(gtid.alter, Some(AlterPhase::Commit | AlterPhase::Rollback)) && cursor.remaining() >= 8 {
            cursor.u64(GTID)?;
        }
        if extra & THREAD_ID != 0 && cursor.remaining() >= 4 {
            gtid.thread_id = Some(cursor.u32(GTID)?);
        }
        Ok(gtid)
    }

    /// Returns whether the group is one event without a COMMIT.
    pub fn is_standalone(&self) -> bool {
        self.flags & Self::FLAG_STANDALONE != 0
    }
}

/// GTIDs that lie in the files before this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PreviousGtids<'a>(pub(crate) &'a [u8]);

impl PreviousGtids<'_> {
    /// Decodes the set.
    pub fn set(&self) -> Result<MysqlGtidSet, Error> {
        MysqlGtidSet::decode(self.0)
    }
}

/// The newest GTIDs of each domain and server in the files before this one: count u32 (top 4 bits are flags), then
/// domain u32, server u32, sequence u64 each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GtidList<'a> {
    /// Bit 0: the dump thread has reached the position that was asked for.
    pub flags: u8,
    entries: &'a [u8],
}

impl<'a> GtidList<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        const WHAT: &str = "a GTID list";
        let head = cursor.u32(WHAT)?;
        let entries = cursor.take((head & 0x0fff_ffff) as usize * 16, WHAT)?;
        Ok(Self { flags: (head >> 28) as u8, entries })
    }

    /// Iterates over domain, server id and sequence; the newest id of each domain comes last.
    pub fn iter(&self) -> impl Iterator<Item = crate::gtid::MariadbGtid> + 'a {
        self.entries.as_chunks::<16>().0.iter().map(|&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]| {
            crate::gtid::MariadbGtid {
                domain: u32::from_le_bytes([a, b, c, d]),
                server_id: u32::from_le_bytes([e, f, g, h]),
                sequence: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            }
        })
    }

    /// Returns the position that the list describes.
    pub fn set(&self) -> MariadbGtidSet {
        let mut set = MariadbGtidSet::default();
        self.iter().for_each(|gtid| set.advance(gtid));
        set
    }
}
