//! The one error of this crate.
//!
//! Readers of parts (values, JSON, GTID text) return the plain variants; the event decoder wraps them into
//! [`Error::Event`], which says in which event and at which byte of it the fault lies. Value errors own no memory, so a
//! fault costs nothing on the row path.

use crate::event_type::EventType;

/// Says why bytes of a binlog, or a text given by a person, cannot be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A fault inside an event; `offset` counts from the first byte of the event's header.
    #[error("the {kind} event that ends at position {next_position} cannot be decoded (byte {offset} of it): {cause}")]
    Event {
        /// Type of the event.
        kind: EventType,
        /// End of the event in its file, as its header says (0 for artificial events).
        next_position: u32,
        /// Bytes from the start of the event's header to the place of the fault.
        offset: usize,
        /// What is wrong there.
        cause: Box<Error>,
    },
    /// Bytes end before a field does.
    #[error("{what} needs {needed} bytes and only {available} are left; the event is cut short or not of this format")]
    Truncated {
        /// The field.
        what: &'static str,
        /// Bytes that the field needs.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// A field holds a value that the format does not allow.
    #[error("{what} has the value {value}, which the format does not allow")]
    Invalid {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A value has another number of bytes than its type.
    #[error("{what} cannot have {bytes} bytes; the value belongs to another type or the table map is out of date")]
    Width {
        /// The type.
        what: &'static str,
        /// Bytes given.
        bytes: usize,
    },
    /// The length in the header is not the length of the bytes.
    #[error("the header announces {announced} bytes and the event has {actual}; the stream is damaged or out of step")]
    Length {
        /// Length in the header.
        announced: u64,
        /// Length of the slice.
        actual: u64,
    },
    /// The CRC-32 at the end of the event is wrong.
    #[error(
        "the checksum is {computed:#010x} and the event says {stored:#010x}; the log or the connection damages data"
    )]
    Checksum {
        /// Computed over the bytes.
        computed: u32,
        /// Found behind the event.
        stored: u32,
    },
    /// An announced length passes a limit of the decoder.
    #[error(
        "{what} announces {announced} bytes and the limit is {limit}; raise the limit if the server really sends that"
    )]
    TooLong {
        /// The field.
        what: &'static str,
        /// Announced length.
        announced: u64,
        /// The limit.
        limit: u64,
    },
    /// Bytes are left where the format ends.
    #[error("{bytes} bytes follow {what}, where its format ends")]
    Trailing {
        /// The part.
        what: &'static str,
        /// Bytes left.
        bytes: usize,
    },
    /// A rows event names a table id that no table map has announced.
    #[error("no table map came before this event for table id {table_id}; start at the beginning of a transaction")]
    UnknownTable {
        /// Table id of the event.
        table_id: u64,
    },
    /// A rows event and its table map disagree on the number of columns.
    #[error(
        "the rows have {rows} columns and the table map of {table} has {map}; start at the beginning of a transaction"
    )]
    ColumnCount {
        /// `database.table`.
        table: String,
        /// Columns in the rows event.
        rows: u64,
        /// Columns in the table map.
        map: u64,
    },
    /// A column type that this crate does not know.
    #[error("column {column} has the type code {code}, which is unknown here; exclude the table or upgrade")]
    UnknownColumnType {
        /// Index of the column, from 0.
        column: usize,
        /// Type code of the table map.
        code: u8,
    },
    /// Names are UTF-8 in every server; this one is not.
    #[error("{what} is not UTF-8")]
    Utf8 {
        /// The field.
        what: &'static str,
    },
    /// Compressed data does not inflate.
    #[error("{what} cannot be decompressed: {cause}")]
    Decompress {
        /// The part.
        what: &'static str,
        /// The codec's reason.
        cause: std::io::Error,
    },
    /// An event inside a compressed transaction that must not be there.
    #[error("a compressed transaction holds a {kind} event, which cannot stand inside one")]
    Nested {
        /// Type of the inner event.
        kind: EventType,
    },
    /// A document nests deeper than the limit.
    #[error("{what} nests deeper than {limit} levels")]
    TooDeep {
        /// The document.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A GTID or GTID set as text cannot be read.
    #[error("\"{text}\" is no {what}: {reason}")]
    Gtid {
        /// The text, cut at 120 characters.
        text: String,
        /// What was expected.
        what: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// Two GTID sets of different servers were combined.
    #[error("a MySQL and a MariaDB GTID set cannot be combined")]
    GtidFlavor,
    /// A value given for a column cannot be written in the column's type.
    #[error("column {column} cannot take the value \"{text}\": {reason}")]
    Encode {
        /// Index of the column, from 0.
        column: usize,
        /// The value, cut at 120 characters.
        text: String,
        /// Why not.
        reason: &'static str,
    },
}

/// Quotes at most 120 characters of foreign text for an error message.
pub(crate) fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(120).collect()
}
