//! Golden log files: reading, splitting into events, and walking everything that an event holds.
#![allow(dead_code, reason = "each test file uses its part")]

use bitacora_binlog::{
    Body, Cell, Column, ColumnType, Decoder, Error, Event, EventType, RowScratch, RowsEvent, json, value,
};
use bitacora_testkit::recorded_log;
use std::{collections::BTreeMap, hint::black_box};

/// The golden logs: the fixture of all types, single events of every kind, values beside their text, and
/// table maps.
pub(crate) const LOGS: [&str; 8] = [
    "mysql-9.7.4/binlog.000001",
    "mariadb-10.11.18/binlog.000001",
    "events/mysql-9.7.4",
    "events/mariadb-10.11.18",
    "spelling/mysql-9.7.4",
    "spelling/mariadb-10.11.18",
    "metadata/mysql-9.7.4",
    "metadata/mariadb-10.11.18",
];

/// Reads `tests/golden/<name>.gz`.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    recorded_log::unpacked(&format!("crates/binlog/tests/golden/{name}.gz"))
}

/// Splits a file into its events and their positions.
pub(crate) fn events(file: &[u8]) -> Vec<(usize, &[u8])> {
    recorded_log::events(file).collect()
}

/// Events that stand for all of a log: a few small ones of each type and table, each with the events that must come
/// before it.
pub(crate) struct Sample {
    /// The format description and, for rows, the table map.
    pub before: Vec<Vec<u8>>,
    /// The event itself.
    pub event: Vec<u8>,
    /// Its type.
    pub kind: EventType,
}

/// Takes samples of at most `bytes` bytes from all golden logs.
pub(crate) fn samples(bytes: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    for name in LOGS {
        let file = golden(name);
        let mut taken: BTreeMap<(u8, usize), u32> = BTreeMap::new();
        let (mut format, mut map) = (Vec::new(), Vec::new());
        for (_, event) in events(&file) {
            let kind = EventType(event[4]);
            match kind {
                EventType::FORMAT_DESCRIPTION => format = event.to_vec(),
                EventType::TABLE_MAP => map = event.to_vec(),
                _ => {}
            }
            let is_of_table = matches!(kind, EventType::TABLE_MAP) || is_rows(kind);
            let table = if is_of_table { map.len() } else { 0 };
            let count = taken.entry((kind.0, table)).or_default();
            if event.len() > bytes || *count > 0 {
                continue;
            }
            *count += 1;
            let mut before = Vec::new();
            if kind != EventType::FORMAT_DESCRIPTION {
                before.push(format.clone());
            }
            if is_rows(kind) {
                before.push(map.clone());
            }
            samples.push(Sample { before, event: event.to_vec(), kind });
        }
    }
    samples
}

/// Whether the event needs a table map.
pub(crate) fn is_rows(kind: EventType) -> bool {
    matches!(kind.0, 20..=25 | 30..=32 | 39 | 166..=171)
}

/// Decodes `event` and reads everything in it, down to each value.
pub(crate) fn walk(
    decoder: &mut Decoder,
    event: &[u8],
    scratch: &mut RowScratch,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    walk_event(decoder.decode(event)?, scratch, out)
}

fn walk_event(event: Event<'_>, scratch: &mut RowScratch, out: &mut Vec<u8>) -> Result<(), Error> {
    match event.body {
        Body::Rows(rows) => walk_rows(&rows, scratch, out)?,
        Body::TransactionPayload(mut payload) => {
            while let Some(event) = payload.next_event()? {
                walk_event(event, scratch, out)?;
            }
        }
        Body::PreviousGtids(gtids) => keep(gtids.set()?),
        Body::GtidList(list) => keep(list.set()),
        Body::Query(query) | Body::ExecuteLoadQuery(query) => keep(query.status.iter().count()),
        _ => {}
    }
    Ok(())
}

/// Reads every value of every row; a value that does not decode is an error like any other.
pub(crate) fn walk_rows(rows: &RowsEvent<'_>, scratch: &mut RowScratch, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut reader = rows.reader(scratch);
    while let Some(row) = reader.next_row()? {
        for image in row.before.iter().chain(&row.after) {
            for (index, column) in rows.table.columns.iter().enumerate() {
                if let Cell::Value(stored) = image.column(index) {
                    read(column, stored, out)?;
                }
            }
        }
    }
    Ok(())
}

fn read(column: &Column, stored: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    out.clear();
    let digits = column.fractional_digits();
    match column.kind {
        ColumnType::TINY | ColumnType::SHORT | ColumnType::INT24 | ColumnType::LONG | ColumnType::LONGLONG => {
            value::signed(stored)?;
            value::unsigned(stored)?;
        }
        ColumnType::FLOAT => keep(value::float(stored)?),
        ColumnType::DOUBLE => keep(value::double(stored)?),
        ColumnType::NEWDECIMAL => {
            let decimal = value::Decimal::new(stored, column.precision(), column.scale())?;
            decimal.write_text(out)?;
            decimal.write_unscaled(out)?;
        }
        ColumnType::DATE | ColumnType::NEWDATE => value::date(stored)?.write_text(out),
        ColumnType::TIME => value::time(stored)?.write_text(0, out),
        ColumnType::TIME2 => value::time2(stored, digits)?.write_text(digits, out),
        ColumnType::DATETIME => {
            keep(value::datetime(stored)?.microseconds_since_epoch());
        }
        ColumnType::DATETIME2 => {
            let datetime = value::datetime2(stored, digits)?;
            keep(datetime.microseconds_since_epoch());
            datetime.write_text(digits, out);
        }
        ColumnType::TIMESTAMP => keep(value::timestamp(stored)?.to_datetime()),
        ColumnType::TIMESTAMP2 => value::timestamp2(stored, digits)?.to_datetime().write_text(digits, out),
        ColumnType::YEAR => keep(value::year(stored)?),
        ColumnType::BIT => keep(value::bit(stored)?),
        ColumnType::ENUM => keep(value::enum_index(stored)?),
        ColumnType::SET => keep(value::set_bits(stored)?),
        ColumnType::JSON => json::write_text(stored, json::JsonStyle::Compact, out)?,
        _ => {}
    }
    Ok(())
}

/// Uses a value so that reading it is not optimised away.
fn keep<T>(value: T) {
    black_box(value);
}
