//! Values against the server's own spelling.
//!
//! Each table of these logs has a column `v` of some type and a text column `t`, which the server itself has filled
//! with `UPDATE … SET t = CAST(v AS CHAR)` (or HEX, or `v + 0`, as the check says). So each update row holds a value
//! and what the server prints for it. The table's name says which check applies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::{Body, Cell, Column, ColumnType, Decoder, RowScratch, encode, json, value};
use log::{events, golden};
use std::collections::BTreeMap;

/// Prints a stored value as the server does.
fn print(check: &str, column: &Column, stored: &[u8]) -> String {
    let mut out = Vec::new();
    let digits = column.fractional_digits();
    match check {
        "int" if column.unsigned => out = value::unsigned(stored).unwrap().to_string().into_bytes(),
        "int" => out = value::signed(stored).unwrap().to_string().into_bytes(),
        "year" => out = format!("{:04}", value::year(stored).unwrap()).into_bytes(),
        "float" => out = f64::from(value::float(stored).unwrap()).to_bits().to_string().into_bytes(),
        "double" => out = value::double(stored).unwrap().to_bits().to_string().into_bytes(),
        "decimal" => {
            value::Decimal::new(stored, column.precision(), column.scale()).unwrap().write_text(&mut out).unwrap();
        }
        "date" => value::date(stored).unwrap().write_text(&mut out),
        "time" if column.kind == ColumnType::TIME => value::time(stored).unwrap().write_text(0, &mut out),
        "time" => value::time2(stored, digits).unwrap().write_text(digits, &mut out),
        "datetime" if column.kind == ColumnType::DATETIME => value::datetime(stored).unwrap().write_text(0, &mut out),
        "datetime" => value::datetime2(stored, digits).unwrap().write_text(digits, &mut out),
        "timestamp" if column.kind == ColumnType::TIMESTAMP => {
            value::timestamp(stored).unwrap().to_datetime().write_text(0, &mut out);
        }
        "timestamp" => value::timestamp2(stored, digits).unwrap().to_datetime().write_text(digits, &mut out),
        "bit" => out = value::bit(stored).unwrap().to_string().into_bytes(),
        "enum" => out = value::enum_index(stored).unwrap().to_string().into_bytes(),
        "set" => out = value::set_bits(stored).unwrap().to_string().into_bytes(),
        "json" => json::write_text(stored, json::JsonStyle::Spaced, &mut out).unwrap(),
        "bytes" => out = hex(stored),
        "binary" | "inet6" | "inet4" => {
            let mut padded = stored.to_vec();
            padded.resize(usize::from(column.max_bytes()), 0);
            out = hex(&padded);
        }
        "uuid" => {
            let mut padded = stored.to_vec();
            padded.resize(16, 0);
            out = bitacora_binlog::gtid::Uuid(padded.try_into().unwrap()).to_string().into_bytes();
        }
        "compressed" => out = hex(value::ColumnInflater::new(1 << 20).inflate(stored).unwrap()),
        other => panic!("no check named {other}"),
    }
    String::from_utf8(out).unwrap()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect()
}

/// Whether the server's text says the same. Its numbers may be spelled as doubles (`v + 0` of a SET is one in MySQL) or
/// signed.
fn agree(check: &str, printed: &str, text: &str) -> bool {
    match check {
        "float" | "double" => f64::from_bits(printed.parse().unwrap()) == text.parse::<f64>().unwrap(),
        "set" | "bit" if text.contains('e') => {
            let (ours, server) = (printed.parse::<f64>().unwrap(), text.parse::<f64>().unwrap());
            ours == server || ours == server + 2f64.powi(64)
        }
        "set" | "bit" => printed.parse::<i128>().unwrap() == text.parse::<i128>().unwrap().rem_euclid(1 << 64),
        _ => printed == text,
    }
}

/// Runs all checks over a log and returns how many values each check saw.
fn check(name: &str) -> BTreeMap<String, u32> {
    let file = golden(name);
    let mut decoder = Decoder::new();
    let mut scratch = RowScratch::new();
    let mut counts = BTreeMap::new();
    for (at, event) in events(&file) {
        let event = decoder.decode(event).unwrap_or_else(|error| panic!("{at}: {error}"));
        let Body::Rows(rows) = event.body else { continue };
        let Some((_, check)) = rows.table.table.strip_prefix('o').and_then(|rest| rest.split_once('_')) else {
            continue;
        };
        let (column, text_column) = (rows.table.column_index("v").unwrap(), rows.table.column_index("t").unwrap());
        let mut reader = rows.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            let image = row.after.unwrap();
            let Cell::Value(text) = image.column(text_column) else { continue };
            let text = std::str::from_utf8(text).unwrap();
            let Cell::Value(stored) = image.column(column) else { panic!("a text without value") };
            let column = &rows.table.columns[column];
            let printed = print(check, column, stored);
            assert!(agree(check, &printed, text), "{} {column:?}:\n{printed}\n{text}", rows.table.table);
            *counts.entry(check.to_owned()).or_default() += 1;
            encode_again(column, check, text, stored);
        }
    }
    counts
}

/// The snapshot's way: the server's text must give the very bytes that the log has.
fn encode_again(column: &Column, check: &str, text: &str, stored: &[u8]) {
    if !matches!(check, "int" | "year" | "double" | "decimal" | "date" | "time" | "datetime" | "timestamp") {
        return;
    }
    let table = bitacora_binlog::TableMap::synthesize("d", "t", vec![column.clone()], Vec::new()).unwrap();
    let mut images = Vec::new();
    let mut writer = encode::ImageWriter::begin(&table, &mut images);
    writer.text(text.as_bytes()).unwrap();
    writer.finish().unwrap();
    assert_eq!(&images[1..], stored, "{text} {column:?}");
}

fn check_counts(name: &str, expected: &[(&str, u32)]) {
    let counts = check(name);
    let counts: Vec<(&str, u32)> = counts.iter().map(|(check, count)| (check.as_str(), *count)).collect();
    assert_eq!(counts, expected);
}

#[test]
fn mysql_spells_every_value_the_same() {
    check_counts(
        "spelling/mysql-9.7.4",
        &[
            ("binary", 5),
            ("bit", 56),
            ("bytes", 59),
            ("date", 10),
            ("datetime", 56),
            ("decimal", 180),
            ("double", 49),
            ("enum", 7),
            ("float", 10),
            ("int", 60),
            ("json", 261),
            ("set", 20),
            ("time", 77),
            ("timestamp", 35),
            ("year", 5),
        ],
    );
}

#[test]
fn mariadb_spells_every_value_the_same() {
    check_counts(
        "spelling/mariadb-10.11.18",
        &[
            ("binary", 5),
            ("bit", 56),
            ("bytes", 60),
            ("compressed", 9),
            ("date", 10),
            ("datetime", 61),
            ("decimal", 180),
            ("double", 49),
            ("enum", 7),
            ("float", 10),
            ("inet4", 3),
            ("inet6", 3),
            ("int", 60),
            ("set", 20),
            ("time", 81),
            ("timestamp", 38),
            ("uuid", 3),
            ("year", 5),
        ],
    );
}
