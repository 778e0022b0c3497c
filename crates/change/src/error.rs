//! Why a plan cannot be compiled, or a row cannot be encoded.

use thiserror::Error;

/// A table that cannot be captured as it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The log does not name the columns.
    #[error(
        "the log does not name the columns of {database}.{table}; set binlog_row_metadata=FULL on the server and \
        begin behind that change"
    )]
    NamesUnknown {
        /// Database.
        database: String,
        /// Table.
        table: String,
    },
    /// A column's type has no place in an event.
    #[error(
        "column {column} of {database}.{table} has the type code {code}, which this program does not know; exclude \
        the table or use a newer program"
    )]
    UnknownType {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Type code of the table map.
        code: u8,
    },
    /// A column's character set is not known.
    #[error(
        "column {column} of {database}.{table} has the unknown collation {collation}; convert the column or use a \
        newer program"
    )]
    UnknownCollation {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Collation id.
        collation: u32,
    },
    /// A column's character set is not known, and the log gives no collation.
    #[error(
        "column {column} of {database}.{table} has the unknown character set {charset}; convert the column or use a \
        newer program"
    )]
    UnknownCharset {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Name of the character set.
        charset: String,
    },
    /// An outbox table lacks a column that its routing needs.
    #[error(
        "outbox table {database}.{table} has no column {column}, which {option} names; name the column that the table \
        has for it, or capture this table with another source"
    )]
    OutboxColumn {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Debezium's name of the option, or that of our own file.
        option: &'static str,
    },
    /// An outbox table's routing needs a column that the column lists leave out.
    #[error(
        "column {column} of outbox table {database}.{table}, which {option} names, is left out by column.include.list \
        or column.exclude.list; let the lists keep it, or mask it"
    )]
    OutboxColumnLeftOut {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Debezium's name of the option, or that of our own file.
        option: &'static str,
    },
    /// A column cannot be the time of an event.
    #[error(
        "column {column} of outbox table {database}.{table} cannot be the time of an event; name a DATETIME or \
        TIMESTAMP, or a BIGINT of milliseconds"
    )]
    OutboxTime {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
}

/// A row that cannot be encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The image lacks a column.
    #[error(
        "a row was logged without its column {column}; set binlog_row_image=FULL on the server and take a new \
        snapshot of the table"
    )]
    Absent {
        /// Column.
        column: String,
    },
    /// The stored bytes are not a value of the column's type.
    #[error("column {column} holds bytes that are no value of its type")]
    Value {
        /// Column.
        column: String,
        /// What the decoder says.
        #[source]
        source: bitacora_binlog::Error,
    },
    /// An event has an image too few for its operation.
    #[error("a row lacks its {image} image")]
    Image {
        /// `before` or `after`.
        image: &'static str,
    },
}
