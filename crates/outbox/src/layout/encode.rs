//! From an event to the values of a row, in the order of the layout's columns.
//!
//! A server in a lax `sql_mode` cuts what is too long and turns NULL into zero. Therefore lengths and NULLs are checked
//! here, before a statement is sent.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Column, ColumnType, Content, Layout};
use crate::{Error, Event, Payload, Value};

impl Layout {
    /// Returns the row of an event.
    ///
    /// # Errors
    /// [`Error::Event`] when a value does not fit its column, and when the event has a field or header without a
    /// column.
    pub fn values(&self, event: &Event) -> Result<Vec<Value>, Error> {
        let unfit = |column: &str, reason: String| Error::Event {
            id: event.id.to_string(),
            table: self.table.to_string(),
            column: column.to_owned(),
            reason,
        };
        for (name, _) in &event.fields {
            if !self.columns.iter().any(|column| column.content == Content::Field && column.name == *name) {
                return Err(unfit(name, "the layout has no field column of this name".into()));
            }
        }
        if !event.headers.is_empty() && !self.columns.iter().any(|column| column.content == Content::Headers) {
            return Err(unfit("headers", "the layout has no column for headers".into()));
        }
        let value_of = |column: &Column| {
            let value = value(column, event);
            fits(column, &value).map_err(|reason| unfit(&column.name, reason))?;
            Ok(value)
        };
        self.columns.iter().map(value_of).collect()
    }
}

fn value(column: &Column, event: &Event) -> Value {
    match &column.content {
        Content::Id => Value::Text(event.id.to_string()),
        Content::AggregateType => Value::Text(event.aggregate_type.clone()),
        Content::AggregateId => Value::Text(event.aggregate_id.clone()),
        Content::Type => Value::Text(event.event_type.clone()),
        Content::Payload => match &event.payload {
            Payload::Text(text) if column.column_type.is_binary() => Value::Bytes(text.clone().into_bytes()),
            Payload::Text(text) => Value::Text(text.clone()),
            Payload::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Payload::Empty => Value::Null,
        },
        Content::Headers if event.headers.is_empty() && column.nullable => Value::Null,
        Content::Headers => {
            let members = event.headers.iter().map(|(name, text)| (name.clone(), text.as_str().into()));
            Value::Text(serde_json::Value::Object(members.collect()).to_string())
        }
        Content::Timestamp => time(column.column_type, event.timestamp),
        Content::Field => {
            let set = event.fields.iter().find(|(name, _)| *name == column.name);
            set.map_or(Value::Null, |(_, value)| value.clone())
        }
        Content::Constant(value) => value.clone(),
    }
}

/// Returns a time as the column takes it, cut to its precision: the server would round, and so make times of the
/// future. A time beyond the calendar (the year 9999) is NULL and found by the check for NULL.
pub(crate) fn time(column_type: ColumnType, moment: SystemTime) -> Value {
    if column_type == ColumnType::BigInt {
        let millis = match moment.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()),
            Err(before) => i64::try_from(before.duration().as_millis()).map(|millis| -millis),
        };
        return millis.map_or(Value::Null, Value::Integer);
    }
    let Ok(moment) = jiff::Timestamp::try_from(moment) else { return Value::Null };
    let date = jiff::tz::Offset::UTC.to_datetime(moment);
    let form = match column_type {
        ColumnType::DateTime(digits @ 1..) => {
            let micros = format!("{:06}", date.subsec_nanosecond() / 1_000);
            let fraction: String = micros.chars().take(digits as usize).collect();
            format!("%Y-%m-%d %H:%M:%S.{fraction}")
        }
        _ => "%Y-%m-%d %H:%M:%S".into(),
    };
    Value::Text(date.strftime(&form).to_string())
}

fn fits(column: &Column, value: &Value) -> Result<(), String> {
    use ColumnType::*;
    match (column.column_type, value) {
        (_, Value::Null) if column.nullable => Ok(()),
        (_, Value::Null) => Err("it has no value, and the column may not be NULL".into()),
        (Char(limit) | Varchar(limit), Value::Text(text)) if text.chars().count() > limit as usize => {
            Err(format!("it has {} characters, the column takes {limit}", text.chars().count()))
        }
        (Text, Value::Text(text)) if text.len() > 65_535 => {
            Err(format!("it has {} bytes, the column takes 65535", text.len()))
        }
        (Varbinary(limit), Value::Bytes(bytes)) if bytes.len() > limit as usize => {
            Err(format!("it has {} bytes, the column takes {limit}", bytes.len()))
        }
        (Varbinary(limit), Value::Text(text)) if text.len() > limit as usize => {
            Err(format!("it has {} bytes, the column takes {limit}", text.len()))
        }
        (Int, Value::Integer(number)) if i32::try_from(*number).is_err() => Err(format!("{number} is beyond INT")),
        (Int | BigInt, Value::Text(_) | Value::Bytes(_)) => Err("it is no number".into()),
        (Char(_) | Varchar(_) | Text | LongText | Json | DateTime(_), Value::Bytes(_)) => {
            Err("it is binary, the column takes text; a LONGBLOB takes bytes".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn layout() -> Layout {
        Layout::builder("o")
            .column(Column::new("id", Content::Id, ColumnType::Char(36)))
            .column(Column::new("tipo", Content::Type, ColumnType::Varchar(4)))
            .column(Column::new("contenido", Content::Payload, ColumnType::Text))
            .column(Column::new("version", Content::Field, ColumnType::Int))
            .column(Column::new("servicio", Content::Constant("a".into()), ColumnType::Varchar(9)))
            .column(Column::new("cabeceras", Content::Headers, ColumnType::Json).nullable())
            .build()
            .unwrap()
    }

    fn event() -> Event {
        Event::new("a", "1", "ñañá", Payload::Text("{}".into())).with_field("version", 2)
    }

    fn refused(event: Event, message: &str) {
        let error = layout().values(&event).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn values_stand_in_the_order_of_the_columns() {
        let event = event().with_header("traza", "vieja").with_header("traza", "\"x\"");
        let id = event.id().to_string();
        let expected: [Value; 6] =
            [id.into(), "ñañá".into(), "{}".into(), 2.into(), "a".into(), r#"{"traza":"\"x\""}"#.into()];
        assert_eq!(layout().values(&event).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused_before_the_server_sees_it() {
        assert!(layout().values(&event()).is_ok());
        let with = |event_type: &str, payload| Event::new("a", "1", event_type, payload).with_field("version", 2);
        refused(with("ñañáñ", Payload::Empty), "column tipo of table o: it has 5 characters, the column takes 4");
        refused(with("x", Payload::Empty), "column contenido of table o: it has no value");
        refused(with("x", Payload::Bytes(vec![1])), "it is binary");
        refused(with("x", Payload::Text("x".repeat(65_536))), "it has 65536 bytes");
        refused(event().with_field("otra", "x"), "column otra of table o: the layout has no field column");
        refused(event().with_field("version", "v1"), "it is no number");
        refused(event().with_field("version", 1_i64 << 31), "beyond INT");
        refused(Event::new("a", "1", "x", Payload::Text("{}".into())), "column version of table o: it has no value");
        let plain = Layout::standard("o").build().unwrap();
        let error = plain.values(&Event::new("a", "1", "x", Payload::Empty).with_header("h", "1")).unwrap_err();
        assert!(error.to_string().contains("no column for headers"), "{error}");
    }

    #[test]
    fn times_are_cut_to_the_columns_precision_in_utc() {
        let moment = UNIX_EPOCH + Duration::from_nanos(1_709_251_199_999_999_999);
        let check = |column_type, expected: Value| assert_eq!(time(column_type, moment), expected);
        check(ColumnType::DateTime(0), "2024-02-29 23:59:59".into());
        check(ColumnType::DateTime(3), "2024-02-29 23:59:59.999".into());
        check(ColumnType::DateTime(6), "2024-02-29 23:59:59.999999".into());
        check(ColumnType::BigInt, 1_709_251_199_999_i64.into());
        assert_eq!(time(ColumnType::DateTime(0), UNIX_EPOCH - Duration::from_secs(1)), "1969-12-31 23:59:59".into());
    }
}
