//! Finds out with a tolerant scanner what a statement in the log does to tables, and keeps a catalog of tables current.
//!
//! The table maps of the stream alone decide how rows are read. This module adds what table maps lack: that a table was
//! created, altered, renamed or dropped; comments, defaults, display widths, generated columns. The scanner accepts
//! every text: it finds what it can, skips an unknown clause up to the next comma outside parentheses, and warns.
//!
//! - [`statement_text`]: bytes of a query event → text.
//! - [`scan()`]: text of a query event → [`Facts`].
//! - [`Catalog`]: applies facts and returns [`TableChange`]s; stored with the checkpoint.
//! - [`records`]: the schema-change topic's records for a query event.
//! - [`snapshot_records`]: the schema-change topic's records for the tables of a snapshot.
//!
//! No I/O. Time and memory are linear in the length of the text.

mod alter;
mod arrange;
mod catalog;
mod column;
mod create;
mod cursor;
mod describe;
mod doubt;
mod facts;
mod name_case;
mod record;
mod rows;
mod scan;
mod scanner;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod token;

pub use self::catalog::{Catalog, TableChange, TableChangeKind};
pub use self::doubt::{Doubt, StatementPlace};
pub use self::facts::{
    AlterClause, AlterTable, CharsetChoice, ColumnDefinition, ColumnPosition, Condition, CreateTable, DefaultValue,
    Facts, IfExisting, Key, KeyKind, Rename, Shape, Statement, TableDefinition, Temporary,
};
pub use self::name_case::NameCase;
pub use self::record::{DdlRecord, RecordForm, SnapshotDatabase, records, snapshot_records};
pub use self::scan::{ScannedQuery, scan, scan_query};
pub use self::stored::Fractions;
pub use self::table::Table;
pub use self::text::{annotation_text, statement_text};
pub use self::token::SqlMode;
