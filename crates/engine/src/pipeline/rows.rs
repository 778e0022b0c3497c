//! Rows of the log: through the plan of their table to the sink, or to where they wait.

use std::sync::Arc;

use bitacora_binlog::{EventType, RowsEvent, RowsKind, TableMap};
use bitacora_change::{EventContext, Operation, SnapshotMark};
use bitacora_source::ddl::{Catalog, StatementPlace, Table};

use super::logical_offset::HEADER_BYTES;
use super::proofs::Proofs;
use super::read_place::Site;
use super::refusal::DAMAGED;
use super::row_rules::RowOrigin;
use super::row_writer::{KnownTables, RowWriter, Sent};
use super::state::{State, source_timestamp_us};
use super::tables::{Known, Slot};
use super::topic_owners::owner_name;
use crate::error::{EngineError, ErrorKind, Place};
use crate::sink::Sink;

impl<S: Sink> State<S> {
    /// Takes the rows of an event.
    pub(super) fn rows(&mut self, event: &RowsEvent<'_>, site: Site) -> Result<(), EngineError> {
        let offset = self.pass(Site { bytes: plain_bytes(event, site), ..site });
        let table = event.table;
        let State { writer, catalog, tables, proofs, place, .. } = self;
        let slot = tables.slot(table, || {
            let rows = StatementPlace { file: place.file.clone(), offset: site.start };
            first_slot(table, writer, catalog, proofs, &rows)
        });
        let slot = match slot {
            Ok(Slot::Ignored) => {
                self.writer.metrics.uncaptured_row_count.add(1);
                return Ok(());
            }
            Ok(slot) => slot,
            Err(error) => return Err(error.at(self.place_of(site))),
        };
        let operation = match event.kind {
            RowsKind::Insert => Operation::Create,
            RowsKind::Update => Operation::Update,
            RowsKind::Delete => Operation::Delete,
        };
        let mut context = EventContext {
            file: &self.place.file,
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
        let mut held = self.waiting.held();
        let mut rows = 0;
        let mut sent = Sent::default();
        let mut reader = event.reader(&mut self.scratch);
        let failure = loop {
            let row = match reader.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => break None,
                Err(error) => {
                    let unreadable = EngineError::new(ErrorKind::Log, "a row cannot be read");
                    break Some(unreadable.remedy(DAMAGED).caused_by(error));
                }
            };
            context.row = row.index;
            let origin = RowOrigin { table, operation, context: &context };
            let describe = || self.catalog.table(&table.database, &table.table).map(Table::description);
            let encoded = match self.writer.encode(slot, &row, origin, describe) {
                Ok(encoded) => encoded,
                Err(error) => break Some(error),
            };
            rows += 1;
            if let Some(encoded) = encoded {
                let sequence_id = |number| offset.sequence_id(row.byte_offset, number);
                self.writer.send(encoded, sequence_id, held.as_deref_mut(), &mut sent)?;
            }
        };
        self.writer.metrics.row_count.add(rows);
        self.writer.count(sent);
        match failure {
            None => self.bound_held(site),
            Some(error) => {
                let name = format!("{}.{}", table.database, table.table);
                Err(error.at(Place { table: Some(name), ..self.place_of(site) }))
            }
        }
    }
}

/// Opens a table that is met for the first time, or for the first time since a statement.
fn first_slot<S: Sink>(
    table: &TableMap,
    writer: &mut RowWriter<S>,
    catalog: &mut Arc<Catalog>,
    proofs: &Proofs,
    rows: &StatementPlace,
) -> Result<Slot, EngineError> {
    let proof = if table.names_known { None } else { proofs.find(table, catalog, rows) };
    match proof.map(|proof| &proof.table) {
        None => {}
        Some(Some(proven)) => Arc::make_mut(catalog).insert_proven(proven.clone()),
        // A sequence.
        Some(None) => return Ok(Slot::Ignored),
    }
    let names = catalog.tables().map(|known| (known.name.database.as_str(), known.name.table.as_str()));
    let is_there =
        |owner: &str| catalog.tables().any(|known| owner_name(&known.name.database, &known.name.table) == owner);
    let description = catalog.table(&table.database, &table.table).map(Table::description);
    let doubt = catalog.doubt(&table.database, &table.table);
    let described = Known { description: description.as_ref(), doubt };
    writer.open_table(table, described, KnownTables { names, is_there })
}

/// Bytes that a rows event counts towards the logical offset. A compressed event numbers its rows as if it were plain,
/// so it must count as what it holds.
fn plain_bytes(event: &RowsEvent<'_>, site: Site) -> u64 {
    /// Table id, flags, column count and the bitmaps of a rows event, at most.
    const BODY_HEAD_BYTES: u64 = 16;
    if !(EventType::WRITE_ROWS_COMPRESSED_V1..=EventType::DELETE_ROWS_COMPRESSED).contains(&site.header.kind) {
        return site.bytes;
    }
    let bitmaps = 2 * event.table.columns.len().div_ceil(8) as u64;
    HEADER_BYTES + BODY_HEAD_BYTES + bitmaps + event.image_bytes().len() as u64
}
