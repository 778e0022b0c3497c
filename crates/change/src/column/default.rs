//! The DEFAULT of a column as a value of its schema.

use serde_json::Value;

use bitacora_binlog::Column;
use bitacora_binlog::value::Date;

use super::encoder::adjusted;
use crate::description::{ColumnDefault, ColumnDescription, StoredDefault};
use crate::json::{write_base64, write_double, write_float};
use crate::schema::{DefaultValue, Kind, Schema};

/// Returns the default that the schema carries; `None` without one, or when the text is not a value of the type.
pub(super) fn value(schema: &Schema, description: &ColumnDescription, column: &Column) -> Option<DefaultValue> {
    let text = match (&description.default, &description.stored_default) {
        (ColumnDefault::Literal(_), Some(StoredDefault::Bytes(bytes))) => return of_bytes(schema, bytes, column),
        (ColumnDefault::Literal(_), Some(StoredDefault::Text(text))) => text.as_str(),
        (ColumnDefault::Literal(text), None) => text.as_str(),
        (ColumnDefault::Expression(expression), _) => return current_timestamp(schema, expression),
        (ColumnDefault::Absent | ColumnDefault::Null, _) => return None,
    };
    let logical = schema.name.as_deref().unwrap_or("");
    match (logical, &schema.kind) {
        ("org.apache.kafka.connect.data.Decimal", _) => decimal(text, column.scale()).map(|bytes| binary(&bytes)),
        ("io.debezium.data.Bits", _) => {
            let bits = bit_literal(text)?.to_le_bytes();
            bits.get(..usize::from(column.bits().div_ceil(8))).map(binary)
        }
        ("io.debezium.time.Date", _) => zero_unless_optional(schema, date(text)?.days_since_epoch()),
        ("io.debezium.time.Timestamp", _) => {
            zero_unless_optional(schema, datetime(text)?.map(|microseconds| microseconds.div_euclid(1_000)))
        }
        ("io.debezium.time.MicroTimestamp", _) => zero_unless_optional(schema, datetime(text)?),
        ("io.debezium.time.MicroTime", _) => Some(DefaultValue::plain(time(text)?)),
        ("io.debezium.time.ZonedTimestamp", _) if text.starts_with("0000") => {
            (!schema.is_optional).then(|| DefaultValue::plain("1970-01-01T00:00:00Z"))
        }
        ("io.debezium.time.ZonedTimestamp", _) => Some(DefaultValue::plain(format!("{}Z", text.replacen(' ', "T", 1)))),
        (_, Kind::Boolean) => Some(DefaultValue::plain(bit_literal(text).or_else(|| boolean(text))? != 0)),
        (_, Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64) => integer(text, column.unsigned),
        (_, Kind::Float32) => text.trim().parse::<f32>().ok().map(|value| number(f64::from(value), value.to_string())),
        // A FLOAT in the form of 1.9: a row prints the digits of the float widened to a double, and so does the
        // default.
        (_, Kind::Float64) if column.kind == bitacora_binlog::ColumnType::FLOAT => {
            text.trim().parse::<f32>().ok().map(f64::from).map(|value| number(value, value.to_string()))
        }
        (_, Kind::Float64) => text.trim().parse::<f64>().ok().map(|value| number(value, value.to_string())),
        (_, Kind::String) => Some(DefaultValue::plain(text)),
        _ => of_bytes(schema, text.as_bytes(), column),
    }
}

/// Returns the default of a column of bytes; BINARY is filled up with zeros.
fn of_bytes(schema: &Schema, bytes: &[u8], column: &Column) -> Option<DefaultValue> {
    if schema.kind != Kind::Bytes {
        return None;
    }
    let mut bytes = bytes.to_vec();
    if column.kind == bitacora_binlog::ColumnType::STRING {
        bytes.resize(usize::from(column.max_bytes()).max(bytes.len()), 0);
    }
    Some(binary(&bytes))
}

/// Returns the JSON of a default, as a row that has it prints it.
#[expect(clippy::cast_possible_truncation, reason = "the column is a FLOAT")]
pub(super) fn printed(schema: &Schema, default: &DefaultValue) -> Vec<u8> {
    let mut out = Vec::new();
    match (&schema.kind, default.json.as_f64()) {
        (Kind::Float32, Some(value)) => write_float(value as f32, &mut out),
        (Kind::Float64, Some(value)) => write_double(value, &mut out),
        _ => out = default.json.to_string().into_bytes(),
    }
    out
}

/// Returns the default of an expression: for `CURRENT_TIMESTAMP` in a NOT NULL column the epoch, else none.
fn current_timestamp(schema: &Schema, expression: &str) -> Option<DefaultValue> {
    let expression = expression.to_ascii_uppercase();
    let is_clock = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME"].iter().any(|word| expression.starts_with(word));
    if !is_clock || schema.is_optional {
        return None;
    }
    Some(match schema.kind {
        Kind::String => DefaultValue::plain("1970-01-01T00:00:00Z"),
        _ => DefaultValue::plain(0),
    })
}

/// Returns the default of bytes: Base64 in JSON, one character for each byte in Avro.
fn binary(bytes: &[u8]) -> DefaultValue {
    let mut base64 = Vec::new();
    write_base64(bytes, &mut base64);
    DefaultValue {
        json: Value::String(String::from_utf8_lossy(&base64).into_owned()),
        avro: Value::String(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

fn number(value: f64, shortest: String) -> DefaultValue {
    DefaultValue::plain(shortest.parse::<f64>().unwrap_or(value))
}

fn integer(text: &str, is_unsigned: bool) -> Option<DefaultValue> {
    let text = text.trim();
    if is_unsigned && let Ok(value) = text.parse::<u64>() {
        // Values beyond the signed range wrap, but defaults stop at its end, as Debezium's do.
        return Some(DefaultValue::plain(i64::try_from(value).unwrap_or(i64::MAX)));
    }
    let value = text.parse::<i64>().ok().or_else(|| boolean(text).map(u64::cast_signed));
    value.or_else(|| bit_literal(text).map(u64::cast_signed)).map(DefaultValue::plain)
}

fn boolean(text: &str) -> Option<u64> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(1),
        "false" | "0" => Some(0),
        _ => None,
    }
}

/// Reads `b'101'`, `0b101`, or a plain number.
fn bit_literal(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .strip_prefix("b'")
        .or_else(|| text.strip_prefix("B'"))
        .and_then(|rest| rest.strip_suffix('\''))
        .or_else(|| text.strip_prefix("0b"));
    match digits {
        Some(digits) => u64::from_str_radix(digits, 2).ok(),
        None => text.parse().ok(),
    }
}

/// Returns a decimal literal as the two's complement of its unscaled value at that scale.
fn decimal(text: &str, scale: u8) -> Option<Vec<u8>> {
    let text = text.trim();
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // There may be 65 digits, which no integer type holds, so the number is kept as big-endian bytes with room for the
    // sign.
    let mut unscaled = vec![0u8; (whole.len() + usize::from(scale)) / 2 + 2];
    let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(usize::from(scale));
    for digit in whole.bytes().chain(padded) {
        let mut carry = u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        for byte in unscaled.iter_mut().rev() {
            let product = u16::from(*byte) * 10 + carry;
            let [high, low] = product.to_be_bytes();
            *byte = low;
            carry = u16::from(high);
        }
    }
    if is_negative {
        let mut carry = true;
        for byte in unscaled.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let fill = if unscaled.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
    let redundant = unscaled
        .windows(2)
        .take_while(|pair| matches!(**pair, [first, next] if first == fill && (next ^ fill) & 0x80 == 0));
    unscaled.get(redundant.count()..).map(<[u8]>::to_vec)
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.get(..10).unwrap_or(text).split('-');
    let mut part = || parts.next().and_then(|part| part.parse::<u16>().ok());
    let (year, month, day) = (part()?, part()?, part()?);
    // A default is printed as a row prints it.
    Some(adjusted(Date { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? }))
}

/// Returns the microseconds since the epoch of `YYYY-MM-DD HH:MM:SS[.ffffff]`; the inner option is `None` for a zero
/// date.
fn datetime(text: &str) -> Option<Option<i64>> {
    let date = date(text)?;
    let clock = text.get(11..).filter(|clock| !clock.is_empty()).map_or(Some(0), time)?;
    Some(date.days_since_epoch().map(|days| days * 86_400_000_000 + clock))
}

/// Returns the default of a zero date: the epoch in a NOT NULL column, else none.
fn zero_unless_optional(schema: &Schema, value: Option<i64>) -> Option<DefaultValue> {
    match value {
        Some(value) => Some(DefaultValue::plain(value)),
        None if schema.is_optional => None,
        None => Some(DefaultValue::plain(0)),
    }
}

/// Returns the microseconds of `[-]HH:MM:SS[.ffffff]`.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds = 0i64;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let mut microseconds = 0i64;
    for digit in fraction.bytes().chain(std::iter::repeat(b'0')).take(6) {
        microseconds = microseconds * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(sign * (seconds * 1_000_000 + microseconds))
}
