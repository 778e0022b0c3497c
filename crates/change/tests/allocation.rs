//! No allocation for a row: a counting allocator watches the encoding of every row of the golden logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bitacora_binlog::RowScratch;
use bitacora_change::{Connector, DebeziumForm, MessageBuffer, NullWithDefault, PlanOptions, Tombstones, ValueFormat};
use log::{Plans, encode_rows, gunzip, plan, rows_events};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // The counter may be gone while the thread ends; what is allocated then is of no interest.
    ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1)).ok();
}

// SAFETY: every call goes on to the system's allocator with the same arguments; counting touches only a thread-local integer.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`, which is the same one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the pointer came from `System` with this layout, and the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// Encodes all rows of a log; gives the messages and, by topic, the allocations.
fn pass(file: &[u8], options: &PlanOptions, plans: &mut Plans, buffer: &mut MessageBuffer) -> (usize, Vec<String>) {
    let (mut scratch, mut messages, mut found) = (RowScratch::new(), 0, Vec::new());
    // The scratch of the reader grows with the widest table; that is the reader's own test.
    rows_events(file, |_, rows| {
        let mut reader = rows.reader(&mut scratch);
        while reader.next_row().unwrap().is_some() {}
    });
    rows_events(file, |_, rows| {
        let plan = plan(plans, rows, options);
        let before = allocations();
        encode_rows(plan, rows, &mut scratch, buffer, |buffer| messages += buffer.messages().len());
        let during = allocations() - before;
        if during > 0 {
            found.push(format!("{}: {during}", plan.topic()));
        }
    });
    (messages, found)
}

fn check(log: &str, connector: Connector, form: DebeziumForm, value_format: ValueFormat, messages_expected: usize) {
    let file = gunzip(log);
    let options = PlanOptions {
        connector,
        form,
        topic_prefix: "srv".into(),
        value_format,
        tombstones: Tombstones::Emit,
        null_with_default: NullWithDefault::Replace,
    };
    let (mut plans, mut buffer) = (Plans::new(), MessageBuffer::default());
    // The first pass grows the buffers to the longest message.
    pass(&file, &options, &mut plans, &mut buffer);
    let (messages, found) = pass(&file, &options, &mut plans, &mut buffer);
    assert_eq!(found, Vec::<String>::new(), "{log} {form:?} {value_format:?}");
    assert_eq!(messages, messages_expected, "{log} {form:?} {value_format:?}");
}

#[test]
fn encoding_rows_allocates_nothing() {
    for form in [DebeziumForm::V1_9, DebeziumForm::V3_6] {
        for format in [ValueFormat::Json, ValueFormat::JsonWithEnvelope] {
            check("../binlog/tests/golden/mysql-9.7.4/binlog.000001.gz", Connector::Mysql, form, format, 6_269);
            check("../binlog/tests/golden/mariadb-10.11.18/binlog.000001.gz", Connector::Mariadb, form, format, 6206);
        }
    }
    let before = allocations();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert!(allocations() > before, "the counter counts");
}
