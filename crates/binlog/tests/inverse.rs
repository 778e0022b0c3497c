//! What `encode` writes, `value` reads back: every column type, typed and as text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use bitacora_binlog::{
    Cell, Column, ColumnType, Error, RowScratch, RowsEvent, RowsKind, TableMap,
    encode::{ImageWriter, Value},
    value::{self, Date, DateTime, Decimal, Time, Timestamp},
};
use proptest::prelude::*;
use std::sync::Arc;

fn column(kind: ColumnType, meta: u16, unsigned: bool) -> Column {
    Column { unsigned, ..Column::new(kind, meta) }
}

/// Writes one value into a table of one column and gives the stored bytes back as the rows reader finds them.
fn store(column: &Column, write: impl FnOnce(&mut ImageWriter<'_, '_>) -> Result<(), Error>) -> Result<Vec<u8>, Error> {
    let table = Arc::new(TableMap::synthesize("d", "t", vec![column.clone()], Vec::new()).unwrap());
    let mut images = Vec::new();
    let mut writer = ImageWriter::begin(&table, &mut images);
    write(&mut writer)?;
    writer.finish()?;
    let rows = RowsEvent::from_images(RowsKind::Insert, &table, &images);
    let mut scratch = RowScratch::new();
    let mut reader = rows.reader(&mut scratch);
    let row = reader.next_row().unwrap().unwrap();
    let Cell::Value(stored) = row.after.unwrap().column(0) else { panic!("no value") };
    let stored = stored.to_vec();
    assert!(reader.next_row().unwrap().is_none());
    Ok(stored)
}

fn store_value(column: &Column, value: Value<'_>) -> Result<Vec<u8>, Error> {
    store(column, |writer| writer.value(value))
}

fn store_text(column: &Column, text: &str) -> Result<Vec<u8>, Error> {
    store(column, |writer| writer.text(text.as_bytes()))
}

fn text_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

const INTEGERS: [(ColumnType, u32); 5] = [
    (ColumnType::TINY, 8),
    (ColumnType::SHORT, 16),
    (ColumnType::INT24, 24),
    (ColumnType::LONG, 32),
    (ColumnType::LONGLONG, 64),
];

fn dates() -> impl Strategy<Value = Date> {
    (0u16..=9999, 0u8..=12, 0u8..=31).prop_map(|(year, month, day)| Date { year, month, day })
}

/// Cuts a fraction to the digits of a column.
fn cut(microsecond: u32, digits: u8) -> u32 {
    let unit = 10u32.pow(6 - u32::from(digits));
    microsecond / unit * unit
}

fn datetimes() -> impl Strategy<Value = (DateTime, u8)> {
    (dates(), 0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000, 0u8..=6).prop_map(
        |(date, hour, minute, second, fraction, digits)| {
            (DateTime { date, hour, minute, second, microsecond: cut(fraction, digits) }, digits)
        },
    )
}

proptest! {
    #[test]
    fn integers(bits in any::<u64>(), which in 0usize..5) {
        let (kind, width) = INTEGERS[which];
        let unsigned = bits >> (64 - width);
        let signed = bits.cast_signed() >> (64 - width);
        let stored = store_value(&column(kind, 0, true), Value::Unsigned(unsigned)).unwrap();
        prop_assert_eq!(value::unsigned(&stored).unwrap(), unsigned);
        prop_assert_eq!(store_text(&column(kind, 0, true), &unsigned.to_string()).unwrap(), stored);
        let stored = store_value(&column(kind, 0, false), Value::Signed(signed)).unwrap();
        prop_assert_eq!(value::signed(&stored).unwrap(), signed);
        prop_assert_eq!(store_text(&column(kind, 0, false), &signed.to_string()).unwrap(), stored);
    }

    #[test]
    fn integers_out_of_range_are_refused(bits in any::<u64>(), which in 0usize..4) {
        let (kind, width) = INTEGERS[which];
        let fits = bits >> width == 0;
        prop_assert_eq!(store_value(&column(kind, 0, true), Value::Unsigned(bits)).is_ok(), fits);
        let signed = bits.cast_signed();
        let fits = signed >> (width - 1) == 0 || signed >> (width - 1) == -1;
        prop_assert_eq!(store_value(&column(kind, 0, false), Value::Signed(signed)).is_ok(), fits);
        prop_assert_eq!(store_value(&column(kind, 0, true), Value::Signed(-1)).is_ok(), false);
    }

    #[test]
    fn floats(single in any::<f32>(), double in any::<f64>()) {
        let stored = store_value(&column(ColumnType::FLOAT, 4, false), Value::Float(single)).unwrap();
        prop_assert_eq!(value::float(&stored).unwrap().to_bits(), single.to_bits());
        let stored = store_value(&column(ColumnType::DOUBLE, 8, false), Value::Double(double)).unwrap();
        prop_assert_eq!(value::double(&stored).unwrap().to_bits(), double.to_bits());
        prop_assert_eq!(store_text(&column(ColumnType::DOUBLE, 8, false), &format!("{double:e}")).unwrap(), stored);
    }

    #[test]
    fn decimals(precision in 1u8..=65, scale_seed in any::<u8>(), digits in "[0-9]{65}", negative in any::<bool>()) {
        let scale = scale_seed % (precision.min(38) + 1);
        let (whole, fraction) = digits[..usize::from(precision)].split_at(usize::from(precision - scale));
        let whole = whole.trim_start_matches('0');
        let is_zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        let sign = if negative && !is_zero { "-" } else { "" };
        let point = if scale > 0 { "." } else { "" };
        let text = format!("{sign}{}{point}{fraction}", if whole.is_empty() { "0" } else { whole });
        let column = column(ColumnType::NEWDECIMAL, u16::from(precision) << 8 | u16::from(scale), false);
        let stored = store_value(&column, Value::Decimal(&text)).unwrap();
        let decimal = Decimal::new(&stored, precision, scale).unwrap();
        prop_assert_eq!(text_of(|out| decimal.write_text(out).unwrap()), text.clone());
        let mut unscaled = Vec::new();
        decimal.write_unscaled(&mut unscaled).unwrap();
        if precision <= 38 {
            let expected: i128 = text.replace('.', "").parse().unwrap();
            let fill = if unscaled[0] & 0x80 == 0 { 0 } else { 0xff };
            let mut wide = [fill; 16];
            wide[16 - unscaled.len()..].copy_from_slice(&unscaled);
            prop_assert_eq!(i128::from_be_bytes(wide), expected);
            // No shorter two's complement says the same.
            let shortest = (1..=16).find(|bytes| expected >> (bytes * 8 - 1) == 0 || expected >> (bytes * 8 - 1) == -1);
            prop_assert_eq!(unscaled.len(), shortest.unwrap());
        }
    }

    #[test]
    fn dates_are_packed(date in dates()) {
        let column = column(ColumnType::DATE, 0, false);
        let stored = store_value(&column, Value::Date(date)).unwrap();
        prop_assert_eq!(value::date(&stored).unwrap(), date);
        prop_assert_eq!(store_text(&column, &text_of(|out| date.write_text(out))).unwrap(), stored);
        if let Some(days) = date.days_since_epoch() {
            prop_assert_eq!(Date::from_days_since_epoch(days), date);
        }
    }

    #[test]
    fn datetimes_are_packed((datetime, digits) in datetimes()) {
        let new = column(ColumnType::DATETIME2, u16::from(digits), false);
        let stored = store_value(&new, Value::DateTime(datetime)).unwrap();
        prop_assert_eq!(value::datetime2(&stored, digits).unwrap(), datetime);
        prop_assert_eq!(store_text(&new, &text_of(|out| datetime.write_text(digits, out))).unwrap(), stored);
        let whole = DateTime { microsecond: 0, ..datetime };
        let stored = store_value(&column(ColumnType::DATETIME, 0, false), Value::DateTime(whole)).unwrap();
        prop_assert_eq!(value::datetime(&stored).unwrap(), whole);
    }

    #[test]
    fn timestamps_are_packed(seconds in any::<u32>(), fraction in 0u32..1_000_000, digits in 0u8..=6) {
        let timestamp = Timestamp { seconds, microsecond: cut(fraction, digits) };
        let new = column(ColumnType::TIMESTAMP2, u16::from(digits), false);
        let stored = store_value(&new, Value::Timestamp(timestamp)).unwrap();
        prop_assert_eq!(value::timestamp2(&stored, digits).unwrap(), timestamp);
        let text = text_of(|out| timestamp.to_datetime().write_text(digits, out));
        prop_assert_eq!(store_text(&new, &text).unwrap(), stored);
        let whole = Timestamp { microsecond: 0, ..timestamp };
        let stored = store_value(&column(ColumnType::TIMESTAMP, 0, false), Value::Timestamp(whole)).unwrap();
        prop_assert_eq!(value::timestamp(&stored).unwrap(), whole);
    }

    #[test]
    fn times_are_packed(
        is_negative in any::<bool>(), hour in 0u16..=838, minute in 0u8..60, second in 0u8..60,
        fraction in 0u32..1_000_000,
        digits in 0u8..=6,
    ) {
        let microsecond = cut(fraction, digits);
        let is_zero = hour == 0 && minute == 0 && second == 0 && microsecond == 0;
        let time = Time { is_negative: is_negative && !is_zero, hour, minute, second, microsecond };
        let new = column(ColumnType::TIME2, u16::from(digits), false);
        let stored = store_value(&new, Value::Time(time)).unwrap();
        prop_assert_eq!(value::time2(&stored, digits).unwrap(), time);
        prop_assert_eq!(store_text(&new, &text_of(|out| time.write_text(digits, out))).unwrap(), stored);
        let whole = Time { microsecond: 0, is_negative: is_negative && (hour, minute, second) != (0, 0, 0), ..time };
        let stored = store_value(&column(ColumnType::TIME, 0, false), Value::Time(whole)).unwrap();
        prop_assert_eq!(value::time(&stored).unwrap(), whole);
    }

    #[test]
    fn years(year in prop_oneof![Just(0u16), 1901u16..=2155]) {
        let column = column(ColumnType::YEAR, 0, false);
        let stored = store_value(&column, Value::Year(year)).unwrap();
        prop_assert_eq!(value::year(&stored).unwrap(), year);
        prop_assert_eq!(store_text(&column, &format!("{year:04}")).unwrap(), stored);
    }

    #[test]
    fn bits_enums_and_sets(bits in 1u16..=64, value in any::<u64>(), bytes in 1u16..=8) {
        let fitting = value >> (64 - bits);
        let bit = column(ColumnType::BIT, bits, false);
        let stored = store_value(&bit, Value::Unsigned(fitting)).unwrap();
        prop_assert_eq!(value::bit(&stored).unwrap(), fitting);
        prop_assert_eq!(store(&bit, |writer| writer.text(&stored)).unwrap(), stored);
        let members = value >> (64 - 8 * bytes);
        let stored = store_value(&column(ColumnType::SET, bytes, false), Value::Unsigned(members)).unwrap();
        prop_assert_eq!(value::set_bits(&stored).unwrap(), members);
        let bytes = bytes.min(2);
        let index = value >> (64 - 8 * bytes);
        let stored = store_value(&column(ColumnType::ENUM, bytes, false), Value::Unsigned(index)).unwrap();
        prop_assert_eq!(u64::from(value::enum_index(&stored).unwrap()), index);
    }

    #[test]
    fn labels(count in 1usize..=64, chosen in any::<u64>()) {
        let labels: Vec<Vec<u8>> = (0..count).map(|index| format!("l{index}").into_bytes()).collect();
        let members = chosen >> (64 - count);
        let text = (0..count).filter(|index| members >> index & 1 == 1).map(|index| format!("l{index}"));
        let text = text.collect::<Vec<_>>().join(",");
        let set = Column { labels: labels.clone(), ..Column::new(ColumnType::SET, 8) };
        prop_assert_eq!(value::set_bits(&store_text(&set, &text).unwrap()).unwrap(), members);
        let pick = chosen as usize % count;
        let one = Column { labels, ..Column::new(ColumnType::ENUM, 1) };
        let index = value::enum_index(&store_text(&one, &format!("l{pick}")).unwrap()).unwrap();
        prop_assert_eq!(usize::from(index), pick + 1);
        prop_assert_eq!(value::enum_index(&store_text(&one, "").unwrap()).unwrap(), 0);
        prop_assert!(store_text(&one, "other").is_err());
    }

    #[test]
    fn bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300), which in 0usize..9) {
        let (kind, meta) = [
            (ColumnType::VARCHAR, 255), (ColumnType::VARCHAR, 256), (ColumnType::STRING, 1020), (ColumnType::BLOB, 1),
            (ColumnType::BLOB, 2), (ColumnType::BLOB, 3), (ColumnType::JSON_TEXT, 4), (ColumnType::GEOMETRY, 4),
            (ColumnType::VECTOR, 4),
        ][which];
        let column = column(kind, meta, false);
        let is_short = matches!(which, 0 | 3);
        match store_value(&column, Value::Bytes(&bytes)) {
            Ok(stored) => prop_assert_eq!(stored, bytes),
            Err(error) => prop_assert!(is_short && bytes.len() > 255, "{}", error),
        }
    }

    /// Rows of many columns: NULLs and values stay in their places, and updates hold two images.
    #[test]
    fn rows(cells in proptest::collection::vec(proptest::option::of(any::<u32>()), 1..40), row_count in 1usize..5) {
        let columns = vec![column(ColumnType::LONG, 0, true); cells.len()];
        let table = Arc::new(TableMap::synthesize("d", "t", columns, Vec::new()).unwrap());
        let mut images = Vec::new();
        for _ in 0..row_count * 2 {
            let mut writer = ImageWriter::begin(&table, &mut images);
            for cell in &cells {
                match cell {
                    Some(number) => writer.value(Value::Unsigned(u64::from(*number))).unwrap(),
                    None => writer.null().unwrap(),
                }
            }
            writer.finish().unwrap();
        }
        let rows = RowsEvent::from_images(RowsKind::Update, &table, &images);
        let mut scratch = RowScratch::new();
        let mut reader = rows.reader(&mut scratch);
        let mut seen = 0u32;
        while let Some(row) = reader.next_row().unwrap() {
            prop_assert_eq!(row.index, seen);
            prop_assert_eq!(row.byte_offset as usize, images.len() / row_count * seen as usize);
            seen += 1;
            for image in [row.before.unwrap(), row.after.unwrap()] {
                for (index, cell) in cells.iter().enumerate() {
                    let expected = cell.map(u32::to_le_bytes);
                    match image.column(index) {
                        Cell::Value(stored) => prop_assert_eq!(stored, expected.unwrap()),
                        Cell::Null => prop_assert!(cell.is_none()),
                        Cell::Absent => prop_assert!(false, "absent"),
                    }
                }
                prop_assert_eq!(image.column(cells.len()), Cell::Absent);
            }
        }
        prop_assert_eq!(seen as usize, row_count);
    }
}

#[test]
fn an_unfinished_row_leaves_nothing() {
    let columns = vec![column(ColumnType::LONG, 0, false), column(ColumnType::LONG, 0, false)];
    let table = TableMap::synthesize("d", "t", columns, Vec::new()).unwrap();
    let mut images = b"before".to_vec();
    let mut writer = ImageWriter::begin(&table, &mut images);
    writer.value(Value::Signed(1)).unwrap();
    assert!(writer.text(b"no number").is_err());
    assert!(writer.finish().is_err());
    assert_eq!(images, b"before");
    let mut writer = ImageWriter::begin(&table, &mut images);
    writer.null().unwrap();
    writer.null().unwrap();
    let error = writer.null().unwrap_err();
    assert!(error.to_string().contains("more values than columns"), "{error}");
}

#[test]
fn a_refused_value_is_quoted_with_its_column() {
    let error = store_text(&column(ColumnType::DATE, 0, false), "2024-13-01").unwrap_err();
    assert_eq!(
        error.to_string(),
        "column 0 cannot take the value \"2024-13-01\": it is not a date or time as the server prints one"
    );
}

#[test]
fn synthesized_tables_have_fingerprints_that_tell_them_apart() {
    let make = |kind, name: &str| {
        let column = Column { name: Some(name.to_owned()), ..Column::new(kind, 0) };
        TableMap::synthesize("d", "t", vec![column], Vec::new()).unwrap().fingerprint
    };
    assert_eq!(make(ColumnType::LONG, "a"), make(ColumnType::LONG, "a"));
    assert_ne!(make(ColumnType::LONG, "a"), make(ColumnType::LONG, "b"));
    assert_ne!(make(ColumnType::LONG, "a"), make(ColumnType::TINY, "a"));
    assert!(TableMap::synthesize("d", "t", vec![Column::new(ColumnType(99), 0)], Vec::new()).is_err());
}
