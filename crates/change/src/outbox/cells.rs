//! The columns of an outbox table as values.

use bitacora_binlog::{Cell, Image, TableMap};
use serde_json::Value;

use crate::column::ColumnPlan;
use crate::error::{EncodeError, PlanError};
use crate::logged::LoggedTable;
use crate::options::PlanOptions;
use crate::schema::{Kind, Schema};
use crate::scratch::Scratch;

/// Column plans of the table, without the columns that are left out; a value is what the table's own event would print.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    columns: Vec<ColumnPlan>,
}

impl Cells {
    pub(super) fn compile(
        table: &TableMap,
        logged: &LoggedTable<'_>,
        options: &PlanOptions,
    ) -> Result<Cells, PlanError> {
        Ok(Cells { columns: ColumnPlan::images(table, logged, options)? })
    }

    /// Returns the index of a column; names of columns do not depend on case.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        exact.or_else(|| self.columns.iter().position(|column| column.name.to_lowercase() == name.to_lowercase()))
    }

    /// Returns the columns, for the plan's notes.
    pub(super) fn columns(&self) -> &[ColumnPlan] {
        &self.columns
    }

    /// Returns the schema of a column's values.
    pub(super) fn schema(&self, index: usize) -> Schema {
        self.columns.get(index).map_or(Schema::new(Kind::String), |column| column.schema.clone())
    }

    /// Appends a column's JSON.
    pub(super) fn write(
        &self,
        image: &Image<'_>,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let Some(column) = self.columns.get(index) else { return Ok(()) };
        match image.column(column.index) {
            Cell::Value(bytes) => column.write(bytes, scratch, out),
            Cell::Null => {
                column.write_null(out);
                Ok(())
            }
            Cell::Absent => Err(EncodeError::Absent { column: column.name.clone() }),
        }
    }

    /// Reads a column's value.
    pub(super) fn value(&self, image: &Image<'_>, index: usize, scratch: &mut Scratch) -> Result<Value, EncodeError> {
        let mut json = Vec::new();
        self.write(image, index, scratch, &mut json)?;
        // A column writes valid JSON, so this cannot fail.
        Ok(serde_json::from_slice(&json).unwrap_or_default())
    }

    /// Reads a column as text; `None` for NULL.
    pub(super) fn text(
        &self,
        image: &Image<'_>,
        index: usize,
        scratch: &mut Scratch,
    ) -> Result<Option<String>, EncodeError> {
        Ok(match self.value(image, index, scratch)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        })
    }

    /// Appends the whole row as a JSON object.
    pub(super) fn write_row(
        &self,
        image: &Image<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        for (index, column) in self.columns.iter().enumerate() {
            column.label.write(if index == 0 { b'{' } else { b',' }, out);
            self.write(image, index, scratch, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// How a column holds a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Milliseconds,
    Microseconds,
    /// `2023-11-14T22:13:20.5Z`.
    Zoned,
}

impl Clock {
    /// Returns how a column of this schema holds a time, if it can.
    pub(super) fn of(schema: &Schema) -> Option<Clock> {
        match (&schema.kind, schema.name.as_deref()) {
            (Kind::Int64, None | Some("io.debezium.time.Timestamp")) => Some(Clock::Milliseconds),
            (Kind::Int64, Some("io.debezium.time.MicroTimestamp")) => Some(Clock::Microseconds),
            (Kind::String, Some("io.debezium.time.ZonedTimestamp")) => Some(Clock::Zoned),
            _ => None,
        }
    }

    /// Returns the time of a value, milliseconds since 1970.
    pub(super) fn milliseconds(self, value: &Value) -> Option<i64> {
        match self {
            Clock::Milliseconds => value.as_i64(),
            Clock::Microseconds => value.as_i64().map(|microseconds| microseconds.div_euclid(1_000)),
            Clock::Zoned => value.as_str().and_then(zoned_milliseconds),
        }
    }
}

/// Reads what a TIMESTAMP column prints: `YYYY-MM-DDTHH:MM:SS`, a fraction or none, `Z`.
fn zoned_milliseconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    // Days since 1970 in the Gregorian calendar. Years begin in March here, so that the leap day is the last day of a
    // year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 719_469;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + thousandths)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn clocks_tell_milliseconds() {
        for (clock, value, expected) in [
            (Clock::Milliseconds, json!(-1_500), Some(-1_500)),
            (Clock::Microseconds, json!(1_700_000_000_123_999_i64), Some(1_700_000_000_123)),
            (Clock::Microseconds, json!(-1), Some(-1)),
            (Clock::Zoned, json!("1970-01-01T00:00:00Z"), Some(0)),
            (Clock::Zoned, json!("2023-11-14T22:13:20.5Z"), Some(1_700_000_000_500)),
            (Clock::Zoned, json!("2024-02-29T23:59:59.123456Z"), Some(1_709_251_199_123)),
            (Clock::Zoned, json!("2000-03-01T00:00:00Z"), Some(951_868_800_000)),
            (Clock::Zoned, json!("today"), None),
            (Clock::Milliseconds, Value::Null, None),
        ] {
            assert_eq!(clock.milliseconds(&value), expected, "{clock:?} {value}");
        }
    }
}
