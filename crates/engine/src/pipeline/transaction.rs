//! The transaction that the reader is in, and the end of the last one.

use std::fmt::Write as _;

use bitacora_binlog::event::{AlterPhase, Gtid, MariadbGtid};
use bitacora_binlog::gtid::{GtidSet, MariadbGtidSet, Tag, Uuid};

/// The transaction that is being read.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    gtid_text: String,
    pending: Option<PendingGtid>,
    is_open: bool,
    ends_with_commit: bool,
    alter: Option<AlterPhase>,
    /// Session that wrote it, where the server says.
    pub thread: Option<u64>,
    /// When it was committed on its first server, microseconds since 1970; 0 where the server does not say.
    pub commit_timestamp_us: u64,
    /// The statement of the rows that follow, where the server logs it.
    pub statement: Option<String>,
    /// Collation of the client's character set, in which that statement stands. MySQL names it in `BEGIN`, MariaDB does
    /// not.
    pub client_collation: Option<u16>,
}

/// A GTID that joins the set when its transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PendingGtid {
    Mysql { uuid: Uuid, tag: Tag, number: u64 },
    Mariadb { domain: u32, server_id: u32, sequence: u64 },
}

impl Transaction {
    /// A transaction of MySQL begins.
    pub(super) fn begin_mysql(&mut self, gtid: &Gtid<'_>) {
        self.begin();
        self.commit_timestamp_us = gtid.original_commit_timestamp_us;
        if gtid.is_named {
            // Writing to a string cannot fail.
            let _ = if gtid.tag.is_empty() {
                write!(self.gtid_text, "{}:{}", gtid.uuid, gtid.gno)
            } else {
                write!(self.gtid_text, "{}:{}:{}", gtid.uuid, gtid.tag, gtid.gno)
            };
            let tag = gtid.tag.parse().unwrap_or_default();
            self.pending = Some(PendingGtid::Mysql { uuid: gtid.uuid, tag, number: gtid.gno });
        }
    }

    /// A transaction of MariaDB begins.
    pub(super) fn begin_mariadb(&mut self, gtid: &MariadbGtid<'_>, server_id: u32) {
        self.begin();
        let _ = write!(self.gtid_text, "{}-{}-{}", gtid.domain, server_id, gtid.sequence);
        self.pending = Some(PendingGtid::Mariadb { domain: gtid.domain, server_id, sequence: gtid.sequence });
        self.ends_with_commit = gtid.flags & MariadbGtid::FLAG_STANDALONE == 0;
        self.alter = gtid.alter;
    }

    fn begin(&mut self) {
        self.gtid_text.clear();
        self.pending = None;
        self.is_open = true;
        self.ends_with_commit = false;
        self.alter = None;
        self.thread = None;
        self.commit_timestamp_us = 0;
        self.statement = None;
        self.client_collation = None;
    }

    /// Notes a statement of the transaction; on a log without GTIDs `BEGIN` is the first sign of one.
    pub(super) fn open(&mut self) {
        if !self.is_open {
            self.begin();
        }
    }

    /// Notes `BEGIN` or what stands for it: a commit, or what stands for that, will end the transaction.
    pub(super) fn expect_commit(&mut self) {
        self.ends_with_commit = true;
    }

    /// Returns whether more follows a statement that is not `BEGIN`: a statement that changes a table is a transaction
    /// of its own, but `CREATE TABLE … SELECT` is followed by its rows and a commit. MySQL writes `BEGIN` in front of
    /// it, MariaDB leaves out the flag STANDALONE of the GTID.
    pub(super) fn ends_with_commit(&self) -> bool {
        self.ends_with_commit
    }

    /// Returns whether the statement of the transaction is an `ALTER` that only begins, or that failed after it had
    /// begun.
    pub(super) fn leaves_tables_alone(&self) -> bool {
        matches!(self.alter, Some(AlterPhase::Start | AlterPhase::Rollback))
    }

    /// Returns whether MariaDB wrote it; all its transactions have GTIDs.
    pub(super) fn is_of_mariadb(&self) -> bool {
        matches!(self.pending, Some(PendingGtid::Mariadb { .. }))
    }

    /// Returns whether the reader is inside a transaction.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// GTID of the transaction, as events print it.
    pub(super) fn gtid(&self) -> Option<&str> {
        if self.gtid_text.is_empty() { None } else { Some(&self.gtid_text) }
    }

    /// Notes the end of the transaction: its GTID joins `executed`.
    pub(super) fn end(&mut self, executed: &mut Option<GtidSet>) {
        self.is_open = false;
        self.statement = None;
        let pending = self.pending.take();
        // An empty set in a checkpoint does not show whether it is MySQL's or MariaDB's.
        if let (Some(PendingGtid::Mariadb { .. }), Some(set @ GtidSet::Mysql(_))) = (&pending, &mut *executed)
            && set.is_empty()
        {
            *set = GtidSet::Mariadb(MariadbGtidSet::default());
        }
        match (pending, executed) {
            (Some(PendingGtid::Mysql { uuid, tag, number }), Some(GtidSet::Mysql(set))) => set.add(uuid, &tag, number),
            (Some(PendingGtid::Mariadb { domain, server_id, sequence }), Some(GtidSet::Mariadb(set))) => {
                set.advance(bitacora_binlog::gtid::MariadbGtid { domain, server_id, sequence });
            }
            _ => {}
        }
    }

    /// Forgets the transaction: the connection was cut and it will be read again.
    pub(super) fn abandon(&mut self) {
        self.begin();
        self.is_open = false;
    }
}
