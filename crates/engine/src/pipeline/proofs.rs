//! Shapes of tables that were proven by the log, for rows without names.
//!
//! A proof says what a table looks like from a place on: a statement that was not understood, the place where a stream
//! began, or rows that no description fits. It is used where the stream, which began again meanwhile, comes to that
//! place.

use std::sync::Arc;

use bitacora_binlog::TableMap;
use bitacora_source::TableName;
use bitacora_source::ddl::{Catalog, Doubt, StatementPlace, Table};

use crate::error::ShapeSince;

/// What a table looks like.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub name: TableName,
    /// Since when.
    pub since: ShapeSince,
    /// The place of the rows, where it is proven since some rows.
    pub rows: Option<StatementPlace>,
    /// The table; `None` if it is a sequence, whose rows are not published.
    pub table: Option<Table>,
}

/// The proofs of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proofs(Arc<Vec<Proof>>);

impl Proofs {
    /// Adds a proof; false if there was one of that table and place before, so that another one cannot help.
    pub(crate) fn add(&mut self, proof: Proof) -> bool {
        let is_new = !self
            .0
            .iter()
            .any(|known| known.name == proof.name && known.since == proof.since && known.rows == proof.rows);
        if is_new {
            Arc::make_mut(&mut self.0).push(proof);
        }
        is_new
    }

    /// Finds the proof for rows at a place: the table, or `None` for a sequence.
    pub(super) fn find(&self, table: &TableMap, catalog: &Catalog, rows: &StatementPlace) -> Option<Option<&Table>> {
        let doubt = catalog.doubt(&table.database, &table.table);
        let is_wanted = |proof: &&Proof| {
            let is_it = proof.name.database == table.database && proof.name.table == table.table;
            is_it
                && match (&proof.since, doubt) {
                    (ShapeSince::Statement(place), Some(Doubt { since: Some(since), .. })) => place == since,
                    (ShapeSince::Start, Some(Doubt { since: None, .. })) => true,
                    (ShapeSince::Rows, None) => proof.rows.as_ref() == Some(rows),
                    _ => false,
                }
        };
        self.0.iter().rev().find(is_wanted).map(|proof| proof.table.as_ref())
    }
}
