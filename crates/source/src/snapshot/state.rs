//! An open snapshot: its sessions, its tables, and the place up to which they are read.
//!
//! `begin` creates it and `reader` reads it; both files are above this one.

use std::collections::VecDeque;
use std::sync::Arc;

use bitacora_binlog::table::TableMap;
use bitacora_change::TableDescription;

use super::chunk::SnapshotChunk;
use super::column::Treatment;
use super::lock::TableLock;
use super::look::Look;
use super::position;
use super::shape::Release;
use super::view::Exactness;
use crate::ddl::Table;
use crate::schema::{self, ServerDefaults, TableFacts};
use crate::wire::Connection;
use crate::{Error, Filter, Position};

/// A table of the snapshot.
#[derive(Debug)]
pub struct SnapshotTable {
    /// Columns as in the binlog.
    pub map: Arc<TableMap>,
    /// What `information_schema` says.
    pub facts: TableFacts,
    /// What `SHOW CREATE TABLE` says, completed with what it cannot print; `None` if it could not be read.
    pub table: Option<Table>,
    /// `table` as the description that plans work with.
    pub description: TableDescription,
    /// The output of `SHOW CREATE TABLE`.
    pub create_statement: String,
    pub(super) created: Option<String>,
    pub(super) select: String,
    pub(super) treatments: Vec<Treatment>,
}

/// An open snapshot.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) connection: Connection,
    pub(super) look: Look,
    /// Keeps the tables without a view locked until they are read. They are the first `uncovered_count` tables.
    pub(super) uncovered: Option<TableLock>,
    pub(super) uncovered_count: usize,
    pub(super) release: Release,
    pub(super) ahead: VecDeque<SnapshotChunk>,
    pub(super) reading: Reading,
    pub(super) tables: Vec<SnapshotTable>,
    pub(super) filter: Filter,
    pub(super) server: String,
    pub(super) position: Position,
    pub(super) defaults: ServerDefaults,
    pub(super) exactness: Exactness,
}

/// The place up to which the tables are read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) chunk_bytes: usize,
    /// The table whose result is open, or the next one to open.
    pub(super) table_index: usize,
    pub(super) open: Open,
    /// Rows read of the open table.
    pub(super) table_rows: u64,
    /// Rows read of all tables.
    pub(super) rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// The table's rows are not asked for yet.
    No,
    /// The table's rows are being received.
    Yes,
    /// The transaction is closed.
    Done,
}

impl Reading {
    pub(super) fn new(chunk_bytes: usize) -> Reading {
        Reading { chunk_bytes: chunk_bytes.max(1), table_index: 0, open: Open::No, table_rows: 0, rows: 0 }
    }
}

impl Snapshot {
    /// Returns the identity of the server whose rows are read.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the position at which the rows are consistent; the stream goes on from here.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Returns the position at which the oldest log file of the server begins.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the server has no binlog; those of the connection.
    pub async fn oldest_position(&mut self) -> Result<Position, Error> {
        position::oldest(&mut self.connection).await
    }

    /// Returns the tables in the order in which they are read.
    pub fn tables(&self) -> &[SnapshotTable] {
        &self.tables
    }

    /// Returns the tables in the order of their names, which is that of [`crate::schema::list_tables`].
    pub fn tables_by_name(&self) -> Vec<&SnapshotTable> {
        let mut tables: Vec<&SnapshotTable> = self.tables.iter().collect();
        schema::sort_tables(&mut tables, |table| &table.facts.name);
        tables
    }

    /// Returns the server's default character sets.
    pub fn defaults(&self) -> &ServerDefaults {
        &self.defaults
    }

    /// Returns how view and position were made to agree.
    pub fn exactness(&self) -> Exactness {
        self.exactness
    }
}
