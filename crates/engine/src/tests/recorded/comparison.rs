//! The comparison: equal texts but for the clock of the connector and the differences that are listed, each with its
//! reason.

use std::collections::BTreeSet;

use serde_json::Value;

use super::recording::{Record, Run, Topics, file};

/// A place where a record is meant to differ from the recorded one.
#[derive(Debug, serde::Deserialize)]
struct Difference {
    topic: String,
    columns: Vec<String>,
    /// `stream`, `snapshot`, `schema` (schemas inside of messages), `statement` (records of the schema-change topic).
    within: Vec<String>,
    /// Only on this server.
    server: Option<String>,
    /// Why.
    reason: String,
}

/// Members in which the records of some statements are meant to differ.
#[derive(Debug, serde::Deserialize)]
struct OfStatement {
    /// How the texts of the statements begin.
    ddl: Vec<String>,
    /// `ddl`, `table`, `tableChanges`; of a column `column.defaultValueExpression`.
    members: Vec<String>,
    reason: String,
}

/// A recorded record that is not made.
#[derive(Debug, serde::Deserialize)]
struct Omission {
    topic: String,
    key: String,
    reason: String,
}

/// A statement whose record is not made.
#[derive(Debug, serde::Deserialize)]
struct Unrecorded {
    ddl: Vec<String>,
    reason: String,
}

#[derive(Debug, serde::Deserialize)]
struct Listed {
    difference: Vec<Difference>,
    statement: Vec<OfStatement>,
    omission: Vec<Omission>,
    unrecorded: Vec<Unrecorded>,
}

/// Panics unless the records are the recorded ones.
pub(super) fn compare(run: &Run, recorded: &Topics, found: &Topics) {
    let listed = std::fs::read_to_string(file("tests/golden/debezium/differences.toml")).unwrap();
    let listed: Listed = toml::from_str(&listed).unwrap();
    assert!(listed.difference.iter().all(|difference| !difference.reason.is_empty()));
    assert!(listed.statement.iter().all(|statement| !statement.reason.is_empty()));
    assert!(listed.unrecorded.iter().all(|statement| !statement.reason.is_empty()));
    assert!(listed.omission.iter().all(|omission| !omission.reason.is_empty()));
    let mut report =
        Report { server: run.server, listed: &listed, used: BTreeSet::new(), differences: Vec::new(), count: 0 };
    for name in recorded.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let recorded = recorded.get(name).map(Vec::as_slice).unwrap_or_default();
        report.topic(name, recorded, found.get(name).map(Vec::as_slice).unwrap_or_default());
    }
    let Report { used, differences, count, .. } = report;
    let shown = differences.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "{} differences in {count} records:\n{shown}", differences.len());
    assert!(count > run.least, "{count} records compared");
    if run.form == "statements" {
        return;
    }
    let unused = listed.difference.iter().enumerate().filter(|(index, difference)| {
        let is_of_snapshot = difference.within.iter().all(|within| within == "snapshot");
        let is_of_other = difference.server.as_deref().is_some_and(|other| other != run.server);
        // Only recordings with schemas have some.
        let is_of_schemas = difference.within.iter().all(|within| within == "schema");
        // Labels beyond the BMP are `?` in the recorded statements; without metadata the log has no others.
        let is_of_labels = run.metadata.is_some() && difference.topic == "srv.golden.t_enum";
        !is_of_labels && !is_of_snapshot && !is_of_other && !is_of_schemas && !used.contains(index)
    });
    let unused: Vec<_> = unused.collect();
    assert!(unused.is_empty(), "differences that are no longer there: {unused:?}");
}

struct Report<'a> {
    server: &'a str,
    listed: &'a Listed,
    used: BTreeSet<usize>,
    differences: Vec<String>,
    count: usize,
}

impl Report<'_> {
    fn topic(&mut self, topic: &str, recorded: &[Record], found: &[Record]) {
        let recorded: Vec<&Record> = recorded.iter().filter(|record| self.is_compared(topic, record)).collect();
        for (place, (recorded, found)) in recorded.iter().zip(found).enumerate() {
            self.count += 1;
            if found.key != recorded.key {
                self.differences.push(format!("{topic} {place} key {}\nrecorded {}", found.key, recorded.key));
            }
            let headers = |record: &Record| record.headers.iter().cloned().collect::<BTreeSet<_>>();
            let payloads = |record: &Record| -> BTreeSet<(String, String)> {
                let payload = |text: &str| match serde_json::from_str::<Value>(text).unwrap() {
                    Value::Object(members) if members.contains_key("payload") => members["payload"].to_string(),
                    plain => plain.to_string(),
                };
                headers(record).iter().map(|(name, value)| (name.clone(), payload(value))).collect()
            };
            if payloads(found) != payloads(recorded) {
                let (found, recorded) = (payloads(found), payloads(recorded));
                self.differences.push(format!("{topic} {place} headers {found:?}\nrecorded {recorded:?}"));
            }
            let texts = (without_clock(topic, &found.value), without_clock(topic, &recorded.value));
            if texts.0 != texts.1 && !self.is_listed(topic, &found.value, &recorded.value) {
                self.differences.push(format!("{topic} {place}: {}", parts(&found.value, &recorded.value)));
            }
        }
        if recorded.len() != found.len() {
            self.differences.push(format!("{topic}: {} records, recorded {}", found.len(), recorded.len()));
        }
    }

    /// Returns whether a recorded record must be made: not those that are listed, nor, here, rows of the snapshot.
    fn is_compared(&self, topic: &str, record: &Record) -> bool {
        let key = payload(&record.key).to_string();
        let is_omitted = |omission: &Omission| {
            omission.topic == "*" && omission.key == record.key && record.value == "null"
                || omission.topic == topic && key == omission.key
        };
        let is_unrecorded = topic == "srv" && {
            let ddl = payload(&record.value)["ddl"].as_str().unwrap_or_default().to_owned();
            self.listed.unrecorded.iter().any(|statement| begins(&ddl, &statement.ddl))
        };
        let is_row_of_snapshot =
            topic != "srv" && record.value != "null" && payload(&record.value)["source"]["snapshot"] != "false";
        !is_row_of_snapshot && !is_unrecorded && !self.listed.omission.iter().any(is_omitted)
    }

    /// Returns whether two records differ only where they are meant to.
    fn is_listed(&mut self, topic: &str, found: &str, recorded: &str) -> bool {
        let mut values = [found, recorded].map(|text| serde_json::from_str::<Value>(text).unwrap_or(Value::Null));
        for value in &mut values {
            forget_clock(topic, value);
        }
        let mut is_listed = false;
        if topic == "srv" {
            for statement in &self.listed.statement {
                let ddl = payload_mut(&mut values[1])["ddl"].as_str().unwrap_or_default().to_owned();
                if begins(&ddl, &statement.ddl) {
                    is_listed = true;
                    for member in &statement.members {
                        values.iter_mut().for_each(|value| forget(payload_mut(value), member));
                    }
                }
            }
        }
        for (index, difference) in self.listed.difference.iter().enumerate() {
            let is_other_server = difference.server.as_deref().is_some_and(|other| other != self.server);
            if difference.topic != topic || is_other_server {
                continue;
            }
            for column in &difference.columns {
                for within in &difference.within {
                    let taken = values.each_mut().map(|value| take(value, within, column));
                    if taken[0] != taken[1] {
                        self.used.insert(index);
                        is_listed = true;
                    }
                }
            }
        }
        // As texts, in which the order of members counts.
        let [found, recorded] = values.map(|value| value.to_string());
        is_listed && found == recorded
    }
}

fn begins(ddl: &str, texts: &[String]) -> bool {
    texts.iter().any(|text| ddl.starts_with(text))
}

/// A text's payload, where it stands beside a schema.
fn payload(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    match value.get_mut("payload") {
        Some(payload) => payload.take(),
        None => value,
    }
}

fn payload_mut(value: &mut Value) -> &mut Value {
    if value.get("payload").is_some() { &mut value["payload"] } else { value }
}

/// Forgets a member of a statement's record.
fn forget(record: &mut Value, member: &str) {
    match member.split_once('.') {
        Some((column, member)) => {
            for change in record["tableChanges"].as_array_mut().into_iter().flatten() {
                let columns = change["table"]["columns"].as_array_mut().into_iter().flatten();
                columns.filter(|one| one["name"] == column).for_each(|column| column[member] = Value::Null);
            }
        }
        None if member == "table" => record["source"]["table"] = Value::Null,
        None => record[member] = Value::Null,
    }
}

/// Takes the values, or the schemas, of a column out of a record.
fn take(value: &mut Value, within: &str, column: &str) -> Vec<Value> {
    let mut taken = Vec::new();
    match within {
        "schema" => {
            let mut fields = |schema: &mut Value, depth: u8| take_fields(schema, column, depth, &mut taken);
            fields(&mut value["schema"], 0);
        }
        "statement" => {
            let changes = payload_mut(value)["tableChanges"].as_array_mut();
            for change in changes.into_iter().flatten() {
                let Some(columns) = change["table"]["columns"].as_array_mut() else { continue };
                taken.extend(columns.iter().filter(|one| one["name"] == column).cloned());
                columns.retain(|one| one["name"] != column);
            }
        }
        _ if column.starts_with("source.") => {
            let source = payload_mut(value)["source"].as_object_mut().filter(|source| source["snapshot"] == "false");
            taken.extend(source.and_then(|source| source.remove(&column[7..])));
        }
        _ => {
            for image in ["before", "after"] {
                let image = payload_mut(value).get_mut(image).and_then(Value::as_object_mut);
                taken.extend(image.and_then(|image| image.remove(column)));
            }
        }
    }
    taken
}

/// Columns are the fields of the first two fields of an envelope.
fn take_fields(schema: &mut Value, column: &str, depth: u8, taken: &mut Vec<Value>) {
    let Some(fields) = schema["fields"].as_array_mut() else { return };
    if depth == 1 {
        taken.extend(fields.iter().filter(|field| field["field"] == column).cloned());
        fields.retain(|field| field["field"] != column);
    } else {
        for field in fields.iter_mut().filter(|field| field["field"] == "before" || field["field"] == "after") {
            take_fields(field, column, depth + 1, taken);
        }
    }
}

/// Cuts out when the connector made the record: behind the operation of a row's event, before `databaseName` of a
/// statement's; the statements of the snapshot have it as the time of their source too.
fn without_clock(topic: &str, value: &str) -> String {
    if topic != "srv" {
        return match value.rfind(",\"op\":\"") {
            Some(at) => value[..at + 9].to_owned(),
            None => value.to_owned(),
        };
    }
    let (source, rest) = value.split_once(",\"databaseName\":").unwrap();
    let (source, _) = source.rsplit_once(",\"ts_ms\":").unwrap();
    let mut text = format!("{source}{rest}");
    if source.contains("\"snapshot\":\"true\"") {
        for clock in ["\"ts_ms\":", "\"ts_us\":", "\"ts_ns\":"] {
            let (before, after) = text.split_once(clock).unwrap();
            text = format!("{before}{}", after.trim_start_matches(|character: char| character.is_ascii_digit()));
        }
    }
    text
}

fn forget_clock(topic: &str, value: &mut Value) {
    let record = payload_mut(value);
    let clocks = ["ts_ms", "ts_us", "ts_ns"];
    for clock in clocks {
        if let Some(record) = record.as_object_mut().filter(|record| record.contains_key(clock)) {
            record.insert(clock.to_owned(), Value::Null);
        }
    }
    if topic == "srv" && record["source"]["snapshot"] == "true" {
        for clock in clocks {
            record["source"][clock] = Value::Null;
        }
    }
}

/// The members that differ, for a short report.
fn parts(found: &str, recorded: &str) -> String {
    let [found, recorded] = [found, recorded].map(|text| serde_json::from_str::<Value>(text).unwrap_or(Value::Null));
    let mut values = [found, recorded];
    values.iter_mut().for_each(|value| forget_clock("", value));
    let mut text = String::new();
    difference(&values[0], &values[1], "", &mut text);
    text
}

fn difference(found: &Value, recorded: &Value, path: &str, text: &mut String) {
    match (found, recorded) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (name, value) in a {
                difference(value, &b[name], &format!("{path}.{name}"), text);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                difference(a, b, &format!("{path}[{place}]"), text);
            }
        }
        _ if found == recorded => {}
        _ => text.push_str(&format!(" {path} {found} recorded {recorded}")),
    }
}
