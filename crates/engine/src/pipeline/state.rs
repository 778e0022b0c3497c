//! What a core knows between events, and how each kind of event changes it.

use std::sync::Arc;

use bitacora_binlog::event::{Body, Event, MariadbGtid};
use bitacora_binlog::{ChecksumAlgorithm, EventHeader, RowScratch};
use bitacora_change::Connector;
use bitacora_source::Position;
use bitacora_source::ddl::{Catalog, annotation_text};

use super::boundaries::Boundaries;
use super::logical_offset::{EventOffset, LogicalOffset};
use super::options::{SchemaChanges, Statements};
use super::proofs::Proofs;
use super::read_place::{ReadPlace, Site};
use super::row_writer::RowWriter;
use super::tables::Tables;
use super::transaction::Transaction;
use super::waiting::Waiting;
use crate::error::EngineError;
use crate::sink::Sink;

/// Everything of a core but its decoder, so that a decoded event may borrow the decoder meanwhile.
#[derive(Debug)]
pub(super) struct State<S> {
    /// Host and port of the server, for messages.
    pub server: String,
    pub schema_changes: SchemaChanges,
    pub statements: Statements,
    pub writer: RowWriter<S>,
    pub catalog: Arc<Catalog>,
    pub tables: Tables,
    pub proofs: Proofs,
    pub transaction: Transaction,
    pub waiting: Waiting,
    pub place: ReadPlace,
    pub ends: Boundaries,
    pub offset: LogicalOffset,
    pub scratch: RowScratch,
    pub now_us: i64,
}

impl<S: Sink> State<S> {
    /// Takes a decoded event; `checksum` is what stood behind it.
    pub(super) fn on_event(&mut self, event: Event<'_>, checksum: ChecksumAlgorithm) -> Result<(), EngineError> {
        let header = event.header;
        match &event.body {
            Body::Rotate(rotate) => {
                self.rotate(rotate.file, rotate.position, header.is_artificial());
                return Ok(());
            }
            Body::Heartbeat(heartbeat) => {
                self.place.hear(heartbeat.file, heartbeat.position);
                return Ok(());
            }
            _ if header.is_artificial() => return Ok(()),
            // Sent again to a dump that does not begin at the start of a file.
            Body::FormatDescription(_) if u64::from(header.next_position) <= self.place.offset => return Ok(()),
            _ => {}
        }
        let site = self.place.pass(header, checksum);
        match event.body {
            Body::TransactionPayload(mut payload) => loop {
                let inner = match payload.next_event() {
                    Ok(Some(inner)) => inner,
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(self.undecodable(error)),
                };
                let site = Site { header: inner.header, start: site.start, bytes: u64::from(inner.header.event_bytes) };
                self.plain_event(inner.body, site)?;
            },
            body => self.plain_event(body, site),
        }
    }

    /// Records the commit time of the transaction that begins, in whole seconds if the log has nothing better.
    fn note_commit(&self, precise_us: Option<u64>, site: Site) {
        let precise_us = precise_us.filter(|us| *us > 0).and_then(|us| i64::try_from(us).ok());
        let at_us = precise_us.unwrap_or(i64::from(site.header.timestamp) * 1_000_000);
        self.writer.metrics.last_commit_us.set(at_us);
        self.writer.metrics.commit_lag_us.set(self.now_us.saturating_sub(at_us).max(0));
    }

    fn plain_event(&mut self, body: Body<'_>, site: Site) -> Result<(), EngineError> {
        match body {
            Body::Gtid(gtid) => {
                self.pass(site);
                self.transaction.begin_mysql(&gtid);
                self.note_commit(Some(gtid.original_commit_timestamp_us), site);
            }
            Body::MariadbGtid(gtid) => {
                self.pass(site);
                self.transaction.begin_mariadb(&gtid, site.header.server_id);
                self.note_commit(None, site);
                self.after_mariadb_gtid(&gtid);
            }
            Body::Query(query) | Body::ExecuteLoadQuery(query) => self.query(&query, site)?,
            Body::Xid(_) => {
                self.pass(site);
                self.end_transaction()?;
            }
            Body::XaPrepare(prepare) => {
                self.pass(site);
                if prepare.one_phase {
                    if let Some(branch) = self.waiting.xa.take_current() {
                        self.release_branch(branch)?;
                    }
                } else {
                    self.waiting.xa.prepare();
                }
                self.end_transaction()?;
            }
            Body::Rows(rows) => self.rows(&rows, site)?,
            Body::TableMap(_) | Body::StatementEnd => {
                self.pass(site);
            }
            Body::RowsQuery(sql) | Body::AnnotateRows(sql) => {
                self.pass(site);
                if self.statements == Statements::Include {
                    self.transaction.statement = Some(annotation_text(sql, self.transaction.client_collation));
                }
            }
            body => self.refuse(&body, site)?,
        }
        Ok(())
    }

    /// Counts an event towards the logical offset of the log, or of the XA transaction that it belongs to.
    pub(super) fn pass(&mut self, site: Site) -> EventOffset {
        match self.waiting.xa.current() {
            Some(branch) => branch.offset.pass(site.bytes),
            None => self.offset.pass(site.bytes),
        }
    }

    /// Goes on in another file. The server also sends an artificial event with the position at which it begins to send.
    /// That position ends no transaction, and may lie before the one that the stream asked for.
    fn rotate(&mut self, file: &[u8], position: u64, is_artificial: bool) {
        self.place.enter(file, position);
        let is_known = is_artificial && !self.ends.end().file.is_empty();
        if !self.transaction.is_open() && !is_known {
            self.ends.enter_file(&self.place);
        }
    }

    pub(super) fn end_transaction(&mut self) -> Result<(), EngineError> {
        self.release_undecided()?;
        self.transaction.end(self.ends.executed());
        self.ends.end_transaction(&self.place, self.offset.current());
        if self.ends.wants(self.now_us) {
            self.note_end();
        }
        Ok(())
    }

    /// Notes the last transaction end as a candidate for the checkpoint, unless it is one already or a transaction
    /// waits.
    pub(super) fn note_end(&mut self) {
        if self.ends.is_unnoted() && !self.waiting.xa.is_waiting() {
            self.ends.note(&self.place, &self.catalog, self.now_us);
        }
    }

    /// Goes back to the end of the last transaction.
    pub(super) fn abandon(&mut self) -> Position {
        self.transaction.abandon();
        self.waiting.abandon();
        self.offset = LogicalOffset::at(self.ends.logical_offset());
        self.place.return_to(self.ends.end());
        self.ends.end().clone()
    }

    fn after_mariadb_gtid(&mut self, gtid: &MariadbGtid<'_>) {
        self.transaction.thread = gtid.thread_id.map(u64::from).filter(|_| self.names_threads());
        // MariaDB says XA START with the transaction's own event; MySQL with a statement.
        if gtid.flags & MariadbGtid::FLAG_PREPARED_XA != 0
            && let Some(xid) = &gtid.xid
        {
            self.waiting.xa.start(&xid.to_string());
        } else if self.transaction.ends_with_commit() {
            self.waiting.undecided.begin();
        }
    }

    /// Debezium's MariaDB connector leaves the session out.
    pub(super) fn names_threads(&self) -> bool {
        self.writer.rules.plan.connector == Connector::Mysql
    }
}

/// Returns the commit time where the server logs it, else the second of the statement.
pub(super) fn source_timestamp_us(header: EventHeader, commit_timestamp_us: u64) -> i64 {
    if commit_timestamp_us > 0 {
        i64::try_from(commit_timestamp_us).unwrap_or(i64::MAX)
    } else {
        i64::from(header.timestamp) * 1_000_000
    }
}
