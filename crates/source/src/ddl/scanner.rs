//! What the files of the scanner share: the session's database, the warnings, and how a table is named.
//!
//! It lies below them, so that a kind of statement does not use the file that chooses among the kinds.

use super::cursor::Cursor;
use crate::TableName;

/// State of the scanner, for all statements of a text.
pub(super) struct Scanner<'a> {
    pub(super) database: &'a str,
    pub(super) warnings: &'a mut Vec<String>,
}

impl Scanner<'_> {
    /// `table`, `database.table`, or `.table`.
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

/// MariaDB's `WAIT n` and `NOWAIT`.
pub(super) fn wait_clause(cursor: &mut Cursor<'_>) {
    if cursor.take(&["WAIT"]) {
        cursor.integer();
    } else {
        cursor.take(&["NOWAIT"]);
    }
}
