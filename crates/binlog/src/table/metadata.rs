//! Optional metadata behind a table map (`binlog_row_metadata`): fields of type u8, length (length-encoded), value.
//!
//! | type | field | value |
//! |---|---|---|
//! | 1 | signedness | a bit for each numeric column, most significant bit first; set is UNSIGNED |
//! | 2 | default charset | collation, then pairs (index among character columns, collation) |
//! | 3 | column charset | a collation for each character column |
//! | 4 | column names | length and bytes for each column |
//! | 5, 6 | set strings, enum strings | for each such column: count, then length and bytes of each label |
//! | 7 | geometry types | for each geometry column |
//! | 8 | simple primary key | column indexes |
//! | 9 | primary key with prefix | pairs (column index, prefix length in characters) |
//! | 10, 11 | as 2 and 3, for ENUM and SET columns | |
//! | 12 | visibility | a bit for each column, most significant bit first |
//! | 13 | vector dimension | for each VECTOR column |
//!
//! Source: MySQL source documentation, `Table_map_event::Optional_metadata_field_type`. The servers skip a field of
//! another type, and so does this module.

use super::column::{Column, ColumnType};
use crate::{bitmap::bit_from_top, cursor::Cursor, error::Error, flavor::Flavor};

const WHAT: &str = "the optional metadata of a table map";

/// A part of the primary key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyPart {
    /// Index of the column, from 0.
    pub column: u32,
    /// Characters of the column that the key covers; 0 is the whole column.
    pub prefix_characters: u32,
}

/// What the fields say about the table as a whole.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) primary_key: Vec<KeyPart>,
    pub(super) signedness_known: bool,
    pub(super) names_known: bool,
}

impl Metadata {
    /// Reads all fields; what they say about a single column goes into `columns`.
    pub(super) fn read(cursor: &mut Cursor<'_>, columns: &mut [Column], flavor: Flavor) -> Result<Self, Error> {
        // Without numeric columns there is nothing to say, and the servers leave the field out.
        let signedness_known = !columns.iter().any(is_numeric);
        let mut metadata = Self { primary_key: Vec::new(), signedness_known, names_known: false };
        while !cursor.is_empty() {
            let field = cursor.u8(WHAT)?;
            let mut value = Cursor::new(cursor.lenenc_bytes(WHAT)?);
            metadata.read_field(field, &mut value, columns, flavor)?;
        }
        Ok(metadata)
    }

    fn read_field(
        &mut self,
        field: u8,
        value: &mut Cursor<'_>,
        columns: &mut [Column],
        flavor: Flavor,
    ) -> Result<(), Error> {
        match field {
            1 => {
                let bits = value.rest();
                let numeric = columns.iter_mut().filter(|column| is_numeric(column));
                for (index, column) in numeric.enumerate() {
                    column.unsigned = bit_from_top(bits, index, false);
                }
                self.signedness_known = true;
            }
            2 => default_charset(value, columns, |column| is_character(column, flavor))?,
            3 => each(value, columns, |column| is_character(column, flavor), read_collation)?,
            4 => {
                each(value, columns, |_| true, read_name)?;
                self.names_known = columns.iter().all(|column| column.name.is_some());
            }
            5 => each(value, columns, |column| column.kind == ColumnType::SET, read_labels)?,
            6 => each(value, columns, |column| column.kind == ColumnType::ENUM, read_labels)?,
            7 => each(value, columns, |column| column.kind == ColumnType::GEOMETRY, read_geometry_type)?,
            8 => self.primary_key = read_primary_key(value, columns.len(), |_| Ok(0))?,
            9 => self.primary_key = read_primary_key(value, columns.len(), read_u32)?,
            10 => default_charset(value, columns, is_labelled)?,
            11 => each(value, columns, is_labelled, read_collation)?,
            12 => {
                let bits = value.rest();
                for (index, column) in columns.iter_mut().enumerate() {
                    column.visible = bit_from_top(bits, index, true);
                }
            }
            13 => each(value, columns, |column| column.kind == ColumnType::VECTOR, read_vector_dimension)?,
            _ => {}
        }
        Ok(())
    }
}

/// Reads the parts of the primary key; `read_prefix` reads what follows each column, the length of its prefix.
fn read_primary_key(
    value: &mut Cursor<'_>,
    column_count: usize,
    read_prefix: impl Fn(&mut Cursor<'_>) -> Result<u32, Error>,
) -> Result<Vec<KeyPart>, Error> {
    let mut parts = Vec::new();
    while !value.is_empty() {
        let column = read_u32(value)?;
        if column as usize >= column_count {
            return Err(Error::Invalid { what: "a column of the primary key", value: u64::from(column) });
        }
        parts.push(KeyPart { column, prefix_characters: read_prefix(value)? });
    }
    Ok(parts)
}

fn read_name(value: &mut Cursor<'_>, column: &mut Column) -> Result<(), Error> {
    let name = value.lenenc_bytes(WHAT)?;
    let name = std::str::from_utf8(name).map_err(|_| Error::Utf8 { what: "a column name" })?;
    column.name = Some(name.to_owned());
    Ok(())
}

fn read_geometry_type(value: &mut Cursor<'_>, column: &mut Column) -> Result<(), Error> {
    column.geometry_type = Some(read_u32(value)?);
    Ok(())
}

fn read_vector_dimension(value: &mut Cursor<'_>, column: &mut Column) -> Result<(), Error> {
    column.vector_dimension = Some(read_u32(value)?);
    Ok(())
}

fn read_u32(value: &mut Cursor<'_>) -> Result<u32, Error> {
    let number = value.lenenc(WHAT)?;
    u32::try_from(number).map_err(|_| Error::Invalid { what: WHAT, value: number })
}

fn read_collation(value: &mut Cursor<'_>, column: &mut Column) -> Result<(), Error> {
    column.collation = Some(read_u32(value)?);
    Ok(())
}

fn read_labels(value: &mut Cursor<'_>, column: &mut Column) -> Result<(), Error> {
    let count = value.lenenc(WHAT)?;
    column.labels.clear();
    for _ in 0..count {
        column.labels.push(value.lenenc_bytes(WHAT)?.to_vec());
    }
    Ok(())
}

/// Reads one item for each selected column until the value ends; a shorter value leaves the rest without.
fn each(
    value: &mut Cursor<'_>,
    columns: &mut [Column],
    select: impl Fn(&Column) -> bool,
    read: impl Fn(&mut Cursor<'_>, &mut Column) -> Result<(), Error>,
) -> Result<(), Error> {
    for column in columns.iter_mut().filter(|column| select(column)) {
        if value.is_empty() {
            return Ok(());
        }
        read(value, column)?;
    }
    if value.is_empty() { Ok(()) } else { Err(Error::Trailing { what: WHAT, bytes: value.remaining() }) }
}

fn default_charset(
    value: &mut Cursor<'_>,
    columns: &mut [Column],
    select: impl Fn(&Column) -> bool,
) -> Result<(), Error> {
    let default = read_u32(value)?;
    for column in columns.iter_mut().filter(|column| select(column)) {
        column.collation = Some(default);
    }
    while !value.is_empty() {
        let index = read_u32(value)?;
        let collation = read_u32(value)?;
        match columns.iter_mut().filter(|column| select(column)).nth(index as usize) {
            Some(column) => column.collation = Some(collation),
            None => {
                return Err(Error::Invalid {
                    what: "a character column of the default charset",
                    value: u64::from(index),
                });
            }
        }
    }
    Ok(())
}

fn is_numeric(column: &Column) -> bool {
    matches!(
        column.kind,
        ColumnType::TINY
            | ColumnType::SHORT
            | ColumnType::INT24
            | ColumnType::LONG
            | ColumnType::LONGLONG
            | ColumnType::FLOAT
            | ColumnType::DOUBLE
            | ColumnType::NEWDECIMAL
            // Both servers count YEAR among the numbers, and mark it as unsigned.
            | ColumnType::YEAR
    )
}

/// Returns whether the server counts a column among the character columns. MySQL counts VECTOR too; MariaDB counts
/// geometry, which is a blob there, and its COMPRESSED types.
fn is_character(column: &Column, flavor: Flavor) -> bool {
    match column.kind {
        ColumnType::VARCHAR | ColumnType::VAR_STRING | ColumnType::STRING | ColumnType::BLOB | ColumnType::VECTOR => {
            true
        }
        ColumnType::GEOMETRY | ColumnType::VARCHAR_COMPRESSED | ColumnType::BLOB_COMPRESSED => {
            flavor == Flavor::Mariadb
        }
        _ => false,
    }
}

fn is_labelled(column: &Column) -> bool {
    column.kind == ColumnType::ENUM || column.kind == ColumnType::SET
}
