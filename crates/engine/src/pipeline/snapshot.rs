//! Rows of a snapshot, through the plans and out at the sink's snapshot lane.

use std::sync::Arc;

use bitacora_binlog::{RowScratch, TableMap};
use bitacora_change::ddl_record::DdlRecordEncoder;
use bitacora_change::{EventContext, Operation, SnapshotMark, TableDescription};
use bitacora_source::Position;
use bitacora_source::SnapshotChunk;
use bitacora_source::ddl::DdlRecord;

use super::row_rules::{RowOrigin, RowRules};
use super::row_writer::{Encoded, KnownTables, RowWriter, Sent};
use super::schema_changes::schema_change;
use super::tables::{Known, Slot};
use crate::error::{EngineError, ErrorKind, Place};
use crate::metrics::SourceMetrics;
use crate::sink::{Lane, Sink};

/// A table of the snapshot.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotTable {
    /// Columns as in the binlog.
    pub map: Arc<TableMap>,
    /// What its DDL says.
    pub description: TableDescription,
}

/// Writes one snapshot.
#[derive(Debug)]
pub(crate) struct SnapshotWriter<S> {
    writer: RowWriter<S>,
    tables: Vec<SnapshotTable>,
    position: Position,
    current: Option<(usize, Slot)>,
    next_sequence_id: u64,
    is_first: bool,
    scratch: RowScratch,
}

impl<S: Sink> SnapshotWriter<S> {
    /// Begins a snapshot as of `position`. `first_sequence_id` is the first id of the sink's epoch.
    pub(crate) fn new(
        rules: RowRules,
        sink: S,
        metrics: Arc<SourceMetrics>,
        tables: Vec<SnapshotTable>,
        position: Position,
        first_sequence_id: u64,
    ) -> Self {
        SnapshotWriter {
            writer: RowWriter::new(rules, sink, metrics, Lane::Snapshot),
            tables,
            position,
            current: None,
            next_sequence_id: first_sequence_id,
            is_first: true,
            scratch: RowScratch::new(),
        }
    }

    /// Writes the statements that stand for the tables.
    ///
    /// # Errors
    /// The sink has failed.
    pub(crate) fn write_statements(&mut self, records: &[DdlRecord], now_us: i64) -> Result<(), EngineError> {
        let writer = &mut self.writer;
        let encoder = DdlRecordEncoder::new(&writer.rules.plan);
        let topic =
            writer.topics.open_once(&mut writer.sink, Lane::Snapshot, encoder.topic(), encoder.message_schema())?;
        for record in records {
            writer.buffer.clear();
            let context = context(&self.position, SnapshotMark::True, now_us);
            encoder.encode(&schema_change(record), &context, &mut writer.buffer);
            let mut sent = Sent::default();
            writer.send(Encoded::statement(topic), counter(&mut self.next_sequence_id), None, &mut sent)?;
            writer.count(sent);
        }
        Ok(())
    }

    /// Writes the rows of a chunk.
    ///
    /// # Errors
    /// A row cannot be encoded, or the sink has failed.
    pub(crate) fn write_rows(&mut self, chunk: &SnapshotChunk, now_us: i64) -> Result<(), EngineError> {
        let Some(table) = self.tables.get(chunk.table_index).cloned() else {
            return Err(EngineError::new(ErrorKind::Fault, "the snapshot gave rows of a table that it does not have"));
        };
        self.open_table(chunk.table_index, &table)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let (mut count, mut sent) = (0, Sent::default());
        let outcome = self.write_all(chunk, &table, now_us, &mut scratch, (&mut count, &mut sent));
        self.scratch = scratch;
        self.writer.metrics.snapshot_row_count.add(u64::from(count));
        self.writer.count(sent);
        outcome.map_err(|error| {
            error.at(Place {
                file: Some(self.position.file.clone()),
                position: Some(self.position.offset),
                table: Some(format!("{}.{}", table.map.database, table.map.table)),
                ..Place::default()
            })
        })
    }

    fn write_all(
        &mut self,
        chunk: &SnapshotChunk,
        table: &SnapshotTable,
        now_us: i64,
        scratch: &mut RowScratch,
        (count, sent): (&mut u32, &mut Sent),
    ) -> Result<(), EngineError> {
        let Some((_, slot)) = &self.current else { return Ok(()) };
        let event = chunk.event(&table.map);
        let mut reader = event.reader(scratch);
        let unreadable =
            |error| EngineError::new(ErrorKind::ServerData, "a row of the snapshot cannot be read").caused_by(error);
        while let Some(row) = reader.next_row().map_err(unreadable)? {
            *count += 1;
            let is_last_of_table = chunk.table_end && *count == chunk.row_count;
            let mark = match (std::mem::take(&mut self.is_first), is_last_of_table) {
                (_, true) if chunk.snapshot_end => SnapshotMark::Last,
                (true, _) => SnapshotMark::First,
                (_, true) => SnapshotMark::LastInDataCollection,
                _ if chunk.first_row == 0 && *count == 1 => SnapshotMark::FirstInDataCollection,
                _ => SnapshotMark::True,
            };
            let context = context(&self.position, mark, now_us);
            let origin = RowOrigin { table: &table.map, operation: Operation::Read, context: &context };
            let describe = || Some(table.description.clone());
            if let Some(encoded) = self.writer.encode(slot, &row, origin, describe)? {
                self.writer.send(encoded, counter(&mut self.next_sequence_id), None, sent)?;
            }
        }
        Ok(())
    }

    /// Waits until everything is durable; gives the sink back.
    ///
    /// # Errors
    /// The sink has failed.
    pub(crate) fn finish(mut self) -> Result<S, EngineError> {
        self.writer.sink.finish(Lane::Snapshot)?;
        Ok(self.writer.sink)
    }

    fn open_table(&mut self, index: usize, table: &SnapshotTable) -> Result<(), EngineError> {
        if self.current.as_ref().is_some_and(|(current, _)| *current == index) {
            return Ok(());
        }
        let names = self.tables.iter().map(|known| (known.map.database.as_str(), known.map.table.as_str()));
        let known = KnownTables { names, is_there: |_: &str| true };
        let described = Known { description: Some(&table.description), doubt: None };
        match self.writer.open_table(&table.map, described, known)? {
            Slot::Ignored => {
                Err(EngineError::new(ErrorKind::Fault, "the snapshot gave rows of a table that is not captured"))
            }
            slot => {
                self.current = Some((index, slot));
                Ok(())
            }
        }
    }
}

/// Gives each message the next number.
fn counter(next: &mut u64) -> impl FnMut(u32) -> u64 {
    |_| {
        let number = *next;
        *next += 1;
        number
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
