//! No allocation for a row: a counting allocator watches the encoding of every row of the golden logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::RowScratch;
use bitacora_change::{
    ColumnRules, ColumnSelection, Connector, DebeziumForm, HashVersion, Mask, MessageBuffer, PatternList, PlanOptions,
    SaltedHash, ValueFormat,
};
use bitacora_testkit::allocations::{CountingAllocator, allocations};
use bitacora_testkit::recorded_log::unpacked;
use log::{Plans, encode_rows, plan, rows_events};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

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
    check_with(log, &log::options(connector, form, value_format), messages_expected);
}

fn check_with(log: &str, options: &PlanOptions, messages_expected: usize) {
    let file = unpacked(log);
    let (form, value_format) = (options.form, options.value_format);
    let (mut plans, mut buffer) = (Plans::new(), MessageBuffer::default());
    // The first pass grows the buffers to the longest message.
    pass(&file, options, &mut plans, &mut buffer);
    let (messages, found) = pass(&file, options, &mut plans, &mut buffer);
    assert_eq!(found, Vec::<String>::new(), "{log} {form:?} {value_format:?}");
    assert_eq!(messages, messages_expected, "{log} {form:?} {value_format:?}");
}

#[test]
fn encoding_rows_allocates_nothing() {
    for form in [DebeziumForm::V1_9, DebeziumForm::V3_6] {
        for format in [ValueFormat::Json, ValueFormat::JsonWithEnvelope] {
            check("crates/binlog/tests/golden/mysql-9.7.4/binlog.000001.gz", Connector::Mysql, form, format, 6_269);
            check(
                "crates/binlog/tests/golden/mariadb-10.11.18/binlog.000001.gz",
                Connector::Mariadb,
                form,
                format,
                6206,
            );
        }
    }
    let list = |text: &str| PatternList::parse(text).unwrap();
    let hash = |version| Mask::Hash(SaltedHash::new(version, "SHA-256", "salt").unwrap());
    for version in [HashVersion::V1, HashVersion::V2] {
        let columns = ColumnRules {
            selection: ColumnSelection::Exclude(list(".*\\.[a-c][^.]*")),
            masks: vec![(list(".*\\.[d-h][^.]*"), Mask::Asterisks(9)), (list(".*\\.[i-s][^.]*"), hash(version))],
            truncations: vec![(list(".*"), 2)],
        };
        for format in [ValueFormat::Json, ValueFormat::JsonWithEnvelope] {
            let options =
                PlanOptions { columns: columns.clone(), ..log::options(Connector::Mysql, DebeziumForm::V3_6, format) };
            check_with("crates/binlog/tests/golden/mysql-9.7.4/binlog.000001.gz", &options, 6_269);
        }
    }
    let before = allocations();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert!(allocations() > before, "the counter counts");
}
