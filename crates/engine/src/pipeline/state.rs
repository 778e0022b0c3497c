//! What a core knows between events, and how each kind of event changes it.

use std::sync::Arc;

use bitacora_binlog::event::{Body, Event, MariadbGtid};
use bitacora_binlog::{
    CHECKSUM_BYTES, ChecksumAlgorithm, Error as BinlogError, EventHeader, EventType, RowScratch, RowsEvent, RowsKind,
};
use bitacora_change::{Connector, EventContext, MessageBuffer, Operation, SnapshotMark};
use bitacora_source::ddl::{Catalog, Table, annotation_text};
use bitacora_source::replication::LogEnd;
use bitacora_source::{EventMark, LogMark, Position};

use super::large_rows::Judge;
use super::logical_offset::{EventOffset, HEADER_BYTES, LogicalOffset};
use super::options::{CoreOptions, End, Statements};
use super::outbox::{Meetings, Router};
use super::tables::{Captured, Compiled, Slot, Tables, compile};
use super::topic_owners::{TopicOwners, owner_name};
use super::topics::Topics;
use super::transaction::Transaction;
use super::undecided::Undecided;
use super::watermark::Watermark;
use super::xa::XaTransactions;
use crate::error::{EngineError, ErrorKind, Place};
use crate::metrics::SourceMetrics;
use crate::sink::{Lane, OutgoingMessage, Sink};

/// Everything of a core but its decoder, so that a decoded event may borrow the decoder meanwhile.
#[derive(Debug)]
pub(super) struct State<S> {
    pub options: CoreOptions,
    pub sink: S,
    pub metrics: Arc<SourceMetrics>,
    pub catalog: Arc<Catalog>,
    pub tables: Tables,
    pub topics: Topics,
    pub owners: TopicOwners,
    pub transaction: Transaction,
    pub xa: XaTransactions,
    pub undecided: Undecided,
    /// When the file being read was created, seconds since 1970; `None` until its format description came.
    pub file_created: Option<u32>,
    /// The last event that can end a transaction.
    pub last_event: Option<EventMark>,
    /// The end of the last transaction.
    pub end: Position,
    /// The event that ends there; `None` at the beginning of a file, and for an end that was not read.
    pub end_event: Option<EventMark>,
    /// The place that the last heartbeat named, if no event came after it.
    pub heartbeat: Option<LogEnd>,
    pub heartbeat_count: u64,
    /// Logical offset at `end`.
    pub end_offset: u64,
    pub offset: LogicalOffset,
    /// The file being read and the end of the last event in it.
    pub file: String,
    pub file_offset: u64,
    pub watermark: Watermark<End>,
    /// Whether `end` moved since the last end that was noted.
    pub unnoted_end: bool,
    pub scratch: RowScratch,
    pub buffer: MessageBuffer,
    pub now_us: i64,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    pub header: EventHeader,
    /// Start in the file; for events inside a compressed transaction that of the envelope, as Debezium prints it.
    pub start: u64,
    /// Header and body, without checksum.
    pub bytes: u64,
}

impl<S: Sink> State<S> {
    /// Notes what tells this log from another one. `raw` is the whole event, with the checksum behind it.
    pub fn note_event(&mut self, event: &Event<'_>, raw: &[u8], checksum: ChecksumAlgorithm) {
        let header = event.header;
        match &event.body {
            Body::FormatDescription(_) => self.file_created = Some(header.timestamp),
            Body::Xid(_)
            | Body::Query(_)
            | Body::ExecuteLoadQuery(_)
            | Body::XaPrepare(_)
            | Body::TransactionPayload(_) => {
                let start = file_offset_behind(self.file_offset, header).saturating_sub(u64::from(header.event_bytes));
                let checksum_bytes = if checksum == ChecksumAlgorithm::Crc32 { CHECKSUM_BYTES } else { 0 };
                self.last_event = Some(EventMark::of(raw, start, checksum_bytes));
            }
            _ => {}
        }
    }

    /// Takes a decoded event; `checksum` is what stood behind it.
    pub fn on_event(&mut self, event: Event<'_>, checksum: ChecksumAlgorithm) -> Result<(), EngineError> {
        let header = event.header;
        match &event.body {
            Body::Rotate(rotate) => {
                self.rotate(rotate.file, rotate.position, header.is_artificial());
                return Ok(());
            }
            Body::Heartbeat(heartbeat) => {
                let file = String::from_utf8_lossy(heartbeat.file).into_owned();
                self.heartbeat = Some(LogEnd { file, offset: heartbeat.position });
                self.heartbeat_count += 1;
                return Ok(());
            }
            _ if header.is_artificial() => return Ok(()),
            // Sent again to a dump that does not begin at the start of a file.
            Body::FormatDescription(_) if u64::from(header.next_position) <= self.file_offset => return Ok(()),
            _ => {}
        }
        self.heartbeat = None;
        self.file_offset = file_offset_behind(self.file_offset, header);
        let checksum_bytes = if checksum == ChecksumAlgorithm::Crc32 { CHECKSUM_BYTES as u64 } else { 0 };
        let bytes = u64::from(header.event_bytes);
        let site =
            Site { header, start: self.file_offset.saturating_sub(bytes), bytes: bytes.saturating_sub(checksum_bytes) };
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

    /// Notes when the transaction that begins was committed, by the second where the log does not tell it finer.
    fn note_commit(&self, precise_us: Option<u64>, site: Site) {
        let precise_us = precise_us.filter(|us| *us > 0).and_then(|us| i64::try_from(us).ok());
        let at_us = precise_us.unwrap_or(i64::from(site.header.timestamp) * 1_000_000);
        self.metrics.last_commit_us.set(at_us);
        self.metrics.commit_lag_us.set(self.now_us.saturating_sub(at_us).max(0));
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
                    if let Some(branch) = self.xa.take_current() {
                        self.release_branch(branch)?;
                    }
                } else {
                    self.xa.prepare();
                }
                self.end_transaction()?;
            }
            Body::Rows(rows) => self.rows(&rows, site)?,
            Body::TableMap(_) | Body::StatementEnd => {
                self.pass(site);
            }
            Body::RowsQuery(sql) | Body::AnnotateRows(sql) => {
                self.pass(site);
                if self.options.statements == Statements::Include {
                    self.transaction.statement = Some(annotation_text(sql, self.transaction.client_collation));
                }
            }
            Body::PartialUpdateRows { table, .. } => {
                self.pass(site);
                if self.options.filter.table(&table.database, &table.table) {
                    return Err(EngineError::new(
                        ErrorKind::Log,
                        "a row was logged as a partial JSON update, which cannot be turned into a whole row",
                    )
                    .remedy("set binlog_row_value_options='' on the server, then take a new snapshot of the table")
                    .at(Place { table: Some(format!("{}.{}", table.database, table.table)), ..self.place(site) }));
                }
            }
            Body::Incident(incident) => {
                return Err(EngineError::new(
                    ErrorKind::Log,
                    format!("the server reports a gap in its log: {}", String::from_utf8_lossy(incident.message)),
                )
                .remedy("changes are missing from the log; take a new snapshot")
                .at(self.place(site)));
            }
            Body::Other(_) if site.header.kind == EventType::PARTIAL_ROW_DATA => {
                return Err(EngineError::new(
                    ErrorKind::Log,
                    "a row is too large for one event and was logged in fragments, which is not supported",
                )
                .remedy(
                    "raise binlog_row_event_fragment_threshold on the server, then take a new snapshot of the table",
                )
                .at(self.place(site)));
            }
            Body::Unknown(_) if !site.header.is_ignorable() => {
                return Err(EngineError::new(
                    ErrorKind::Log,
                    format!("an event of the unknown type {} cannot be skipped safely", site.header.kind.0),
                )
                .remedy("this server is newer than this program; use a newer program")
                .at(self.place(site)));
            }
            Body::Unknown(_) => {
                self.metrics.ignored_event_count.add(1);
                tracing::warn!(kind = site.header.kind.0, file = %self.file, position = site.start, "skipped an event of an unknown type that the server marks as safe to skip");
            }
            _ => {}
        }
        Ok(())
    }

    fn rows(&mut self, event: &RowsEvent<'_>, site: Site) -> Result<(), EngineError> {
        let offset = self.pass(Site { bytes: plain_bytes(event, site), ..site });
        let table = event.table;
        let State { options, sink, catalog, tables, topics, owners, .. } = self;
        let slot = tables.slot(table, || {
            let known = catalog.tables().map(|known| (known.name.database.as_str(), known.name.table.as_str()));
            owners.seed(known, &options.plan, &options.filter, &options.outboxes);
            let description = catalog.table(&table.database, &table.table).map(Table::description);
            match compile(
                table,
                description.as_ref(),
                &options.filter,
                &options.plan,
                &options.outboxes,
                &options.notices,
            )? {
                None => Ok(Slot::Ignored),
                Some(Compiled::Outbox(plan)) => Ok(Slot::Outbox(Box::new(plan))),
                Some(Compiled::Table(plan)) => {
                    let name = owner_name(&table.database, &table.table);
                    let is_there = |owner: &str| {
                        catalog.tables().any(|known| owner_name(&known.name.database, &known.name.table) == owner)
                    };
                    let policy = options.plan.topic_collision;
                    owners.claim(topics, plan.topic(), &name, policy, &options.notices, is_there)?;
                    let topic = topics.open(sink, Lane::Stream, plan.topic(), plan.message_schema())?;
                    Ok(Slot::Captured(Box::new(Captured { plan, topic })))
                }
            }
        });
        let slot = match slot {
            Ok(Slot::Ignored) => {
                self.metrics.uncaptured_row_count.add(1);
                return Ok(());
            }
            Ok(slot) => slot,
            Err(error) => return Err(error.at(self.place(site))),
        };
        let operation = match event.kind {
            RowsKind::Insert => Operation::Create,
            RowsKind::Update => Operation::Update,
            RowsKind::Delete => Operation::Delete,
        };
        let mut context = EventContext {
            file: &self.file,
            position: site.start,
            row: 0,
            server_id: site.header.server_id,
            gtid: self.transaction.gtid(),
            thread: self.transaction.thread,
            query: self.transaction.statement.as_deref(),
            source_timestamp_us: source_timestamp_us(site.header, self.transaction.commit_timestamp_us),
            now_us: self.now_us,
            snapshot: SnapshotMark::False,
        };
        let mut held = match self.xa.current() {
            Some(branch) => Some(&mut branch.held),
            None => self.undecided.held(),
        };
        let mut rows = 0;
        let mut messages = 0;
        let mut repeated = 0;
        let mut reader = event.reader(&mut self.scratch);
        let failure = loop {
            let row = match reader.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => break None,
                Err(error) => {
                    break Some(
                        EngineError::new(ErrorKind::Log, "a row cannot be read").remedy(DAMAGED).caused_by(error),
                    );
                }
            };
            context.row = row.index;
            self.buffer.clear();
            let routed = match slot {
                Slot::Captured(captured) => match captured.plan.encode(&row, operation, &context, &mut self.buffer) {
                    Ok(()) => Ok(Some(captured.topic)),
                    Err(error) => Err(EngineError::new(ErrorKind::Row, error.to_string()).caused_by(error)),
                },
                Slot::Outbox(plan) => {
                    let (sink, topics, metrics) = (&mut self.sink, &mut self.topics, &*self.metrics);
                    let meetings = Meetings {
                        owners: &self.owners,
                        policy: self.options.plan.topic_collision,
                        notices: &self.options.notices,
                    };
                    Router { plan, sink, topics, metrics, meetings, lane: Lane::Stream }.route(
                        &row,
                        operation,
                        &context,
                        &mut self.buffer,
                    )
                }
                Slot::Ignored => Ok(None),
            };
            let index = match routed {
                Ok(index) => index.unwrap_or_default(),
                Err(error) => break Some(error),
            };
            let judge = Judge {
                rules: &self.options.large_rows,
                plan: &self.options.plan,
                table,
                operation,
                context: &context,
                metadata_bytes_max: self.sink.metadata_bytes_max(),
            };
            let describe = || self.catalog.table(&table.database, &table.table).map(Table::description);
            if let Err(error) = judge.settle(&row, describe, &mut self.buffer) {
                break Some(error);
            }
            rows += 1;
            for (number, message) in (0u32..).zip(self.buffer.messages()) {
                let sequence_id = offset.sequence_id(row.byte_offset, number);
                let ways = (&mut self.sink, &mut self.topics, &*self.metrics, Lane::Stream);
                let letter = judge.letter(&self.buffer, message, ways)?;
                let (index, buffer, message) = match &letter {
                    None => (index, &self.buffer, message),
                    Some((topic, letter)) => (*topic, letter, letter.messages().first().unwrap_or(message)),
                };
                if let Some(held) = &mut held {
                    held.push(index, sequence_id, buffer, message);
                } else if let Some(topic) = self.topics.claim(&mut self.sink, index, sequence_id)? {
                    messages += 1;
                    self.sink.append(topic, OutgoingMessage::of(buffer, message, sequence_id))?;
                } else {
                    repeated += 1;
                }
            }
        };
        self.metrics.row_count.add(rows);
        self.metrics.message_count.add(messages);
        self.metrics.repeated_message_count.add(repeated);
        match failure {
            None => self.bound_held(site),
            Some(error) => {
                let name = format!("{}.{}", table.database, table.table);
                Err(error.at(Place { table: Some(name), ..self.place(site) }))
            }
        }
    }

    /// Counts an event towards the logical offset of the log, or of the XA transaction that it belongs to.
    pub(super) fn pass(&mut self, site: Site) -> EventOffset {
        match self.xa.current() {
            Some(branch) => branch.offset.pass(site.bytes),
            None => self.offset.pass(site.bytes),
        }
    }

    /// Goes on in another file. A server also says with an artificial event where it begins to send; that is no end of a
    /// transaction, and may lie before the one that the stream asked for.
    fn rotate(&mut self, file: &[u8], position: u64, is_artificial: bool) {
        let name = String::from_utf8_lossy(file);
        if self.file != name {
            self.file = name.into_owned();
        }
        self.file_offset = position;
        self.file_created = None;
        let is_known = is_artificial && !self.end.file.is_empty();
        if !self.transaction.is_open() && !is_known && self.end.file != self.file {
            self.end.file.clone_from(&self.file);
            self.end.offset = position;
            self.end_event = None;
            self.unnoted_end = true;
        }
    }

    pub(super) fn end_transaction(&mut self) -> Result<(), EngineError> {
        self.release_undecided()?;
        self.transaction.end(&mut self.end.gtid);
        if self.end.file != self.file {
            self.end.file.clone_from(&self.file);
        }
        self.end.offset = self.file_offset;
        self.end_event = self.last_event;
        self.end_offset = self.offset.current();
        self.unnoted_end = true;
        if !self.xa.is_waiting() && self.watermark.wants(self.now_us) {
            self.note_end();
        }
        Ok(())
    }

    /// Notes the last transaction end as a candidate for the checkpoint.
    pub fn note_end(&mut self) {
        self.unnoted_end = false;
        let end = End {
            position: self.end.clone(),
            log: self.log(),
            logical_offset: self.end_offset,
            catalog: Arc::clone(&self.catalog),
        };
        self.watermark.note(self.end_offset, end, self.now_us);
    }

    /// The log at the last transaction end.
    pub fn log(&self) -> Option<LogMark> {
        let created = self.file_created.filter(|_| self.end.file == self.file)?;
        Some(LogMark { file: self.end.file.clone(), created, event: self.end_event })
    }

    /// The error of an event that the decoder refuses.
    pub fn undecodable(&self, error: BinlogError) -> EngineError {
        EngineError::new(ErrorKind::Log, format!("an event of the log is damaged or not understood: {error}"))
            .remedy(DAMAGED)
            .at(Place {
                server: Some(self.options.server.clone()),
                file: Some(self.file.clone()),
                position: Some(self.file_offset),
                gtid: self.transaction.gtid().map(str::to_owned),
                table: None,
            })
            .caused_by(error)
    }

    pub(super) fn place(&self, site: Site) -> Place {
        Place {
            server: Some(self.options.server.clone()),
            file: Some(self.file.clone()),
            position: Some(site.start),
            gtid: self.transaction.gtid().map(str::to_owned),
            table: None,
        }
    }

    fn after_mariadb_gtid(&mut self, gtid: &MariadbGtid<'_>) {
        self.transaction.thread = gtid.thread_id.map(u64::from).filter(|_| self.names_threads());
        // MariaDB says XA START with the transaction's own event; MySQL with a statement.
        if gtid.flags & MariadbGtid::FLAG_PREPARED_XA != 0
            && let Some(xid) = &gtid.xid
        {
            self.xa.start(&xid.to_string());
        } else if self.transaction.ends_with_commit() {
            self.undecided.begin();
        }
    }

    /// Debezium's MariaDB connector leaves the session out.
    pub(super) fn names_threads(&self) -> bool {
        self.options.plan.connector == Connector::Mysql
    }
}

const DAMAGED: &str = "check the server's disk and its error log; if the log is damaged there, take a new snapshot";

/// The end of an event in its file. Headers hold only the low 32 bits, and MariaDB from 11.4 none inside a transaction.
fn file_offset_behind(previous: u64, header: EventHeader) -> u64 {
    if header.next_position == 0 {
        return previous.saturating_add(u64::from(header.event_bytes));
    }
    let same = (previous & !u64::from(u32::MAX)) | u64::from(header.next_position);
    if same < previous { same.saturating_add(1 << 32) } else { same }
}

/// Bytes that a rows event counts towards the logical offset. A compressed event numbers its rows as if it were plain, so it
/// must count as what it holds.
fn plain_bytes(event: &RowsEvent<'_>, site: Site) -> u64 {
    /// Table id, flags, column count and the bitmaps of a rows event, at most.
    const BODY_HEAD_BYTES: u64 = 16;
    if !(EventType::WRITE_ROWS_COMPRESSED_V1..=EventType::DELETE_ROWS_COMPRESSED).contains(&site.header.kind) {
        return site.bytes;
    }
    let bitmaps = 2 * event.table.columns.len().div_ceil(8) as u64;
    HEADER_BYTES + BODY_HEAD_BYTES + bitmaps + event.image_bytes().len() as u64
}

/// The commit time where the server logs it, else the statement's second.
pub(super) fn source_timestamp_us(header: EventHeader, commit_timestamp_us: u64) -> i64 {
    if commit_timestamp_us > 0 {
        i64::try_from(commit_timestamp_us).unwrap_or(i64::MAX)
    } else {
        i64::from(header.timestamp) * 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(next_position: u32, event_bytes: u32) -> EventHeader {
        EventHeader { timestamp: 0, kind: EventType::XID, server_id: 1, event_bytes, next_position, flags: 0 }
    }

    #[test]
    fn positions_beyond_four_gibibytes_go_on() {
        assert_eq!(file_offset_behind(4, header(120, 116)), 120);
        assert_eq!(file_offset_behind((1 << 32) - 10, header(90, 100)), (1 << 32) + 90);
        assert_eq!(file_offset_behind((1 << 32) + 90, header(190, 100)), (1 << 32) + 190);
        assert_eq!(file_offset_behind(1_000, header(0, 50)), 1_050);
    }
}
