//! The outbox tables of the recorded log beside what the real event router (3.6.1) made of them.
//!
//! `e-outbox.jsonl` holds the routed records of its runs that came from the stream, one a line, without schemas: topic,
//! key, value, the router's own headers and, where a column gives it, the time. The run with an expanded payload of
//! `outbox` is one record long, because the real connector ended at the second.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use std::path::Path;

use bitacora_binlog::{RowScratch, RowsKind};
use bitacora_change::outbox::{
    Expansion, OutboxOptions, OutboxPlan, Payload, Place, Placement, Route, TopicPattern, TopicRule,
};
use bitacora_change::{Connector, DebeziumForm, MessageBuffer, Operation, ValueFormat};
use bitacora_testkit::recorded_log::unpacked;
use serde_json::{Map, Value, json};

/// The id of the row that the recording had from its snapshot.
const OF_SNAPSHOT: &str = "00000000-0000-0000-0000-000000000001";

fn topic(replacement: &str) -> TopicRule {
    let pattern = TopicPattern::new("(?<routedByValue>.*)", replacement).unwrap();
    TopicRule::Field { column: "aggregatetype".into(), pattern }
}

fn expanding(placements: &[(&str, Place, &str)]) -> OutboxOptions {
    let placement =
        |&(column, place, alias): &(&str, Place, &str)| Placement { column: column.into(), place, alias: alias.into() };
    OutboxOptions {
        placements: placements.iter().map(placement).collect(),
        time: Some("created".into()),
        topic: topic("outbox.${routedByValue}.events"),
        value: Payload::Expanded(Expansion::default()),
        ..OutboxOptions::default()
    }
}

/// What we make of the rows of a table, in the form of the recording.
fn routed(table: &str, options: &OutboxOptions) -> Vec<Value> {
    let plan_options = log::options(Connector::Mysql, DebeziumForm::V3_6, ValueFormat::Json);
    let file = unpacked("crates/binlog/tests/golden/mysql-9.7.4/binlog.000001.gz");
    let (mut scratch, mut buffer, mut found) = (RowScratch::new(), MessageBuffer::default(), Vec::new());
    log::rows_events(&file, |_, rows| {
        if rows.table.database != "golden" || rows.table.table != table {
            return;
        }
        let plan = OutboxPlan::compile(rows.table, None, &plan_options, options).unwrap();
        let operation = match rows.kind {
            RowsKind::Insert => Operation::Create,
            RowsKind::Update => Operation::Update,
            RowsKind::Delete => Operation::Delete,
        };
        let mut reader = rows.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            buffer.clear();
            let route = plan.route(&row, operation, &log::context(), &mut buffer).unwrap();
            let Route::Message { topic } = route else {
                assert_eq!(route, Route::Deleted);
                continue;
            };
            let message = &buffer.messages()[0];
            let parsed = |bytes: Option<&[u8]>| serde_json::from_slice::<Value>(bytes.unwrap()).unwrap();
            let headers: Map<String, Value> =
                buffer.properties(message).iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            if headers["id"] != OF_SNAPSHOT {
                found.push(json!({
                    "topic": topic,
                    "key": parsed(buffer.key(message)),
                    "value": parsed(buffer.value(message)),
                    "headers": headers,
                    "timestamp": options.time.as_ref().and_then(|_| buffer.event_time_ms(message)),
                }));
            }
        }
    });
    found
}

fn recorded(run: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mysql-9.7.4/e-outbox.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["run"] == run)
        .map(|mut line| {
            let line = line.as_object_mut().unwrap();
            line.shift_remove("run");
            // A header that is NULL is a property that is not there.
            line["headers"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
            Value::Object(std::mem::take(line))
        })
        .collect()
}

/// Compares as text, so that the order of members counts.
fn check(run: &str, table: &str, options: &OutboxOptions, count: usize) {
    let text = |events: Vec<Value>| events.iter().map(Value::to_string).collect::<Vec<_>>();
    let expected = text(recorded(run));
    assert_eq!(expected.len(), count, "{run}");
    let mut found = text(routed(table, options));
    assert!(found.len() >= count, "{found:?}");
    found.truncate(count);
    assert_eq!(found, expected, "{run}");
}

#[test]
fn defaults() {
    check("e1-outbox", "outbox", &OutboxOptions::default(), 6);
}

#[test]
fn placements_and_expanded_payloads() {
    let options = expanding(&[
        ("type", Place::Header, "eventType"),
        ("tracing", Place::Header, "tracing"),
        ("tenant", Place::Envelope, "tenantId"),
        ("created", Place::Envelope, "created"),
    ]);
    check("e2-outbox-placement-expand", "outbox2", &options, 3);
}

#[test]
fn expanded_payloads_alone() {
    let options = expanding(&[("type", Place::Header, "eventType"), ("tracing", Place::Header, "tracing")]);
    check("e4-outbox-expand-header", "outbox", &options, 1);
    // Where the real connector ended, the documents are printed as they are.
    let values: Vec<String> = routed("outbox", &options).iter().map(|event| event["value"].to_string()).collect();
    assert_eq!(values[1..3], [r#"{"f":1.5,"ü":"日本😀","big":12345678901234567890}"#, "[1,2,3]"]);
}
