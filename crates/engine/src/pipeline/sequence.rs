//! MariaDB's sequences: they are not tables, yet their rows are in the log, one for each reservation of numbers.
//!
//! A table map does not say what it is of. A sequence's columns are always these eight, by name and type, and its key
//! is empty; an ordinary table could look the same (`CREATE TABLE t SELECT * FROM a_sequence`), but such a table has a
//! description, which a sequence never has: the snapshot does not list it, and `CREATE SEQUENCE` describes no table.

use bitacora_binlog::TableMap;
use bitacora_binlog::table::ColumnType;

const COLUMNS: [(&str, ColumnType); 8] = [
    ("next_not_cached_value", ColumnType::LONGLONG),
    ("minimum_value", ColumnType::LONGLONG),
    ("maximum_value", ColumnType::LONGLONG),
    ("start_value", ColumnType::LONGLONG),
    ("increment", ColumnType::LONGLONG),
    ("cache_size", ColumnType::LONGLONG),
    ("cycle_option", ColumnType::TINY),
    ("cycle_count", ColumnType::LONGLONG),
];

/// Returns whether the columns are those of a sequence.
pub(super) fn has_columns_of_a_sequence(table: &TableMap) -> bool {
    let is = |column: &bitacora_binlog::Column, (name, kind): &(&str, ColumnType)| {
        column.name.as_deref() == Some(*name) && !column.nullable && same_width(column.kind, *kind)
    };
    table.columns.len() == COLUMNS.len()
        && table.primary_key.is_empty()
        && table.columns.iter().zip(&COLUMNS).all(|(column, expected)| is(column, expected))
}

/// `CREATE SEQUENCE … AS type` (MariaDB 11.5) makes the numbers as narrow as the type.
fn same_width(kind: ColumnType, expected: ColumnType) -> bool {
    kind == expected || expected == ColumnType::LONGLONG && kind.is_integer()
}
