//! The schemas of every recorded table: in messages that carry them, as Debezium 3.6.1 wrote them for the same log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::RowScratch;
use bitacora_change::{Connector, DebeziumForm, MessageBuffer, Plan, ValueFormat};
use log::{Descriptions, description_at, encode_rows, gunzip, keep_descriptions, rows_events};
use serde_json::Value;

/// Where ours is meant to differ: topic, column, and why.
const WANTED: &[(&str, &str, &str)] = &[
    ("srv.golden.t_enum", "eq", "the labels as they are; Debezium leaves escapes in them"),
    ("srv.golden.t_enum", "eu", "the labels as they are; Debezium prints ? beyond the BMP"),
    (
        "srv.golden.created_later",
        "b",
        "a number, as TINYINT(1) everywhere; Debezium remembers the word BOOLEAN of the DDL",
    ),
    (
        "srv.golden.created_later",
        "j",
        "text, as MariaDB's JSON everywhere; Debezium remembers the word JSON of the DDL",
    ),
    ("srv.golden.created_later", "r", "a double, as stored; Debezium takes the word REAL of the DDL for a float"),
];

#[derive(serde::Deserialize)]
struct Recorded {
    topic: String,
    position: u64,
    key: Value,
    value: Value,
}

#[test]
fn mysql_schemas_are_debeziums() {
    check("mysql-9.7.4", "a-default.jsonl.gz", "b-schemas.jsonl.gz", Connector::Mysql);
}

#[test]
fn mariadb_schemas_are_debeziums() {
    check("mariadb-10.11.18", "h-default.jsonl.gz", "h-schemas.jsonl.gz", Connector::Mariadb);
}

fn lines(path: &str) -> Vec<String> {
    String::from_utf8(gunzip(path)).unwrap().lines().map(str::to_owned).collect()
}

fn check(server: &str, events: &str, schemas: &str, connector: Connector) {
    let log = gunzip(&format!("../binlog/tests/golden/{server}/binlog.000001.gz"));
    let mut descriptions = Descriptions::new();
    for line in lines(&format!("tests/golden/{server}/{events}")) {
        keep_descriptions(&serde_json::from_str::<Value>(&line).unwrap()["value"], &mut descriptions);
    }
    let mut recorded: Vec<Recorded> = lines(&format!("tests/golden/{server}/{schemas}"))
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let options = log::options(connector, DebeziumForm::V3_6, ValueFormat::JsonWithEnvelope);
    let (mut scratch, mut buffer, mut differences) = (RowScratch::new(), MessageBuffer::default(), Vec::new());
    rows_events(&log, |position, rows| {
        if !recorded.iter().any(|schema| schema.position == position) {
            return;
        }
        let plan = Plan::compile(rows.table, description_at(&descriptions, rows, position), &options).unwrap();
        let Some(at) = recorded.iter().position(|one| one.position == position && one.topic == plan.topic()) else {
            return;
        };
        let recorded = recorded.swap_remove(at);
        let mut written = None;
        encode_rows(&plan, rows, &mut scratch, &mut buffer, |buffer| {
            let value = buffer.messages().first().and_then(|message| buffer.value(message)).unwrap();
            written.get_or_insert_with(|| schemas_of(value));
        });
        let (key, value) = written.unwrap();
        compare(plan.topic(), "key", &key, &recorded.key, &mut differences);
        compare(plan.topic(), "value", &value, &recorded.value, &mut differences);
    });
    let missing: Vec<_> = recorded.iter().map(|one| (&one.topic, one.position)).collect();
    assert!(missing.is_empty(), "no rows for {missing:?}");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Splits an INLINE message and takes the schema out of both halves.
fn schemas_of(message: &[u8]) -> (Value, Value) {
    let half = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["schema"].clone();
    let (length, rest) = message.split_first_chunk::<4>().unwrap();
    let (key, rest) = match i32::from_be_bytes(*length) {
        -1 => (Value::Null, rest),
        length => {
            let (key, rest) = rest.split_at(length as usize);
            (half(key), rest)
        }
    };
    let (length, value) = rest.split_first_chunk::<4>().unwrap();
    assert_eq!(value.len(), u32::from_be_bytes(*length) as usize);
    (key, half(value))
}

/// Compares the texts, in which the order of the facts counts, field by field for a shorter report.
fn compare(topic: &str, place: &str, ours: &Value, recorded: &Value, differences: &mut Vec<String>) {
    let texts = [ours.to_string(), recorded.to_string()];
    if texts[0] == texts[1] {
        return;
    }
    let name = ours["field"].as_str().unwrap_or("");
    if WANTED.iter().any(|(wanted_topic, column, _)| *wanted_topic == topic && *column == name) {
        return;
    }
    match (ours["fields"].as_array(), recorded["fields"].as_array()) {
        (Some(our_fields), Some(fields)) if our_fields.len() == fields.len() => {
            let before = differences.len();
            for (ours, recorded) in our_fields.iter().zip(fields) {
                compare(topic, &format!("{place}.{name}"), ours, recorded, differences);
            }
            let without_fields = |schema: &Value| {
                let mut schema = schema.clone();
                schema["fields"] = Value::Null;
                schema.to_string()
            };
            if before == differences.len() && without_fields(ours) != without_fields(recorded) {
                differences.push(format!(
                    "{topic} {place}: {} recorded {}",
                    without_fields(ours),
                    without_fields(recorded)
                ));
            }
        }
        _ => differences.push(format!("{topic} {place}: {ours}\n    recorded {recorded}")),
    }
}
