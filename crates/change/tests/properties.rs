//! Decimals, Base64, dates and times against slow models that share no code with the encoders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod log;

use std::sync::Arc;

use bitacora_binlog::encode::{ImageWriter, Value};
use bitacora_binlog::value::{Date, DateTime, Time};
use bitacora_binlog::{Column, ColumnType, RowScratch, RowsEvent, RowsKind, TableMap};
use bitacora_change::{Connector, DebeziumForm, MessageBuffer, Operation, Plan, ValueFormat};
use proptest::prelude::*;

/// What a value of a NULLable column is printed as.
fn printed(column: Column, value: Value<'_>) -> String {
    let column = Column { name: Some("c".into()), ..column };
    let table = Arc::new(TableMap::synthesize("db", "t", vec![column], Vec::new()).unwrap());
    let mut bytes = Vec::new();
    let mut writer = ImageWriter::begin(&table, &mut bytes);
    writer.value(value).unwrap();
    writer.finish().unwrap();
    let rows = RowsEvent::from_images(RowsKind::Insert, &table, &bytes);
    let options = log::options(Connector::Mysql, DebeziumForm::V3_6, ValueFormat::Json);
    let plan = Plan::compile(&table, None, &options).unwrap();
    let (mut scratch, mut buffer) = (RowScratch::new(), MessageBuffer::default());
    let mut reader = rows.reader(&mut scratch);
    let row = reader.next_row().unwrap().unwrap();
    plan.encode(&row, Operation::Create, &log::context(), &mut buffer).unwrap();
    let text = std::str::from_utf8(buffer.value(&buffer.messages()[0]).unwrap()).unwrap();
    let start = text.find("\"after\":{\"c\":").unwrap() + 13;
    text[start..text.find("},\"source\"").unwrap()].to_owned()
}

/// Base64 bit by bit.
fn base64_model(bytes: &[u8]) -> String {
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let mut bits: Vec<usize> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1))).collect();
    while !bits.len().is_multiple_of(6) {
        bits.push(0);
    }
    let mut text: String =
        bits.chunks(6).map(|six| alphabet[six.iter().fold(0, |number, bit| number * 2 + bit)]).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The shortest big-endian two's complement of decimal digits, by multiplying a vector of bytes by ten.
fn unscaled_model(is_negative: bool, digits: &str) -> Vec<u8> {
    let mut magnitude = vec![0u8; 34];
    for digit in digits.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in magnitude.iter_mut().rev() {
            let product = u32::from(*byte) * 10 + carry;
            *byte = product as u8;
            carry = product >> 8;
        }
    }
    if is_negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (sum, overflowed) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = overflowed;
        }
    }
    while magnitude.len() > 1
        && (magnitude[0] == 0 && magnitude[1] < 0x80 || magnitude[0] == 0xff && magnitude[1] >= 0x80)
    {
        magnitude.remove(0);
    }
    magnitude
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 by counting years and months.
fn days_model(date: Date) -> i64 {
    let year_days = |year| 365 + i64::from(is_leap(year));
    let years: i64 = if date.year >= 1970 {
        (1970..date.year).map(year_days).sum()
    } else {
        -(date.year..1970).map(year_days).sum::<i64>()
    };
    let months: i64 = (1..date.month).map(|month| i64::from(days_of_month(date.year, month))).sum();
    years + months + i64::from(date.day) - 1
}

fn dates() -> impl Strategy<Value = Date> {
    (100u16..=9_999, 1u8..=12, 1u8..=31).prop_map(|(year, month, day)| Date {
        year,
        month,
        day: day.min(days_of_month(year, month)),
    })
}

/// As many cases as `PROPTEST_CASES` asks for (`make fuzz`), without it as many as take a moment.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases: 600, ..config } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn base64(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let column = Column { collation: Some(63), ..Column::new(ColumnType::BLOB, 2) };
        prop_assert_eq!(printed(column, Value::Bytes(&bytes)), format!("\"{}\"", base64_model(&bytes)));
    }

    #[test]
    fn decimals(
        (precision, scale) in (1u16..=65).prop_flat_map(|precision| (Just(precision), 0..=precision.min(30))),
        digits in proptest::collection::vec(0u8..10, 65),
        zeros in 0usize..65,
        is_negative: bool,
    ) {
        let zeros = zeros.min(usize::from(precision));
        let digits: String = digits[..usize::from(precision)]
            .iter()
            .enumerate()
            .map(|(index, digit)| if index < zeros { '0' } else { char::from(b'0' + digit) })
            .collect();
        let (whole, fraction) = digits.split_at(usize::from(precision - scale));
        let is_negative = is_negative && digits.bytes().any(|digit| digit != b'0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{}{whole}{point}{fraction}", if is_negative { "-" } else { "" });
        let column = Column::new(ColumnType::NEWDECIMAL, precision << 8 | scale);
        let expected = format!("\"{}\"", base64_model(&unscaled_model(is_negative, &digits)));
        prop_assert_eq!(printed(column, Value::Decimal(&text)), expected, "{}", text);
    }

    #[test]
    fn days(date in dates()) {
        prop_assert_eq!(printed(Column::new(ColumnType::DATE, 0), Value::Date(date)), days_model(date).to_string());
    }

    #[test]
    fn datetimes(
        date in dates(), hour in 0u8..24, minute in 0u8..60, second in 0u8..60,
        fraction in 0u32..1_000_000, digits in 0u16..=6,
    ) {
        let unit = 10u32.pow(6 - u32::from(digits));
        let microsecond = fraction / unit * unit;
        let seconds = days_model(date) * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        let microseconds = i128::from(seconds) * 1_000_000 + i128::from(microsecond);
        let expected = if digits > 3 { microseconds } else { microseconds.div_euclid(1_000) };
        let value = Value::DateTime(DateTime { date, hour, minute, second, microsecond });
        prop_assert_eq!(printed(Column::new(ColumnType::DATETIME2, digits), value), expected.to_string());
    }

    #[test]
    fn times(
        is_negative: bool, hour in 0u16..=838, minute in 0u8..60, second in 0u8..60,
        fraction in 0u32..1_000_000, digits in 0u16..=6,
    ) {
        let unit = 10u32.pow(6 - u32::from(digits));
        let microsecond = fraction / unit * unit;
        let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        let microseconds = seconds * 1_000_000 + i64::from(microsecond);
        let is_negative = is_negative && microseconds != 0;
        let expected = if is_negative { -microseconds } else { microseconds };
        let value = Value::Time(Time { is_negative, hour, minute, second, microsecond });
        prop_assert_eq!(printed(Column::new(ColumnType::TIME2, digits), value), expected.to_string());
    }
}
