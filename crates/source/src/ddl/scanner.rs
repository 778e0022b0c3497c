//! What the scanner's files share: the session's database, the warnings, and how a statement names a table.
//!
//! This file is below the files for each kind of statement, so that those need not use `scan`, which uses them.

use super::cursor::Cursor;
use crate::TableName;

/// State of the scanner while it reads one statement.
pub(super) struct Scanner<'a> {
    pub(super) database: &'a str,
    pub(super) warnings: &'a mut Vec<String>,
}

impl Scanner<'_> {
    /// Takes the name of a table: `table`, `database.table` or `.table`.
    pub(super) fn table(&self, cursor: &mut Cursor<'_>) -> Option<TableName> {
        let before = *cursor;
        if cursor.take_symbol('.') {
            return cursor.name().map(|table| TableName::new(self.database, table));
        }
        let first = cursor.name()?;
        if !cursor.take_symbol('.') {
            return Some(TableName::new(self.database, first));
        }
        let second = cursor.name();
        if second.is_none() {
            *cursor = before;
        }
        second.map(|table| TableName::new(first, table))
    }
}

/// Skips MariaDB's `WAIT n` or `NOWAIT`.
pub(super) fn wait_clause(cursor: &mut Cursor<'_>) {
    if cursor.take(&["WAIT"]) {
        cursor.integer();
    } else {
        cursor.take(&["NOWAIT"]);
    }
}
