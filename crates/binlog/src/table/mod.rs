//! The table map: which columns the rows events that follow it have.
//!
//! Body (MySQL source documentation, "Table_map_event"): table id (6 bytes), flags u16, database and table name (u8
//! length, bytes, NUL each), column count (length-encoded), one type code a column, metadata bytes (length-encoded
//! length; 0, 1 or 2 bytes a column), a bitmap of nullable columns, and then optional metadata (module `metadata`).
//!
//! A map holds until the next one for the same id. The server gives a table a new id whenever it opens it again, so
//! caches use [`TableMap::fingerprint`], which covers everything but the id and the flags.

mod column;
mod metadata;

pub use crate::flavor::Flavor;
pub use column::{Column, ColumnType, Width, enum_bytes, geometry_type, set_bytes};
pub use metadata::KeyPart;

use crate::{bitmap::bit, cursor::Cursor, error::Error};
use metadata::Metadata;
use std::hash::{Hash, Hasher};

/// A table at the time of the rows events that name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableMap {
    /// Id by which rows events name the table.
    pub table_id: u64,
    /// Flags of the event.
    pub flags: u16,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Columns in their order in the row images.
    pub columns: Vec<Column>,
    /// Primary key in key order; without one the first UNIQUE key of columns that are all NOT NULL, as the servers
    /// write it. Empty without such a key, or where the server does not say (only with FULL metadata).
    pub primary_key: Vec<KeyPart>,
    /// Whether the server said which columns are UNSIGNED.
    pub signedness_known: bool,
    /// Whether the server named the columns (`binlog_row_metadata=FULL`).
    pub names_known: bool,
    /// Hash of everything but id and flags: equal for equal descriptions, on every run.
    pub fingerprint: u64,
    widths: Vec<Width>,
}

impl TableMap {
    /// Parses the body of a TABLE_MAP event (without header and checksum) whose table id takes `id_bytes` (4 or 6).
    pub(crate) fn parse(body: &[u8], id_bytes: u8, flavor: Flavor) -> Result<Self, (Error, usize)> {
        let mut cursor = Cursor::new(body);
        Self::read(&mut cursor, id_bytes, flavor).map_err(|error| (error, cursor.offset()))
    }

    fn read(cursor: &mut Cursor<'_>, id_bytes: u8, flavor: Flavor) -> Result<Self, Error> {
        let table_id = read_table_id(cursor, id_bytes)?;
        let flags = cursor.u16("the flags of a table map")?;
        let fingerprint = fingerprint(cursor.clone().rest());
        let database = read_name(cursor, "the database name")?;
        let table = read_name(cursor, "the table name")?;
        let count = cursor.lenenc("the column count")?;
        let codes = cursor.take(usize::try_from(count).unwrap_or(usize::MAX), "the column types")?;
        let metas = cursor.lenenc_bytes("the column metadata")?;
        let mut columns = Vec::with_capacity(codes.len());
        let mut metas = Cursor::new(metas);
        for (index, &code) in codes.iter().enumerate() {
            let (kind, meta) = read_meta(&mut metas, code, index)?;
            columns.push(Column { nullable: false, ..Column::new(kind, meta) });
        }
        if !metas.is_empty() {
            return Err(Error::Trailing { what: "the column metadata", bytes: metas.remaining() });
        }
        let nullable = cursor.take(columns.len().div_ceil(8), "the bitmap of nullable columns")?;
        for (index, column) in columns.iter_mut().enumerate() {
            column.nullable = bit(nullable, index);
        }
        let Metadata { primary_key, signedness_known, names_known } = Metadata::read(cursor, &mut columns, flavor)?;
        let widths = widths(&columns)?;
        Ok(Self {
            table_id,
            flags,
            database,
            table,
            columns,
            primary_key,
            signedness_known,
            names_known,
            fingerprint,
            widths,
        })
    }

    /// Creates a table map that no server sent, for rows of a snapshot (see [`crate::encode`]). Its fingerprint is the
    /// hash of its fields.
    ///
    /// # Errors
    /// [`Error::UnknownColumnType`] for a column whose type or metadata cannot stand in a row image.
    pub fn synthesize(
        database: impl Into<String>,
        table: impl Into<String>,
        columns: Vec<Column>,
        primary_key: Vec<KeyPart>,
    ) -> Result<Self, Error> {
        let (database, table) = (database.into(), table.into());
        let mut hasher = Fnv::default();
        (&database, &table, &columns, &primary_key).hash(&mut hasher);
        let names_known = columns.iter().all(|column| column.name.is_some());
        Ok(Self {
            table_id: 0,
            flags: 0,
            widths: widths(&columns)?,
            fingerprint: hasher.finish(),
            database,
            table,
            columns,
            primary_key,
            signedness_known: true,
            names_known,
        })
    }

    /// Returns the index of the column with that name, compared exactly.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.as_deref() == Some(name))
    }

    /// Returns how each column lies in a row image.
    pub fn widths(&self) -> &[Width] {
        &self.widths
    }
}

fn widths(columns: &[Column]) -> Result<Vec<Width>, Error> {
    columns
        .iter()
        .enumerate()
        .map(|(column, c)| c.width().ok_or(Error::UnknownColumnType { column, code: c.kind.0 }))
        .collect()
}

/// Reads a table id of `id_bytes` bytes.
pub(crate) fn read_table_id(cursor: &mut Cursor<'_>, id_bytes: u8) -> Result<u64, Error> {
    const WHAT: &str = "the table id";
    if id_bytes == 4 { cursor.u32(WHAT).map(u64::from) } else { cursor.u48(WHAT) }
}

/// Hashes the body of a table map behind id and flags.
pub(crate) fn fingerprint(body: &[u8]) -> u64 {
    let mut hasher = Fnv::default();
    hasher.write(body);
    hasher.finish()
}

fn read_name(cursor: &mut Cursor<'_>, what: &'static str) -> Result<String, Error> {
    let length = cursor.u8(what)?;
    let name = cursor.take(usize::from(length), what)?;
    cursor.take(1, what)?;
    std::str::from_utf8(name).map(str::to_owned).map_err(|_| Error::Utf8 { what })
}

/// Reads and normalises the metadata of one column.
fn read_meta(cursor: &mut Cursor<'_>, code: u8, column: usize) -> Result<(ColumnType, u16), Error> {
    const WHAT: &str = "the metadata of a column";
    let kind = ColumnType(code);
    let meta = match kind {
        ColumnType::TINY
        | ColumnType::SHORT
        | ColumnType::INT24
        | ColumnType::LONG
        | ColumnType::LONGLONG
        | ColumnType::NULL
        | ColumnType::YEAR
        | ColumnType::DATE
        | ColumnType::NEWDATE
        | ColumnType::TIME
        | ColumnType::DATETIME
        | ColumnType::TIMESTAMP => 0,
        ColumnType::FLOAT
        | ColumnType::DOUBLE
        | ColumnType::TIME2
        | ColumnType::DATETIME2
        | ColumnType::TIMESTAMP2
        | ColumnType::BLOB
        | ColumnType::TINY_BLOB
        | ColumnType::MEDIUM_BLOB
        | ColumnType::LONG_BLOB
        | ColumnType::BLOB_COMPRESSED
        | ColumnType::JSON
        | ColumnType::GEOMETRY
        | ColumnType::VECTOR => u16::from(cursor.u8(WHAT)?),
        ColumnType::VARCHAR | ColumnType::VARCHAR_COMPRESSED | ColumnType::VAR_STRING => cursor.u16(WHAT)?,
        ColumnType::NEWDECIMAL => u16::from_be_bytes(cursor.array(WHAT)?),
        ColumnType::BIT => {
            let [bits, bytes] = cursor.array(WHAT)?;
            u16::from(bytes) * 8 + u16::from(bits)
        }
        ColumnType::STRING | ColumnType::ENUM | ColumnType::SET => {
            let [first, second] = cursor.array(WHAT)?;
            return Ok(string_meta(kind, first, second));
        }
        _ => return Err(Error::UnknownColumnType { column, code }),
    };
    Ok((kind, meta))
}

/// Returns the real type and the normalised metadata of a column with the code that CHAR, ENUM and SET share.
///
/// The first byte is the real type; a CHAR of more than 255 bytes hides two bits of its length, inverted, in bits 4 and
/// 5 of that byte (MySQL bug 37426).
fn string_meta(kind: ColumnType, first: u8, second: u8) -> (ColumnType, u16) {
    let real = ColumnType(first);
    if real == ColumnType::ENUM || real == ColumnType::SET {
        return (real, u16::from(second));
    }
    let high = u16::from(((first & 0x30) ^ 0x30) >> 4);
    let kind = if kind == ColumnType::STRING { ColumnType::STRING } else { kind };
    (kind, high << 8 | u16::from(second))
}

/// FNV-1a with a final mix: the same on every run and platform, which a plan cache kept with a checkpoint needs.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ self.0 >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 29
    }
}
