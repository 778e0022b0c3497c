//! Writes one row image, column by column.

use super::{Value, packed, packed::Reason, text};
use crate::{
    error::{Error, quote},
    table::{Column, ColumnType, TableMap, Width},
};

/// Writes one image behind the bytes of a buffer: begin, one value for each column in order, finish.
///
/// A writer that is dropped before its image is finished removes the image, so the buffer never holds half a row.
#[derive(Debug)]
pub struct ImageWriter<'t, 'o> {
    table: &'t TableMap,
    out: &'o mut Vec<u8>,
    start: usize,
    column: usize,
    is_finished: bool,
}

impl<'t, 'o> ImageWriter<'t, 'o> {
    /// Starts an image at the end of `out`.
    pub fn begin(table: &'t TableMap, out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        out.resize(start + table.columns.len().div_ceil(8), 0);
        Self { table, out, start, column: 0, is_finished: false }
    }

    /// Writes NULL into the next column.
    pub fn null(&mut self) -> Result<(), Error> {
        self.value(Value::Null)
    }

    /// Writes a value into the next column as a SQL session's text protocol gives it: BIT, GEOMETRY and VECTOR as
    /// bytes, ENUM and SET as labels, TIMESTAMP in UTC.
    pub fn text(&mut self, text: &[u8]) -> Result<(), Error> {
        let value = text::parse(self.next()?, text).map_err(|reason| self.refuse(text, reason))?;
        self.value_of(value, text)
    }

    /// Writes a value into the next column.
    pub fn value(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.value_of(value, &[])
    }

    /// Ends the image; every column must have its value.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.column != self.table.columns.len() {
            return Err(self.refuse(&[], "a row ends before its last column"));
        }
        self.is_finished = true;
        Ok(())
    }

    fn next(&self) -> Result<&'t Column, Error> {
        self.table.columns.get(self.column).ok_or_else(|| self.refuse(&[], "a row has more values than columns"))
    }

    fn value_of(&mut self, value: Value<'_>, text: &[u8]) -> Result<(), Error> {
        let column = self.next()?;
        let before = self.out.len();
        let result = if value == Value::Null {
            let bit = 1 << (self.column % 8);
            self.out
                .get_mut(self.start + self.column / 8)
                .map(|byte| *byte |= bit)
                .ok_or("the image has no room for it")
        } else {
            match self.table.widths().get(self.column) {
                Some(width) => write(column, *width, value, self.out),
                None => Err("the column has no width"),
            }
        };
        match result {
            Ok(()) => {
                self.column += 1;
                Ok(())
            }
            Err(reason) => {
                self.out.truncate(before);
                let shown = if text.is_empty() { format!("{value:?}").into_bytes() } else { text.to_vec() };
                Err(self.refuse(&shown, reason))
            }
        }
    }

    #[cold]
    fn refuse(&self, value: &[u8], reason: Reason) -> Error {
        Error::Encode { column: self.column, text: quote(value), reason }
    }
}

impl Drop for ImageWriter<'_, '_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.out.truncate(self.start);
        }
    }
}

const OTHER_TYPE: Reason = "the column's type takes other values";
const RANGE: Reason = "it lies outside of the column's range";

fn write(column: &Column, width: Width, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
    let digits = column.fractional_digits();
    match (column.kind, value) {
        (ColumnType::FLOAT, Value::Float(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (ColumnType::DOUBLE, Value::Double(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (ColumnType::NEWDECIMAL, Value::Decimal(text)) => {
            packed::decimal(text.as_bytes(), column.precision(), column.scale(), out)?;
        }
        (ColumnType::DATE | ColumnType::NEWDATE, Value::Date(value)) => packed::date(value, out),
        (ColumnType::DATETIME, Value::DateTime(value)) => packed::datetime_old(value, out),
        (ColumnType::DATETIME2, Value::DateTime(value)) => packed::datetime(value, digits, out)?,
        (ColumnType::TIMESTAMP, Value::Timestamp(value)) => out.extend_from_slice(&value.seconds.to_le_bytes()),
        (ColumnType::TIMESTAMP2, Value::Timestamp(value)) => packed::timestamp(value, digits, out)?,
        (ColumnType::TIME, Value::Time(value)) => packed::time_old(value, out),
        (ColumnType::TIME2, Value::Time(value)) => packed::time(value, digits, out)?,
        (ColumnType::YEAR, Value::Year(0)) => out.push(0),
        (ColumnType::YEAR, Value::Year(year)) => {
            let stored = year.checked_sub(1900).filter(|stored| (1..=255).contains(stored)).ok_or(RANGE)?;
            out.extend(stored.to_le_bytes().into_iter().take(1));
        }
        (_, Value::Bytes(bytes)) => prefixed(width, bytes, out)?,
        (kind, Value::Signed(value)) if kind.is_integer() => {
            let value =
                if column.unsigned { i128::from(u64::try_from(value).map_err(|_| RANGE)?) } else { i128::from(value) };
            integer(column, width, value, out)?;
        }
        (kind, Value::Unsigned(value)) if kind.is_integer() => integer(column, width, i128::from(value), out)?,
        (ColumnType::BIT, Value::Unsigned(value)) => {
            let Width::Fixed(bytes) = width else { return Err(OTHER_TYPE) };
            if column.bits() < 64 && value >> column.bits() != 0 {
                return Err(RANGE);
            }
            out.extend(value.to_be_bytes().into_iter().skip(8usize.saturating_sub(usize::from(bytes))));
        }
        (ColumnType::ENUM | ColumnType::SET, Value::Unsigned(value)) => {
            let Width::Fixed(bytes) = width else { return Err(OTHER_TYPE) };
            if bytes < 8 && value >> (8 * bytes) != 0 {
                return Err(RANGE);
            }
            out.extend(value.to_le_bytes().into_iter().take(usize::from(bytes)));
        }
        _ => return Err(OTHER_TYPE),
    }
    Ok(())
}

fn integer(column: &Column, width: Width, value: i128, out: &mut Vec<u8>) -> Result<(), Reason> {
    let Width::Fixed(bytes) = width else { return Err(OTHER_TYPE) };
    let bits = 8 * u32::from(bytes);
    let range =
        if column.unsigned { 0..=(1i128 << bits) - 1 } else { -(1i128 << (bits - 1))..=(1i128 << (bits - 1)) - 1 };
    if !range.contains(&value) {
        return Err(RANGE);
    }
    out.extend(value.to_le_bytes().into_iter().take(usize::from(bytes)));
    Ok(())
}

fn prefixed(width: Width, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    let prefix_bytes = match width {
        Width::Fixed(_) => return Err(OTHER_TYPE),
        Width::Prefix1 => 1,
        Width::Prefix2 => 2,
        Width::Prefix3 => 3,
        Width::Prefix4 => 4,
    };
    let length = bytes.len() as u64;
    if length >> (8 * prefix_bytes) != 0 {
        return Err("it is longer than the column allows");
    }
    out.extend(length.to_le_bytes().into_iter().take(prefix_bytes));
    out.extend_from_slice(bytes);
    Ok(())
}
