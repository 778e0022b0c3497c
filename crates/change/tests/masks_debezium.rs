//! Rules for columns beside what the real connector (3.6.1, MySQL 9.7.4) made of the same log.
//!
//! `m-masks.binlog.gz` holds the same work on a table of every kind of column for each rule: rows created, updated,
//! moved to another key and deleted. `m-masks.jsonl.gz` holds, one a line, the table changes, then key and images of
//! every event; the first event of a topic has its schemas too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use std::collections::BTreeMap;

use bitacora_binlog::RowScratch;
use bitacora_change::{
    ColumnRules, ColumnSelection, Connector, DebeziumForm, HashVersion, Mask, MessageBuffer, PatternList, Plan,
    PlanOptions, SaltedHash, ValueFormat,
};
use bitacora_testkit::recorded_log::unpacked;
use log::{Descriptions, description_at, encode_rows, keep_descriptions, rows_events};
use serde_json::Value;

fn list(text: &str) -> PatternList {
    PatternList::parse(text).unwrap()
}

/// The rules of the recording.
fn rules() -> ColumnRules {
    let hash = |version, algorithm| Mask::Hash(SaltedHash::new(version, algorithm, "CzQMA0cB5K").unwrap());
    ColumnRules {
        selection: ColumnSelection::Exclude(list("m\\.llave_fuera\\.codigo,m\\.llave\\.valor")),
        masks: vec![
            (list("m\\.stars\\..*,m\\.llave\\.codigo"), Mask::Asterisks(4)),
            (list("m\\.none\\..*"), Mask::Asterisks(0)),
            (list("m\\.v1\\..*"), hash(HashVersion::V1, "SHA-256")),
            (list("m\\.v2\\..*"), hash(HashVersion::V2, "SHA-512")),
        ],
        truncations: vec![(list("m\\.cut3\\..*"), 3), (list("m\\.cut30\\..*"), 30)],
    }
}

/// Events by topic, each as key, images and operation.
type Events = BTreeMap<String, Vec<Value>>;

struct Recording {
    descriptions: Descriptions,
    events: Events,
    /// Key and row by topic.
    schemas: BTreeMap<String, (Value, Value)>,
}

fn recording() -> Recording {
    let mut recording =
        Recording { descriptions: Descriptions::new(), events: Events::new(), schemas: BTreeMap::new() };
    let text = String::from_utf8(unpacked("crates/change/tests/golden/mysql-9.7.4/m-masks.jsonl.gz")).unwrap();
    for line in text.lines() {
        let mut event: Value = serde_json::from_str(line).unwrap();
        if keep_descriptions(&event["value"], &mut recording.descriptions) {
            continue;
        }
        let topic = event["topic"].as_str().unwrap().to_owned();
        if !event["row_schema"].is_null() {
            let schemas = (event["key_schema"].take(), event["row_schema"].take());
            recording.schemas.insert(topic.clone(), schemas);
        }
        let event = serde_json::json!({"key": event["key"], "value": event["value"]});
        recording.events.entry(topic).or_default().push(event);
    }
    recording
}

fn options(value_format: ValueFormat) -> PlanOptions {
    PlanOptions { columns: rules(), ..log::options(Connector::Mysql, DebeziumForm::V3_6, value_format) }
}

/// Replays the log; gives the topic and the buffer of every row to `take`.
fn replay(options: &PlanOptions, descriptions: &Descriptions, mut take: impl FnMut(&Plan, &MessageBuffer)) {
    let log = unpacked("crates/change/tests/golden/mysql-9.7.4/m-masks.binlog.gz");
    let (mut scratch, mut buffer) = (RowScratch::new(), MessageBuffer::default());
    rows_events(&log, |position, rows| {
        let plan = Plan::compile(rows.table, description_at(descriptions, rows, position), options).unwrap();
        encode_rows(&plan, rows, &mut scratch, &mut buffer, |buffer| take(&plan, buffer));
    });
}

#[test]
fn events_are_debeziums() {
    let recording = recording();
    let parsed = |bytes: Option<&[u8]>| bytes.map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap());
    let mut found = Events::new();
    replay(&options(ValueFormat::Json), &recording.descriptions, |plan, buffer| {
        for message in buffer.messages() {
            let mut value: Value = parsed(buffer.value(message));
            if let Some(members) = value.as_object_mut() {
                members.retain(|name, _| matches!(name.as_str(), "before" | "after" | "op"));
            }
            let event = serde_json::json!({"key": parsed(buffer.key(message)), "value": value});
            found.entry(plan.topic().to_owned()).or_default().push(event);
        }
    });
    assert_eq!(found.keys().collect::<Vec<_>>(), recording.events.keys().collect::<Vec<_>>());
    for (topic, expected) in &recording.events {
        assert_eq!(found[topic].len(), expected.len(), "{topic}");
        for (index, (found, expected)) in found[topic].iter().zip(expected).enumerate() {
            assert_eq!(found, expected, "{topic} {index}");
        }
    }
}

#[test]
fn schemas_are_debeziums() {
    let recording = recording();
    let half = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["schema"].take();
    let mut found = BTreeMap::new();
    replay(&options(ValueFormat::JsonWithEnvelope), &recording.descriptions, |plan, buffer| {
        let message = buffer.value(&buffer.messages()[0]).unwrap();
        let (length, rest) = message.split_first_chunk::<4>().unwrap();
        let (key, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let row = half(&rest[4..])["fields"][1].take();
        found.entry(plan.topic().to_owned()).or_insert_with(|| (half(key), row));
    });
    for (topic, (key, row)) in &recording.schemas {
        let (found_key, found_row) = &found[topic];
        assert_eq!(found_key, key, "{topic}");
        let (found_fields, fields) = (found_row["fields"].as_array().unwrap(), row["fields"].as_array().unwrap());
        assert_eq!(found_fields.len(), fields.len(), "{topic}");
        for (found, field) in found_fields.iter().zip(fields) {
            assert_eq!(found, field, "{topic}");
        }
    }
}

/// No published byte of a table shows a masked value, except where the plan's notes say so.
#[test]
fn plain_text_of_masked_columns_is_nowhere() {
    let recording = recording();
    let mut notes = BTreeMap::new();
    let mut rows = 0;
    for format in [ValueFormat::Json, ValueFormat::JsonWithEnvelope] {
        replay(&options(format), &recording.descriptions, |plan, buffer| {
            notes.insert(plan.topic().to_owned(), plan.notes().to_vec());
            let masked = ["stars", "none", "v1", "v2"].iter().any(|table| plan.topic() == format!("srv.m.{table}"));
            let published = buffer.messages().iter().flat_map(|message| [buffer.key(message), buffer.value(message)]);
            for bytes in published.flatten() {
                let text = String::from_utf8_lossy(bytes);
                for plain in ["Año", "ñandú", "Esta es", "corto", "eñe\"", "otro"] {
                    // The labels of an ENUM stand in its schema.
                    let is_label = plain == "eñe\"" && format == ValueFormat::JsonWithEnvelope;
                    assert!(!masked || is_label || !text.contains(plain), "{plain} in {text}");
                }
            }
            rows += usize::from(masked);
        });
    }
    assert!(rows > 40, "{rows}");
    let column = |name: &str| format!("column m.stars.{name} is published unmasked, because masks change text only");
    let stars = &notes["srv.m.stars"];
    for name in ["j", "vb", "b", "bl", "i", "u", "d", "f", "bi", "y", "da", "ti", "dt", "ts", "ts6", "g", "id"] {
        assert!(stars.iter().any(|note| note.starts_with(&column(name))), "{name}: {stars:?}");
    }
    assert_eq!(
        notes["srv.m.llave"],
        ["column m.llave.codigo is masked or truncated in the events, but it is part of the key, where it stands \
            as it is stored"]
    );
    assert_eq!(
        notes["srv.m.llave_fuera"],
        ["column m.llave_fuera.codigo is left out of the events, but it is part of the key and stays there"]
    );
    assert_eq!(notes["srv.m.plain"], Vec::<String>::new());
}
