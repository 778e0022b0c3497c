//! The logged columns of a table matched with its description: how each column is described, and which ones the server
//! hides.
//!
//! MySQL logs no hidden columns: those of indexes over expressions and over JSON arrays stay inside its storage, and a
//! generated invisible primary key is a column like any other. MariaDB logs two kinds that `SELECT *` and
//! `information_schema` do not have:
//!
//! - `DB_ROW_HASH_n`, BIGINT UNSIGNED at the end: a unique key over columns without a length limit (TEXT, BLOB, long
//!   VARCHAR).
//! - `row_start` and `row_end`, TIMESTAMP(6): the period of a table `WITH SYSTEM VERSIONING` that names no columns for
//!   it; they are parts of its keys too. Columns that the table's definition names, INVISIBLE ones among them, are not
//!   hidden.
//!
//! A column that a user gave such a name is described, and so is not taken for a hidden one.

use bitacora_binlog::{Cell, Column, ColumnType, Image, Row, TableMap};

use crate::description::{ColumnDescription, TableDescription, is_same_column};
use crate::message::Operation;

/// The columns of a table map with what describes them.
#[derive(Debug)]
pub struct LoggedTable<'a> {
    columns: Vec<LoggedColumn<'a>>,
    description: Option<&'a TableDescription>,
    period: Option<SystemPeriod>,
}

#[derive(Debug, Clone, Copy)]
enum LoggedColumn<'a> {
    Described(&'a ColumnDescription),
    Undescribed,
    Hidden,
}

impl<'a> LoggedTable<'a> {
    /// Finds the description of each column by its name, or by its place where the log names none.
    pub fn new(table: &TableMap, description: Option<&'a TableDescription>) -> LoggedTable<'a> {
        let described = described(table, description);
        let row_end = description.and_then(|_| hidden_period(table, &described));
        let columns =
            table.columns.iter().enumerate().map(|(index, column)| match described.get(index).copied().flatten() {
                Some(described) => LoggedColumn::Described(described),
                None if is_row_hash(column) => LoggedColumn::Hidden,
                None if row_end.is_some() && is_period(column) => LoggedColumn::Hidden,
                None => LoggedColumn::Undescribed,
            });
        let columns = columns.collect();
        LoggedTable { columns, description, period: row_end.map(|row_end| SystemPeriod { row_end }) }
    }

    /// Returns the description of a column.
    pub fn description(&self, index: usize) -> Option<&'a ColumnDescription> {
        match self.columns.get(index) {
            Some(LoggedColumn::Described(description)) => Some(description),
            _ => None,
        }
    }

    /// Returns whether the server hides the column from queries.
    pub fn is_hidden(&self, index: usize) -> bool {
        matches!(self.columns.get(index), Some(LoggedColumn::Hidden))
    }

    /// Returns the hidden period of a table with system versioning.
    pub(crate) fn period(&self) -> Option<SystemPeriod> {
        self.period
    }

    /// Returns the indexes of the columns of the table's key: the primary key in key order, else the first unique key
    /// whose columns are all NOT NULL.
    pub fn key(&self, table: &TableMap) -> Vec<usize> {
        let logged = table.primary_key.iter().map(|part| part.column as usize);
        let logged: Vec<usize> = logged.filter(|index| !self.is_hidden(*index)).collect();
        if !logged.is_empty() {
            return logged;
        }
        let Some(description) = self.description else { return Vec::new() };
        let index_of = |name: &String| {
            let is_named = |column: &LoggedColumn<'_>| match column {
                LoggedColumn::Described(description) => is_same_column(&description.name, name),
                _ => false,
            };
            self.columns.iter().position(is_named)
        };
        let indexes = |names: &[String]| names.iter().map(index_of).collect::<Option<Vec<usize>>>();
        if !description.primary_key.is_empty() {
            return indexes(&description.primary_key).unwrap_or_default();
        }
        let is_required = |index: &usize| table.columns.get(*index).is_some_and(|column| !column.nullable);
        let unique_keys = description.unique_keys.iter().filter_map(|names| indexes(names));
        unique_keys.into_iter().find(|key| !key.is_empty() && key.iter().all(is_required)).unwrap_or_default()
    }

    /// Returns the names of the columns that the log has and the description lacks, and of those that only the
    /// description has.
    pub fn differences(&self, table: &TableMap) -> Vec<String> {
        let logged =
            self.columns.iter().zip(&table.columns).enumerate().filter_map(|(index, (found, column))| match found {
                LoggedColumn::Undescribed => {
                    Some(column.name.clone().unwrap_or_else(|| format!("number {}", index + 1)))
                }
                _ => None,
            });
        let is_logged = |wanted: &ColumnDescription| {
            let found = self.columns.iter();
            found
                .into_iter()
                .any(|column| matches!(column, LoggedColumn::Described(found) if std::ptr::eq(*found, wanted)))
        };
        let described = self.description.iter().flat_map(|description| &description.columns);
        logged.chain(described.filter(|column| !is_logged(column)).map(|column| column.name.clone())).collect()
    }
}

fn described<'a>(table: &TableMap, description: Option<&'a TableDescription>) -> Vec<Option<&'a ColumnDescription>> {
    let Some(description) = description else { return Vec::new() };
    if !table.names_known {
        // Without names columns are matched by their places, which is safe only if both sides have the same number.
        let is_whole = description.columns.len() == table.columns.len();
        return if is_whole { description.columns.iter().map(Some).collect() } else { Vec::new() };
    }
    table.columns.iter().map(|column| column.name.as_deref().and_then(|name| description.column(name))).collect()
}

/// Returns the index of a hidden `row_end`; neither it nor its `row_start` is described.
fn hidden_period(table: &TableMap, described: &[Option<&ColumnDescription>]) -> Option<usize> {
    let find = |name: &str| {
        let is_it = |column: &Column| is_period(column) && column.name.as_deref() == Some(name);
        let index = table.columns.iter().position(is_it)?;
        described.get(index).copied().flatten().is_none().then_some(index)
    };
    find("row_start").and_then(|_| find("row_end"))
}

fn is_period(column: &Column) -> bool {
    matches!(column.name.as_deref(), Some("row_start" | "row_end")) && has_form_of_a_period(column)
}

/// Returns whether a column is logged as a bound of a period is, whatever its name.
pub(crate) fn has_form_of_a_period(column: &Column) -> bool {
    column.kind == ColumnType::TIMESTAMP2 && column.fractional_digits() == 6 && !column.nullable
}

fn is_row_hash(column: &Column) -> bool {
    let number = column.name.as_deref().and_then(|name| name.strip_prefix("DB_ROW_HASH_"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        && column.kind == ColumnType::LONGLONG
        && column.unsigned
}

/// The hidden period of a table with system versioning, which keeps the rows of the past beside the current ones.
///
/// The server logs the end of a current row as an update of its `row_end`, and each row of the past as an insert.
/// `SELECT *` has the current rows alone, and without the period they have the same keys as those of the past.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemPeriod {
    row_end: usize,
}

impl SystemPeriod {
    /// Returns what happened to the current rows; `None` if only the past changed.
    pub(crate) fn of_current_rows(self, row: &Row<'_>, operation: Operation) -> Option<Operation> {
        let before = row.before.as_ref().is_some_and(|image| self.is_current(image));
        let after = row.after.as_ref().is_some_and(|image| self.is_current(image));
        match (operation, before, after) {
            (Operation::Update, true, true) => Some(Operation::Update),
            (Operation::Update, true, false) => Some(Operation::Delete),
            (Operation::Update, false, true) => Some(Operation::Create),
            (Operation::Create | Operation::Read, _, true) | (Operation::Delete, true, _) => Some(operation),
            _ => None,
        }
    }

    /// Returns whether a row is a current one: it ends at the last microsecond of its type, in 2038 or, from MariaDB
    /// 11.5, in 2106.
    fn is_current(self, image: &Image<'_>) -> bool {
        const LAST: [[u8; 7]; 2] = [last(0x7fff_ffff), last(0xffff_ffff)];
        match image.column(self.row_end) {
            Cell::Value(bytes) => LAST.iter().any(|last| bytes == last),
            // Without the column the row is taken for a current one.
            Cell::Null | Cell::Absent => true,
        }
    }
}

/// Returns the last microsecond of a second as TIMESTAMP(6): seconds and microseconds, big-endian.
const fn last(seconds: u32) -> [u8; 7] {
    let [a, b, c, d] = seconds.to_be_bytes();
    let [_, e, f, g] = 999_999_u32.to_be_bytes();
    [a, b, c, d, e, f, g]
}
