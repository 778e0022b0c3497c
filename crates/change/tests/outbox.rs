//! Rows of outbox tables: a row and options in, topic, key, value, properties and time out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use std::sync::Arc;

use bitacora_binlog::encode::{ImageWriter, Value};
use bitacora_binlog::value::{Date, DateTime};
use bitacora_binlog::{Column, ColumnType, RowScratch, RowsEvent, RowsKind, TableMap};
use bitacora_change::avro::AvroSchema;
use bitacora_change::outbox::{
    AdditionalMissing, DeadLetters, EmptyArrays, Expansion, NullMembers, OutboxOptions, OutboxPlan, Payload, Place,
    Placement, RecordFormat, RecordMapping, Route, Template, TopicPattern, TopicRule,
};
use bitacora_change::{
    Connector, DebeziumForm, MessageBuffer, MessageSchema, NullWithDefault, Operation, PlanOptions, ValueFormat,
    ValueSchemaKind,
};

const UTF8MB4: u32 = 255;
const NOW_MS: u64 = 1_700_000_000_234;

fn plan_options() -> PlanOptions {
    PlanOptions {
        null_with_default: NullWithDefault::Keep,
        ..log::options(Connector::Mysql, DebeziumForm::V3_6, ValueFormat::Json)
    }
}

fn text(name: &str) -> Column {
    Column { name: Some(name.into()), collation: Some(UTF8MB4), ..Column::new(ColumnType::VARCHAR, 1_020) }
}

/// The default layout, with two further columns.
fn outbox() -> Arc<TableMap> {
    let mut columns: Vec<Column> = ["id", "aggregatetype", "aggregateid", "type", "payload"].map(text).into();
    columns.push(Column { name: Some("at".into()), ..Column::new(ColumnType::DATETIME2, 3) });
    columns.push(Column { name: Some("version".into()), ..Column::new(ColumnType::LONG, 0) });
    Arc::new(TableMap::synthesize("app", "outbox", columns, Vec::new()).unwrap())
}

fn row(payload: Value<'_>) -> Vec<Value<'_>> {
    let text = |text: &'static str| Value::Bytes(text.as_bytes());
    vec![text("e1"), text("reserva"), text("r-7"), text("Creada"), payload, Value::Null, Value::Signed(3)]
}

fn payload(text: &str) -> Value<'_> {
    Value::Bytes(text.as_bytes())
}

fn buffer_of(
    table: &Arc<TableMap>,
    options: &OutboxOptions,
    operation: Operation,
    values: &[Value<'_>],
) -> (OutboxPlan, Route, MessageBuffer) {
    let mut bytes = Vec::new();
    let images = if operation == Operation::Update { 2 } else { 1 };
    for _ in 0..images {
        let mut writer = ImageWriter::begin(table, &mut bytes);
        for value in values {
            writer.value(*value).unwrap();
        }
        writer.finish().unwrap();
    }
    let kind = match operation {
        Operation::Update => RowsKind::Update,
        Operation::Delete => RowsKind::Delete,
        _ => RowsKind::Insert,
    };
    let rows = RowsEvent::from_images(kind, table, &bytes);
    let plan = OutboxPlan::compile(table, None, &plan_options(), options).unwrap_or_else(|error| panic!("{error}"));
    let (mut scratch, mut buffer) = (RowScratch::new(), MessageBuffer::default());
    let mut reader = rows.reader(&mut scratch);
    let row = reader.next_row().unwrap().unwrap();
    let route = plan.route(&row, operation, &log::context(), &mut buffer).unwrap();
    (plan, route, buffer)
}

/// The one message of a row: `topic | key | value | properties | time`.
fn shown(route: &Route, buffer: &MessageBuffer) -> String {
    let [message] = buffer.messages() else { return format!("{route:?}") };
    let part = |bytes: Option<&[u8]>| bytes.map_or("-".into(), |bytes| String::from_utf8_lossy(bytes).into_owned());
    let topic = match route {
        Route::Message { topic } | Route::DeadLetter { topic, .. } => topic,
        other => panic!("{other:?} with a message"),
    };
    let properties: Vec<String> =
        buffer.properties(message).iter().map(|(name, value)| format!("{name}={value}")).collect();
    let time = match buffer.event_time_ms(message) {
        Some(NOW_MS) => "now".to_owned(),
        other => format!("{other:?}"),
    };
    let (key, value) = (part(buffer.key(message)), part(buffer.value(message)));
    format!("{topic} | {key} | {value} | {} | {time}", properties.join(" "))
}

fn check(values: &[Value<'_>], options: &OutboxOptions, expected: &str) {
    let (_, route, buffer) = buffer_of(&outbox(), options, Operation::Create, values);
    assert_eq!(shown(&route, &buffer), expected);
}

#[test]
fn the_default_layout_is_routed_as_the_router_does() {
    check(
        &row(payload(r#"{"a": 1}"#)),
        &OutboxOptions::default(),
        r#"outbox.event.reserva | "r-7" | "{\"a\": 1}" | id=e1 | now"#,
    );
    check(&row(Value::Null), &OutboxOptions::default(), r#"outbox.event.reserva | "r-7" | null | id=e1 | now"#);
}

#[test]
fn created_and_read_rows_are_routed_and_others_are_not() {
    let values = row(payload("x"));
    for (operation, expected) in [
        (Operation::Create, "outbox.event.reserva | \"r-7\" | \"x\" | id=e1 | now"),
        (Operation::Read, "outbox.event.reserva | \"r-7\" | \"x\" | id=e1 | now"),
        (Operation::Update, "Updated"),
        (Operation::Delete, "Deleted"),
    ] {
        let (_, route, buffer) = buffer_of(&outbox(), &OutboxOptions::default(), operation, &values);
        assert_eq!(shown(&route, &buffer), expected, "{operation:?}");
    }
}

#[test]
fn a_topic_that_the_pattern_does_not_match_is_the_column_itself() {
    let pattern = TopicPattern::new("(.*)Event", "$1").unwrap();
    let options = OutboxOptions {
        topic: TopicRule::Field { column: "aggregatetype".into(), pattern },
        ..OutboxOptions::default()
    };
    check(&row(payload("x")), &options, "reserva | \"r-7\" | \"x\" | id=e1 | now");
}

#[test]
fn a_key_may_be_null() {
    let mut values = row(payload("x"));
    values[2] = Value::Null;
    check(&values, &OutboxOptions::default(), "outbox.event.reserva | - | \"x\" | id=e1 | now");
}

#[test]
fn empty_payloads_are_tombstones_if_wanted() {
    let options = OutboxOptions { tombstone_on_empty: true, ..OutboxOptions::default() };
    for empty in [Value::Null, payload(""), payload(" \t ")] {
        check(&row(empty), &options, "outbox.event.reserva | \"r-7\" | - | id=e1 | now");
    }
    check(&row(payload(" x")), &options, "outbox.event.reserva | \"r-7\" | \" x\" | id=e1 | now");
}

#[test]
fn further_columns_are_properties_or_stand_beside_the_payload() {
    let placement = |column: &str, place, alias: &str| Placement { column: column.into(), place, alias: alias.into() };
    let placements = vec![
        placement("type", Place::Header, "eventType"),
        placement("version", Place::Header, "version"),
        placement("at", Place::Header, "at"),
        placement("version", Place::Envelope, "v"),
        placement("type", Place::Envelope, "type"),
    ];
    let options = OutboxOptions { placements, ..OutboxOptions::default() };
    check(
        &row(payload("x")),
        &options,
        concat!(
            r#"outbox.event.reserva | "r-7" | {"payload":"x","v":3,"type":"Creada"} "#,
            "| id=e1 eventType=Creada version=3 | now"
        ),
    );
}

#[test]
fn a_further_column_that_is_missing_is_an_error_unless_ignored() {
    let placements = vec![Placement { column: "none".into(), place: Place::Header, alias: "none".into() }];
    let options = OutboxOptions { placements, ..OutboxOptions::default() };
    let error = OutboxPlan::compile(&outbox(), None, &plan_options(), &options).unwrap_err();
    assert!(error.to_string().starts_with("outbox table app.outbox has no column none, which table.fields"), "{error}");
    let options = OutboxOptions { additional_missing: AdditionalMissing::Ignore, ..options };
    check(&row(payload("x")), &options, "outbox.event.reserva | \"r-7\" | \"x\" | id=e1 | now");
}

#[test]
fn a_column_that_the_router_needs_is_named_when_it_is_missing() {
    for (options, expected) in [
        (
            OutboxOptions { id: "uuid".into(), ..OutboxOptions::default() },
            "no column uuid, which table.field.event.id (columns.id) names",
        ),
        (
            OutboxOptions { key: "k".into(), ..OutboxOptions::default() },
            "no column k, which table.field.event.key (columns.key) names",
        ),
        (
            OutboxOptions { payload: "p".into(), ..OutboxOptions::default() },
            "no column p, which table.field.event.payload",
        ),
        (
            OutboxOptions { time: Some("t".into()), ..OutboxOptions::default() },
            "no column t, which table.field.event.timestamp",
        ),
        (
            OutboxOptions { time: Some("type".into()), ..OutboxOptions::default() },
            "column type of outbox table app.outbox cannot be the time",
        ),
        (
            OutboxOptions {
                topic: TopicRule::Template(Template::parse("a.${x}").unwrap()),
                ..OutboxOptions::default()
            },
            "no column x, which topic names",
        ),
    ] {
        let error = OutboxPlan::compile(&outbox(), None, &plan_options(), &options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_event_time_is_a_column_or_now() {
    let options = OutboxOptions { time: Some("at".into()), ..OutboxOptions::default() };
    check(&row(payload("x")), &options, "outbox.event.reserva | \"r-7\" | \"x\" | id=e1 | now");
    let mut values = row(payload("x"));
    values[5] = Value::DateTime(DateTime {
        date: Date { year: 2023, month: 11, day: 14 },
        hour: 22,
        minute: 13,
        second: 20,
        microsecond: 500_000,
    });
    check(&values, &options, "outbox.event.reserva | \"r-7\" | \"x\" | id=e1 | Some(1700000000500)");
}

#[test]
fn documents_are_expanded_if_wanted() {
    let options = OutboxOptions { value: Payload::Expanded(Expansion::default()), ..OutboxOptions::default() };
    let document = r#"{"a": 1, "n": null, "l": []}"#;
    check(&row(payload(document)), &options, r#"outbox.event.reserva | "r-7" | {"a":1} | id=e1 | now"#);
    let keep = Expansion { null_members: NullMembers::Keep, empty_arrays: EmptyArrays::Keep };
    let options = OutboxOptions { value: Payload::Expanded(keep), ..OutboxOptions::default() };
    check(&row(payload(document)), &options, r#"outbox.event.reserva | "r-7" | {"a":1,"n":null,"l":[]} | id=e1 | now"#);
    check(&row(payload("plain")), &options, r#"outbox.event.reserva | "r-7" | "plain" | id=e1 | now"#);
    let (_, route, _) = buffer_of(&outbox(), &options, Operation::Create, &row(payload("{\"a\":")));
    assert!(
        matches!(&route, Route::Unmappable { reason } if reason.starts_with("the payload is no JSON (")),
        "{route:?}"
    );
}

#[test]
fn text_and_json_payloads_are_sent_as_they_are() {
    let topic = || TopicRule::Template(Template::parse("${aggregatetype}-${type}").unwrap());
    let options = OutboxOptions { value: Payload::Text, topic: topic(), ..OutboxOptions::default() };
    check(&row(payload("\"ñ\" {")), &options, "reserva-Creada | r-7 | \"ñ\" { | id=e1 | now");
    let options = OutboxOptions { value: Payload::Json, topic: topic(), ..OutboxOptions::default() };
    check(&row(payload("{\"a\": 1}")), &options, "reserva-Creada | r-7 | {\"a\": 1} | id=e1 | now");
}

/// No message can be made of these rows: each becomes a dead letter that holds the whole row, or stops the source.
#[test]
fn rows_that_cannot_be_mapped_become_dead_letters_or_stop() {
    let null_topic = |mut values: Vec<Value<'static>>| {
        values[1] = Value::Null;
        values
    };
    let odd_topic = |mut values: Vec<Value<'static>>| {
        values[1] = Value::Bytes(b"a/b");
        values
    };
    let json = || OutboxOptions { value: Payload::Json, ..OutboxOptions::default() };
    for (values, options, reason) in [
        (row(payload("{")), json(), "the payload is no JSON (EOF while parsing an object at line 1 column 1)"),
        (row(Value::Null), json(), "the payload is NULL"),
        (null_topic(row(payload("x"))), OutboxOptions::default(), "the column of the topic is NULL"),
        (odd_topic(row(payload("x"))), OutboxOptions::default(), "\"outbox.event.a/b\" cannot be the name of a topic"),
    ] {
        let (_, route, buffer) = buffer_of(&outbox(), &options, Operation::Create, &values);
        assert_eq!(route, Route::Unmappable { reason: reason.to_owned() });
        assert!(buffer.messages().is_empty());
        let options = OutboxOptions { dead_letters: DeadLetters::Send { topic: None }, ..options };
        let (plan, route, buffer) = buffer_of(&outbox(), &options, Operation::Create, &values);
        let expected = Route::DeadLetter { topic: "srv.app.outbox.dead-letter".into(), reason: reason.to_owned() };
        assert_eq!(route, expected);
        let message = &buffer.messages()[0];
        assert_eq!(buffer.key(message), Some(&b"r-7"[..]));
        let letter: serde_json::Value = serde_json::from_slice(buffer.value(message).unwrap()).unwrap();
        assert_eq!((&letter["id"], &letter["version"]), (&"e1".into(), &3.into()));
        let property = |name: &str| {
            buffer.properties(message).iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(property("reason"), Some(reason));
        assert_eq!(property("table"), Some("app.outbox"));
        assert_eq!(property("place"), Some("binlog.000001:4711"));
        assert_eq!(property("id"), Some("e1"));
        let MessageSchema::Value(schema) = plan.dead_letter_schema() else { panic!("a value alone") };
        assert_eq!(schema.kind, ValueSchemaKind::Bytes);
    }
    let options = OutboxOptions { dead_letters: DeadLetters::Send { topic: Some("dead".into()) }, ..json() };
    let (_, route, _) = buffer_of(&outbox(), &options, Operation::Create, &row(payload("{")));
    assert!(matches!(&route, Route::DeadLetter { topic, .. } if topic == "dead"), "{route:?}");
}

#[test]
fn schemas_are_those_of_the_columns() {
    let (plan, _, _) = buffer_of(&outbox(), &OutboxOptions::default(), Operation::Create, &row(payload("x")));
    let MessageSchema::KeyValue(schema) = plan.message_schema() else { panic!("key and value") };
    assert_eq!(schema.key.definition, r#"["null","string"]"#);
    assert_eq!(schema.value.definition, r#"["null","string"]"#);
    let options = OutboxOptions { value: Payload::Text, ..OutboxOptions::default() };
    let (plan, _, _) = buffer_of(&outbox(), &options, Operation::Create, &row(payload("x")));
    let MessageSchema::Value(schema) = plan.message_schema() else { panic!("a value alone") };
    assert_eq!(schema.kind, ValueSchemaKind::String);
}

const EVENT: &str = r#"{"type":"record","name":"Evento","fields":[
    {"name":"id","type":["null","string"]},
    {"name":"time","type":["null","long"]},
    {"name":"source","type":["null","string"]},
    {"name":"data","type":["null",{"type":"record","name":"Datos","fields":[
        {"name":"cliente","type":["null","string"]},
        {"name":"cuando","type":["null","long"]},
        {"name":"nota","type":["null","string"],"default":null}]}]}]}"#;

fn event(format: RecordFormat) -> OutboxOptions {
    let field = |path: &str, template: &str| (path.to_owned(), Template::parse(template).unwrap());
    let fields = vec![
        field("id", "${id}"),
        field("time", "${event.time_ms}"),
        field("source", "app-${version}"),
        field("data", "${payload}"),
    ];
    let schema = AvroSchema::parse(EVENT).unwrap();
    OutboxOptions {
        value: Payload::Record(Box::new(RecordMapping { format, schema, fields })),
        topic: TopicRule::Template(Template::parse("eventos").unwrap()),
        ..OutboxOptions::default()
    }
}

#[test]
fn a_record_is_mapped_from_columns_payload_and_constants() {
    let text = r#"{"cuando": 5, "cliente": null}"#;
    check(
        &row(payload(text)),
        &event(RecordFormat::Json),
        concat!(
            r#"eventos | r-7 | {"id":"e1","time":1700000000234,"source":"app-3","data":{"cuando":5,"cliente":null}} "#,
            "| id=e1 | now"
        ),
    );
    let (plan, _, buffer) = buffer_of(&outbox(), &event(RecordFormat::Avro), Operation::Create, &row(payload(text)));
    let value = buffer.value(&buffer.messages()[0]).unwrap();
    // Each union says its branch (0 null, 2 the other one), texts their length doubled, longs are zigzag.
    let time = [0x02, 0xd4, 0xa3, 0xab, 0xfe, 0xf9, 0x62];
    let expected = [&[0x02, 0x04][..], b"e1", &time, &[0x02, 0x0a], b"app-3", &[0x02, 0x00, 0x02, 0x0a, 0x00]].concat();
    assert_eq!(value, expected);
    let MessageSchema::Value(schema) = plan.message_schema() else { panic!("a value alone") };
    assert_eq!((schema.kind, schema.name.as_str()), (ValueSchemaKind::Avro, "Evento"));
    let definition: serde_json::Value = serde_json::from_str(&schema.definition).unwrap();
    assert_eq!(definition, serde_json::from_str::<serde_json::Value>(EVENT).unwrap());
}

#[test]
fn a_record_that_does_not_fit_its_schema_is_no_message() {
    for (text, reason) in [
        (
            r#"{"cliente": "c"}"#,
            "the record does not fit its schema: data.cuando: the field is missing and Datos has no default for it",
        ),
        (
            r#"{"cliente": 7, "cuando": 1}"#,
            "the record does not fit its schema: data.cliente: a string is expected, not a number",
        ),
        (
            r#"{"cliente": "c", "cuando": 1.5}"#,
            "the record does not fit its schema: data.cuando: the number is no long of 64 bits",
        ),
        (
            r#"{"cliente": "c", "cuando": 1, "mas": 1}"#,
            "the record does not fit its schema: data.mas: Datos has no such field",
        ),
        ("[]", "the record does not fit its schema: data: a record is expected, not an array"),
        ("{", "field data: the payload is no JSON (EOF while parsing an object at line 1 column 1)"),
    ] {
        for format in [RecordFormat::Avro, RecordFormat::Json] {
            let (_, route, _) = buffer_of(&outbox(), &event(format), Operation::Create, &row(payload(text)));
            assert_eq!(route, Route::Unmappable { reason: reason.to_owned() }, "{text}");
        }
    }
}
