//! Decoded events.

mod format_description;
mod gtid;
mod plain_events;
mod query;
mod session;
mod transaction_payload;
mod xa;

pub use format_description::FormatDescription;
pub use gtid::{AlterPhase, Gtid, GtidList, MariadbGtid, PreviousGtids};
pub use query::{Query, StatusVariable, StatusVariables};
pub use session::{Heartbeat, Incident, Rotate};
pub use transaction_payload::TransactionPayload;
pub use xa::{XaPrepare, Xid};

pub(crate) use format_description::has_checksum;
pub(crate) use plain_events::PayloadBuffers;

use crate::{header::EventHeader, rows::RowsEvent, table::TableMap};
use std::sync::Arc;

/// One event, borrowed from its bytes and from the decoder.
#[derive(Debug)]
pub struct Event<'a> {
    /// The common header.
    pub header: EventHeader,
    /// What the event says.
    pub body: Body<'a>,
}

/// What an event says.
#[derive(Debug)]
#[non_exhaustive]
pub enum Body<'a> {
    /// Start of a log: version, server, header lengths, checksum.
    FormatDescription(&'a FormatDescription),
    /// The log goes on in another file (also artificial: the file that the dump starts with).
    Rotate(Rotate<'a>),
    /// A transaction of MySQL begins: plain, tagged or anonymous.
    Gtid(Gtid<'a>),
    /// A transaction of MariaDB begins.
    MariadbGtid(MariadbGtid<'a>),
    /// GTIDs before this file (MySQL).
    PreviousGtids(PreviousGtids<'a>),
    /// GTIDs before this file (MariaDB).
    GtidList(GtidList<'a>),
    /// A statement: DDL, BEGIN, COMMIT, SAVEPOINT, XA, or DML in statement format.
    Query(Query<'a>),
    /// A LOAD DATA or LOAD XML in statement format; its file stands in events before it.
    ExecuteLoadQuery(Query<'a>),
    /// A transaction commits.
    Xid(u64),
    /// A transaction is prepared; its COMMIT or ROLLBACK comes later, or with one phase this is the commit.
    XaPrepare(XaPrepare<'a>),
    /// Announces the table of the rows that follow.
    TableMap(&'a Arc<TableMap>),
    /// Rows changed.
    Rows(RowsEvent<'a>),
    /// The end of a statement whose rows were all filtered away: a rows event without table.
    StatementEnd,
    /// Rows changed, JSON columns given as differences (`binlog_row_value_options=PARTIAL_JSON`); images are not
    /// decoded.
    PartialUpdateRows {
        /// The table.
        table: &'a Arc<TableMap>,
        /// Flags as in [`RowsEvent`].
        flags: u16,
        /// Everything behind the flags.
        data: &'a [u8],
    },
    /// The statement of the rows that follow (MySQL, `binlog_rows_query_log_events`).
    RowsQuery(&'a [u8]),
    /// The statement of the rows that follow (MariaDB, `binlog_annotate_row_events`).
    AnnotateRows(&'a [u8]),
    /// The server is alive and has nothing newer.
    Heartbeat(Heartbeat<'a>),
    /// The log has a gap.
    Incident(Incident<'a>),
    /// A compressed transaction; iterate with [`TransactionPayload::next_event`].
    TransactionPayload(TransactionPayload<'a>),
    /// The server stopped.
    Stop,
    /// The rest of the file is encrypted (met only when reading files, the dump thread decrypts).
    StartEncryption(&'a [u8]),
    /// The oldest file that recovery needs (MariaDB).
    BinlogCheckpoint {
        /// File name.
        file: &'a [u8],
    },
    /// A known type that says nothing about rows (INTVAR, RAND, USER_VAR, parts of a LOAD DATA's file, VIEW_CHANGE,
    /// TRANSACTION_CONTEXT, …) or that is not decoded (fragmented rows of MariaDB 12.3); the type is in the header.
    Other(&'a [u8]),
    /// A type that neither server had when this was written; the type is in the header. Whether it may be skipped is
    /// for the reader to decide ([`EventHeader::is_ignorable`]).
    Unknown(&'a [u8]),
}
