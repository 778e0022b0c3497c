//! The golden logs of the binlog crate, replayed through plans: one per version of a table.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use bitacora_binlog::{Body, Decoder, Event, RowScratch, RowsEvent, RowsKind};
use bitacora_change::{EventContext, MessageBuffer, Operation, Plan, PlanOptions, SnapshotMark};

/// Reads a gzip file below the crate's folder.
pub fn gunzip(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

/// Plans by the version of their table.
pub type Plans = HashMap<u64, Plan>;

/// Gives every rows event of a log, those of compressed transactions too, to `take`.
pub fn rows_events(file: &[u8], mut take: impl FnMut(&Event<'_>, &RowsEvent<'_>)) {
    assert_eq!(&file[..4], b"\xfebin");
    let mut decoder = Decoder::new();
    let mut at = 4;
    while at < file.len() {
        let length = u32::from_le_bytes(file[at + 9..at + 13].try_into().unwrap()) as usize;
        let mut event = decoder.decode(&file[at..at + length]).unwrap();
        if let Body::TransactionPayload(payload) = &mut event.body {
            while let Some(inner) = payload.next_event().unwrap() {
                if let Body::Rows(rows) = &inner.body {
                    take(&inner, rows);
                }
            }
        } else if let Body::Rows(rows) = &event.body {
            take(&event, rows);
        }
        at += length;
    }
}

/// Encodes every row of a rows event into a cleared buffer and hands the buffer to `take`.
pub fn encode_rows(
    plan: &Plan,
    rows: &RowsEvent<'_>,
    scratch: &mut RowScratch,
    buffer: &mut MessageBuffer,
    mut take: impl FnMut(&MessageBuffer),
) {
    let operation = match rows.kind {
        RowsKind::Insert => Operation::Create,
        RowsKind::Update => Operation::Update,
        RowsKind::Delete => Operation::Delete,
    };
    let mut reader = rows.reader(scratch);
    while let Some(row) = reader.next_row().unwrap() {
        let context = EventContext { row: row.index, ..context() };
        buffer.clear();
        plan.encode(&row, operation, &context, buffer).unwrap();
        take(buffer);
    }
}

/// A place in the log that fills every field.
pub fn context() -> EventContext<'static> {
    EventContext {
        file: "binlog.000001",
        position: 4_711,
        row: 0,
        server_id: 1,
        gtid: Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:23"),
        thread: Some(7),
        query: Some("INSERT INTO t VALUES ('\"é😀')"),
        source_timestamp_us: 1_700_000_000_123_456,
        now_us: 1_700_000_000_234_567,
        snapshot: SnapshotMark::False,
    }
}

/// Compiles a plan without a description, once for each version of a table.
pub fn plan<'p>(plans: &'p mut Plans, rows: &RowsEvent<'_>, options: &PlanOptions) -> &'p Plan {
    plans.entry(rows.table.fingerprint).or_insert_with(|| Plan::compile(rows.table, None, options).unwrap())
}
