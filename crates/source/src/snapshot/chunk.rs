//! Rows of one table as binlog row images.

use std::sync::Arc;

use bitacora_binlog::rows::{RowsEvent, RowsKind};
use bitacora_binlog::table::TableMap;

/// Rows of one table. Reuse one chunk: its memory is kept.
#[derive(Debug, Default)]
pub struct SnapshotChunk {
    /// Index of the table in [`super::Snapshot::tables`].
    pub table_index: usize,
    /// Row images one after the other, each with its null bitmap and values, as in the body of a rows event.
    pub images: Vec<u8>,
    /// Number of rows.
    pub row_count: u32,
    /// Number of rows of this table before this chunk.
    pub first_row: u64,
    /// Whether these are the last rows of the table.
    pub table_end: bool,
    /// Whether these are the last rows of the snapshot: no later table has rows.
    pub snapshot_end: bool,
}

impl SnapshotChunk {
    /// Creates an empty chunk.
    pub fn new() -> SnapshotChunk {
        SnapshotChunk::default()
    }

    /// Returns the rows as an insert event of `map`, the table map of the chunk's table.
    pub fn event<'a>(&'a self, map: &'a Arc<TableMap>) -> RowsEvent<'a> {
        RowsEvent::from_images(RowsKind::Insert, map, &self.images)
    }

    pub(super) fn clear(&mut self) {
        self.images.clear();
        self.row_count = 0;
        self.table_end = false;
        self.snapshot_end = false;
    }
}

/// Result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// At least one row.
    Rows,
    /// All rows have been read; the transaction is closed.
    End,
}

/// How much of the snapshot is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotProgress {
    /// Number of tables that were read completely.
    pub table_count_done: usize,
    /// Number of all tables.
    pub table_count: usize,
    /// Number of rows read so far.
    pub row_count: u64,
    /// The server's estimate of all rows. It may be far off, but is never less than `row_count`.
    pub row_estimate: u64,
}
