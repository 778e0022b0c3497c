//! The name of a table, and identifiers as SQL writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A table with its database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// Database; the session's default database if the statement does not name one.
    pub database: String,
    /// Table.
    pub table: String,
}

impl TableName {
    /// Creates a name.
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> TableName {
        TableName { database: database.into(), table: table.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// Returns an identifier quoted for SQL.
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
