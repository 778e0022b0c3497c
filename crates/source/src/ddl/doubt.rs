//! Which descriptions do not follow from the statements of the log, so that they must not stand for the names of
//! columns.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::name_case::NameCase;
use crate::TableName;

/// Where a statement stands in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementPlace {
    /// Binlog file.
    pub file: String,
    /// Offset of the statement's event.
    pub offset: u64,
}

/// Why the shape of a table is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The statement since which it is not known; `None` if it was never known at the place where the source reads,
    /// because the server described it later.
    pub since: Option<StatementPlace>,
    /// One clause.
    pub reason: String,
}

/// Tables whose shape is not known. There are few, so a list is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doubts(Vec<(TableName, Doubt)>);

impl Doubts {
    pub(super) fn get(&self, name: &TableName, names: NameCase) -> Option<&Doubt> {
        self.0.iter().find(|(doubtful, _)| is_same(doubtful, name, names)).map(|(_, doubt)| doubt)
    }

    /// Doubts a table from now on, in place of what was doubted before.
    pub(super) fn set(&mut self, name: &TableName, doubt: Doubt, names: NameCase) {
        self.take(name, names);
        self.0.push((name.clone(), doubt));
    }

    /// Doubts tables from now on, each in place of what was doubted before.
    pub(super) fn set_all(&mut self, tables: Vec<TableName>, doubt: &Doubt) {
        // Names that are doubted, but not among the tables, stay: nobody knows those tables.
        let known: HashSet<&TableName> = tables.iter().collect();
        self.0.retain(|(doubtful, _)| !known.contains(doubtful));
        self.0.extend(tables.into_iter().map(|name| (name, doubt.clone())));
    }

    /// Ends the doubt about a table, and returns it.
    pub(super) fn take(&mut self, name: &TableName, names: NameCase) -> Option<Doubt> {
        let at = self.0.iter().position(|(doubtful, _)| is_same(doubtful, name, names))?;
        Some(self.0.swap_remove(at).1)
    }

    /// Ends the doubts about all tables of a database.
    pub(super) fn drop_database(&mut self, database: &str, names: NameCase) {
        self.0.retain(|(doubtful, _)| !names.is_same(&doubtful.database, database));
    }
}

fn is_same(one: &TableName, other: &TableName, names: NameCase) -> bool {
    names.is_same(&one.database, &other.database) && names.is_same(&one.table, &other.table)
}
