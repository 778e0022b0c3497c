//! No allocation for a row: a counting allocator watches the decoding and reading of every rows event of the golden
//! logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::{Body, Decoder, Event, RowScratch};
use bitacora_testkit::allocations::{CountingAllocator, allocations};
use log::{events, golden, walk_rows};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Reads all rows events of a log and returns the allocations on the way, and the rows events.
fn pass(file: &[u8], decoder: &mut Decoder, scratch: &mut RowScratch, out: &mut Vec<u8>) -> (u64, u64) {
    let (mut during_rows, mut rows_events) = (0, 0);
    for (_, event) in events(file) {
        let before = allocations();
        match decoder.decode(event).unwrap() {
            Event { body: Body::Rows(rows), .. } => {
                walk_rows(&rows, scratch, out).unwrap();
                during_rows += allocations() - before;
                rows_events += 1;
            }
            Event { body: Body::TransactionPayload(mut payload), .. } => {
                while let Some(event) = payload.next_event().unwrap() {
                    if let Body::Rows(rows) = event.body {
                        let before = allocations();
                        walk_rows(&rows, scratch, out).unwrap();
                        during_rows += allocations() - before;
                        rows_events += 1;
                    }
                }
            }
            _ => {}
        }
    }
    (during_rows, rows_events)
}

fn check(name: &str, rows_events_expected: u64) {
    let file = golden(name);
    let (mut decoder, mut scratch, mut out) = (Decoder::new(), RowScratch::new(), Vec::new());
    // The first pass grows the buffers to the widest table and the longest value.
    pass(&file, &mut decoder, &mut scratch, &mut out);
    let (during_rows, rows_events) = pass(&file, &mut decoder, &mut scratch, &mut out);
    assert_eq!(rows_events, rows_events_expected, "{name}");
    assert_eq!(during_rows, 0, "{name}");
}

#[test]
fn reading_rows_allocates_nothing() {
    check("mysql-9.7.4/binlog.000001", 379);
    check("mariadb-10.11.18/binlog.000001", 338);
    check("events/mariadb-10.11.18", 18);
    let before = allocations();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert!(allocations() > before, "the counter counts");
}
