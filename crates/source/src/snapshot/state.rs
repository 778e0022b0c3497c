//! An open snapshot: its sessions, its tables, and where the reading stands.
//!
//! `begin` makes it and `reader` moves it; both lie above this file.

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
    /// The same in the terms of plans.
    pub description: TableDescription,
    /// Statement that creates the table.
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
    /// Keeps the tables without a view, which are the first ones, until they are read.
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

/// Where the reading stands.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) chunk_bytes: usize,
    /// Table whose result is open, or the next one to open.
    pub(super) table_index: usize,
    pub(super) open: Open,
    /// Rows of the open table.
    pub(super) table_rows: u64,
    pub(super) rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// No statement has been sent for the table.
    No,
    /// The table's rows are on their way.
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

    /// Finds where the log begins that the server still has.
    ///
    /// # Errors
    /// [`Error::Snapshot`] where the server has no binlog; those of the connection.
    pub async fn oldest_position(&mut self) -> Result<Position, Error> {
        position::oldest(&mut self.connection).await
    }

    /// Returns the tables in the order in which they are read.
    pub fn tables(&self) -> &[SnapshotTable] {
        &self.tables
    }

    /// Returns the tables in the order of their names, as [`crate::schema::list_tables`] has it.
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
