//! Landmarks of whole logs: in order, inside the value, and the same text at the same name in every message of a table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use std::collections::HashMap;

use bitacora_binlog::RowScratch;
use bitacora_change::{Connector, DebeziumForm, MessageBuffer, ValueFormat};
use bitacora_testkit::recorded_log::unpacked;
use log::{Plans, encode_rows, plan, rows_events};

/// What is compared at a landmark; no constant part is shorter.
const TEXT: usize = 4;

fn check(form: DebeziumForm, value_format: ValueFormat) {
    let options = log::options(Connector::Mysql, form, value_format);
    let file = unpacked("crates/binlog/tests/golden/mysql-9.7.4/binlog.000001.gz");
    let (mut plans, mut scratch, mut buffer) = (Plans::new(), RowScratch::new(), MessageBuffer::default());
    let mut texts: HashMap<(u64, u16), Vec<u8>> = HashMap::new();
    let mut count = 0;
    rows_events(&file, |_, rows| {
        let plan = plan(&mut plans, rows, &options);
        encode_rows(plan, rows, &mut scratch, &mut buffer, |buffer| {
            for message in buffer.messages() {
                let landmarks = buffer.landmarks(message);
                let Some(value) = buffer.value(message) else {
                    assert!(landmarks.is_empty(), "a tombstone has no value");
                    continue;
                };
                assert!(landmarks.is_sorted_by_key(|(_, at)| *at), "{landmarks:?}");
                assert!(landmarks.len() > rows.table.columns.len(), "{landmarks:?}");
                for (name, at) in landmarks {
                    let text = &value[*at as usize..][..TEXT.min(value.len() - *at as usize)];
                    let known = texts.entry((rows.table.fingerprint, *name)).or_insert_with(|| text.to_vec());
                    // The first column of an image stands behind a brace, in every message.
                    assert_eq!(known, text, "landmark {name} at {at} of {}", String::from_utf8_lossy(value));
                    count += 1;
                }
            }
        });
    });
    assert!(count > 1_000, "{count}");
}

#[test]
fn the_same_name_stands_at_the_same_text() {
    check(DebeziumForm::V3_6, ValueFormat::Json);
    check(DebeziumForm::V1_9, ValueFormat::Json);
}

#[test]
fn messages_with_schemas_have_them_too() {
    check(DebeziumForm::V3_6, ValueFormat::JsonWithEnvelope);
}
