//! The inverse of [`crate::value`]: row images from values, for the rows of a snapshot.
//!
//! A snapshot row takes the same way as a row of the log: a table map made by
//! [`TableMap::synthesize`](crate::TableMap::synthesize), images written by [`ImageWriter`], presented by
//! [`RowsEvent::from_images`](crate::RowsEvent::from_images). Both then print a value in the same way.
//!
//! Values come typed ([`Value`]) or as the text protocol of a SQL session gives them ([`ImageWriter::text`]). For the
//! text to mean the same as the log, the session must give column bytes unconverted (`character_set_results = NULL`)
//! and timestamps in UTC (`time_zone = '+00:00'`). JSON columns are the exception: their text is UTF-8 and the column
//! is [`ColumnType::JSON_TEXT`](crate::ColumnType::JSON_TEXT).

mod image;
mod packed;
mod text;

pub use image::ImageWriter;

use crate::value::{Date, DateTime, Time, Timestamp};

/// A value to be written into a row image.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// For integer columns.
    Signed(i64),
    /// For integer columns, BIT, ENUM (index) and SET (members).
    Unsigned(u64),
    /// For FLOAT.
    Float(f32),
    /// For DOUBLE.
    Double(f64),
    /// For DECIMAL: sign, digits, point, digits.
    Decimal(&'a str),
    /// For DATE.
    Date(Date),
    /// For DATETIME.
    DateTime(DateTime),
    /// For TIMESTAMP.
    Timestamp(Timestamp),
    /// For TIME.
    Time(Time),
    /// For YEAR: 0, or 1901 to 2155.
    Year(u16),
    /// For character, binary, JSON, GEOMETRY and VECTOR columns: the stored bytes.
    Bytes(&'a [u8]),
}
