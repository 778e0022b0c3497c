//! Shapes of tables that were proven by the log, for rows without names.
//!
//! A proof says what a table looks like from a place on: a statement that was not understood, the place where a stream
//! began, or rows that no description fits. It is used where the stream, which began again meanwhile, comes to that
//! place.

use std::sync::Arc;

use bitacora_binlog::TableMap;
use bitacora_source::TableName;
use bitacora_source::ddl::{Catalog, StatementPlace, Table};

/// What a table looks like.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub name: TableName,
    /// Since when: a statement, or rows; `None` for the place where the stream begins.
    pub since: Option<StatementPlace>,
    /// The table; `None` if it is a sequence, whose rows are not published.
    pub table: Option<Table>,
}

/// The proofs of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proofs(Arc<Vec<Proof>>);

impl Proofs {
    /// Adds a proof.
    pub(crate) fn add(&mut self, proof: Proof) {
        Arc::make_mut(&mut self.0).push(proof);
    }

    /// Returns the proof of a table since a place.
    pub(crate) fn get(&self, name: &TableName, since: Option<&StatementPlace>) -> Option<&Proof> {
        self.0.iter().find(|proof| proof.name == *name && proof.since.as_ref() == since)
    }

    /// Finds the proof for rows at a place, of a table that may be in doubt.
    pub(super) fn find(&self, table: &TableMap, catalog: &Catalog, rows: &StatementPlace) -> Option<&Proof> {
        let doubt = catalog.doubt(&table.database, &table.table);
        let since = doubt.map_or(Some(rows), |doubt| doubt.since.as_ref());
        self.get(&TableName::new(&table.database, &table.table), since)
    }
}
