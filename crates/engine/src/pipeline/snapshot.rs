//! Rows of a snapshot, through the plans and out at the sink's snapshot lane.

use std::sync::Arc;

use bitacora_binlog::{RowScratch, TableMap};
use bitacora_change::ddl_record::DdlRecordEncoder;
use bitacora_change::outbox::OutboxRule;
use bitacora_change::{EventContext, LargeRows, MessageBuffer, Operation, PlanOptions, SnapshotMark, TableDescription};
use bitacora_source::ddl::DdlRecord;
use bitacora_source::snapshot::SnapshotChunk;
use bitacora_source::{Filter, Position};

use super::large_rows::Judge;
use super::outbox::{Meetings, Router};
use super::schema_changes::schema_change;
use super::tables::{Captured, Compiled, Slot, compile};
use super::topic_owners::{TopicOwners, owner_name};
use super::topics::Topics;
use crate::error::{EngineError, ErrorKind, Place};
use crate::metrics::SourceMetrics;
use crate::notices::Notices;
use crate::sink::{Lane, OutgoingMessage, Sink};

/// A table of the snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotTable {
    /// Columns as in the binlog.
    pub map: Arc<TableMap>,
    /// What its DDL says.
    pub description: TableDescription,
}

/// What a snapshot's rows become.
#[derive(Debug)]
pub struct SnapshotWriterOptions {
    /// How rows are encoded.
    pub plan: PlanOptions,
    /// What is captured.
    pub filter: Filter,
    /// Which of the captured tables are outboxes.
    pub outboxes: Vec<OutboxRule>,
    /// What becomes of rows whose message no broker takes.
    pub large_rows: LargeRows,
    /// Topics that rows of outboxes name and that are open at once.
    pub open_topics_max: usize,
    /// What has been said of the tables' rules.
    pub notices: Notices,
}

/// Writes one snapshot.
#[derive(Debug)]
pub struct SnapshotWriter<S> {
    options: PlanOptions,
    filter: Filter,
    outboxes: Vec<OutboxRule>,
    large_rows: LargeRows,
    notices: Notices,
    sink: S,
    metrics: Arc<SourceMetrics>,
    tables: Vec<SnapshotTable>,
    position: Position,
    topics: Topics,
    owners: TopicOwners,
    current: Option<(usize, Slot)>,
    next_sequence_id: u64,
    is_first: bool,
    scratch: RowScratch,
    buffer: MessageBuffer,
}

impl<S: Sink> SnapshotWriter<S> {
    /// Begins a snapshot as of `position`. `first_sequence_id` is the first id of the sink's epoch.
    pub fn new(
        options: SnapshotWriterOptions,
        sink: S,
        metrics: Arc<SourceMetrics>,
        tables: Vec<SnapshotTable>,
        position: Position,
        first_sequence_id: u64,
    ) -> Self {
        let SnapshotWriterOptions { plan: options, filter, outboxes, large_rows, open_topics_max, notices } = options;
        SnapshotWriter {
            options,
            filter,
            outboxes,
            large_rows,
            notices,
            sink,
            metrics,
            tables,
            position,
            topics: Topics::new(open_topics_max),
            owners: TopicOwners::default(),
            current: None,
            next_sequence_id: first_sequence_id,
            is_first: true,
            scratch: RowScratch::new(),
            buffer: MessageBuffer::default(),
        }
    }

    /// Writes the statements that stand for the tables.
    ///
    /// # Errors
    /// The sink has failed.
    pub fn write_statements(&mut self, records: &[DdlRecord], now_us: i64) -> Result<(), EngineError> {
        let encoder = DdlRecordEncoder::new(&self.options);
        let topic = self.topics.open_once(&mut self.sink, Lane::Snapshot, encoder.topic(), encoder.message_schema())?;
        for record in records {
            self.buffer.clear();
            let context = context(&self.position, SnapshotMark::True, now_us);
            encoder.encode(&schema_change(record), &context, &mut self.buffer);
            self.send(topic, None)?;
        }
        Ok(())
    }

    /// Writes the rows of a chunk.
    ///
    /// # Errors
    /// A row cannot be encoded, or the sink has failed.
    pub fn write_rows(&mut self, chunk: &SnapshotChunk, now_us: i64) -> Result<(), EngineError> {
        let Some(table) = self.tables.get(chunk.table_index).cloned() else {
            return Err(EngineError::new(ErrorKind::Fault, "the snapshot gave rows of a table that it does not have"));
        };
        self.open_table(chunk.table_index, &table)?;
        let place = || Place { table: Some(format!("{}.{}", table.map.database, table.map.table)), ..Place::default() };
        let event = chunk.event(&table.map);
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut reader = event.reader(&mut scratch);
        let mut count = 0;
        let outcome = loop {
            let row = match reader.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => break Ok(()),
                Err(error) => {
                    break Err(EngineError::new(ErrorKind::ServerData, "a row of the snapshot cannot be read")
                        .caused_by(error));
                }
            };
            count += 1;
            let is_last_of_table = chunk.table_end && count == chunk.row_count;
            let mark = match (std::mem::take(&mut self.is_first), is_last_of_table) {
                (_, true) if chunk.snapshot_end => SnapshotMark::Last,
                (true, _) => SnapshotMark::First,
                (_, true) => SnapshotMark::LastInDataCollection,
                _ if chunk.first_row == 0 && count == 1 => SnapshotMark::FirstInDataCollection,
                _ => SnapshotMark::True,
            };
            self.buffer.clear();
            let context = context(&self.position, mark, now_us);
            let routed = match &self.current {
                Some((_, Slot::Captured(captured))) => {
                    match captured.plan.encode(&row, Operation::Read, &context, &mut self.buffer) {
                        Ok(()) => Ok(Some(captured.topic)),
                        Err(error) => Err(EngineError::new(ErrorKind::Row, error.to_string()).caused_by(error)),
                    }
                }
                Some((_, Slot::Outbox(plan))) => {
                    let (sink, topics, metrics) = (&mut self.sink, &mut self.topics, &*self.metrics);
                    let meetings =
                        Meetings { owners: &self.owners, policy: self.options.topic_collision, notices: &self.notices };
                    Router { plan, sink, topics, metrics, meetings, lane: Lane::Snapshot }.route(
                        &row,
                        Operation::Read,
                        &context,
                        &mut self.buffer,
                    )
                }
                Some((_, Slot::Ignored)) | None => Ok(None),
            };
            let sent = routed.and_then(|topic| {
                let Some(topic) = topic else { return Ok(()) };
                if self.large_rows.excess_of_row(&self.buffer, self.sink.metadata_bytes_max()).is_none() {
                    return self.send(topic, None);
                }
                // A row in millions: what it needs is copied then.
                let position = self.position.clone();
                let context = self::context(&position, mark, now_us);
                let (rules, plan) = (self.large_rows.clone(), self.options.clone());
                let judge = Judge {
                    rules: &rules,
                    plan: &plan,
                    table: &table.map,
                    operation: Operation::Read,
                    context: &context,
                    metadata_bytes_max: self.sink.metadata_bytes_max(),
                };
                judge.settle(&row, || Some(table.description.clone()), &mut self.buffer)?;
                self.send(topic, Some(judge))
            });
            if let Err(error) = sent {
                break Err(error);
            }
        };
        self.scratch = scratch;
        self.metrics.snapshot_row_count.add(u64::from(count));
        outcome.map_err(|error| error.at(place()))
    }

    /// Waits until everything is durable; gives the sink back.
    ///
    /// # Errors
    /// The sink has failed.
    pub fn finish(mut self) -> Result<S, EngineError> {
        self.sink.finish(Lane::Snapshot)?;
        Ok(self.sink)
    }

    fn open_table(&mut self, index: usize, table: &SnapshotTable) -> Result<(), EngineError> {
        if self.current.as_ref().is_some_and(|(current, _)| *current == index) {
            return Ok(());
        }
        let known = self.tables.iter().map(|known| (known.map.database.as_str(), known.map.table.as_str()));
        self.owners.seed(known, &self.options, &self.filter, &self.outboxes);
        let compiled =
            compile(&table.map, Some(&table.description), &self.filter, &self.options, &self.outboxes, &self.notices)?;
        let slot = match compiled {
            Some(Compiled::Table(plan)) => {
                let name = owner_name(&table.map.database, &table.map.table);
                let policy = self.options.topic_collision;
                self.owners.claim(&self.topics, plan.topic(), &name, policy, &self.notices, |_| true)?;
                let topic = self.topics.open(&mut self.sink, Lane::Snapshot, plan.topic(), plan.message_schema())?;
                Slot::Captured(Box::new(Captured { plan, topic }))
            }
            Some(Compiled::Outbox(plan)) => Slot::Outbox(Box::new(plan)),
            None => {
                return Err(EngineError::new(
                    ErrorKind::Fault,
                    "the snapshot gave rows of a table that is not captured",
                ));
            }
        };
        self.current = Some((index, slot));
        Ok(())
    }

    fn send(&mut self, topic: usize, judge: Option<Judge<'_>>) -> Result<(), EngineError> {
        for message in self.buffer.messages() {
            let sequence_id = self.next_sequence_id;
            self.next_sequence_id += 1;
            let ways = (&mut self.sink, &mut self.topics, &*self.metrics, Lane::Snapshot);
            let letter = match &judge {
                Some(judge) => judge.letter(&self.buffer, message, ways)?,
                None => None,
            };
            let (topic, buffer, message) = match &letter {
                None => (topic, &self.buffer, message),
                Some((topic, letter)) => (*topic, letter, letter.messages().first().unwrap_or(message)),
            };
            let Some(topic) = self.topics.claim(&mut self.sink, topic, sequence_id)? else {
                return Err(EngineError::new(
                    ErrorKind::Fault,
                    "a topic already has a sequence id that this snapshot gives for the first time",
                )
                .remedy("report it with the log"));
            };
            self.metrics.message_count.add(1);
            self.sink.append(topic, OutgoingMessage::of(buffer, message, sequence_id))?;
        }
        Ok(())
    }
}

/// A snapshot's rows and statements are of no server, transaction or session.
fn context(position: &Position, snapshot: SnapshotMark, now_us: i64) -> EventContext<'_> {
    EventContext {
        file: &position.file,
        position: position.offset,
        row: 0,
        server_id: 0,
        gtid: None,
        thread: None,
        query: None,
        source_timestamp_us: now_us,
        now_us,
        snapshot,
    }
}
