//! Rules for columns that the recording (`masks_debezium.rs`) lacks. A column and a rule in, JSON out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use std::sync::Arc;

use bitacora_binlog::encode::{ImageWriter, Value};
use bitacora_binlog::{Column, ColumnType, RowScratch, RowsEvent, RowsKind, TableMap};
use bitacora_change::outbox::{DeadLetters, OutboxOptions, OutboxPlan, Payload, Route, Template, TopicRule};
use bitacora_change::{
    ColumnDescription, ColumnRules, ColumnSelection, Connector, DebeziumForm, HashVersion, Mask, MessageBuffer,
    MessageSchema, Operation, PatternList, Plan, PlanOptions, SaltedHash, TableDescription, ValueFormat,
};

const UTF8MB4: u32 = 255;
const LATIN1: u32 = 8;
const BINARY: u32 = 63;

fn list(text: &str) -> PatternList {
    PatternList::parse(text).unwrap()
}

fn mask(columns: &str, mask: Mask) -> ColumnRules {
    ColumnRules { masks: vec![(list(columns), mask)], ..ColumnRules::default() }
}

fn hash(version: HashVersion) -> Mask {
    Mask::Hash(SaltedHash::new(version, "SHA-256", "CzQMA0cB5K").unwrap())
}

fn truncate(columns: &str, characters: u32) -> ColumnRules {
    ColumnRules { truncations: vec![(list(columns), characters)], ..ColumnRules::default() }
}

fn exclude(columns: &str) -> ColumnRules {
    ColumnRules { selection: ColumnSelection::Exclude(list(columns)), ..ColumnRules::default() }
}

fn options(columns: ColumnRules) -> PlanOptions {
    PlanOptions { columns, ..log::options(Connector::Mariadb, DebeziumForm::V3_6, ValueFormat::Json) }
}

fn named(name: &str, column: Column) -> Column {
    Column { name: Some(name.into()), ..column }
}

fn text(kind: ColumnType, meta: u16, collation: u32) -> Column {
    Column { collation: Some(collation), ..Column::new(kind, meta) }
}

fn table(columns: Vec<Column>) -> Arc<TableMap> {
    Arc::new(TableMap::synthesize("db", "t", columns, Vec::new()).unwrap())
}

/// A description that knows types only.
fn described(columns: &[(&str, &str)]) -> TableDescription {
    let columns = columns.iter().map(|(name, type_name)| ColumnDescription {
        name: (*name).into(),
        type_name: (*type_name).into(),
        is_nullable: true,
        ..ColumnDescription::default()
    });
    TableDescription { database: "db".into(), table: "t".into(), columns: columns.collect(), ..Default::default() }
}

fn image(table: &TableMap, values: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ImageWriter::begin(table, &mut bytes);
    for value in values {
        writer.value(*value).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// The image behind an INSERT.
fn after(plan: &Plan, table: &Arc<TableMap>, values: &[Value<'_>]) -> String {
    let bytes = image(table, values);
    let rows = RowsEvent::from_images(RowsKind::Insert, table, &bytes);
    let (mut scratch, mut buffer) = (RowScratch::new(), MessageBuffer::default());
    let mut reader = rows.reader(&mut scratch);
    let row = reader.next_row().unwrap().unwrap();
    plan.encode(&row, Operation::Create, &log::context(), &mut buffer).unwrap();
    let event = std::str::from_utf8(buffer.value(&buffer.messages()[0]).unwrap()).unwrap();
    serde_json::from_str::<serde_json::Value>(event).expect("an event is JSON");
    let start = event.find("\"after\":").unwrap() + 8;
    event[start..event.find(",\"source\"").unwrap()].to_owned()
}

/// A single column `c` of a type under a rule.
fn check(column: Column, type_name: &str, rules: ColumnRules, value: Value<'_>, expected: &str) {
    let kind = column.kind;
    let table = table(vec![named("c", column)]);
    let plan = Plan::compile(&table, Some(&described(&[("c", type_name)])), &options(rules)).unwrap();
    assert_eq!(after(&plan, &table, &[value]), format!("{{\"c\":{expected}}}"), "{kind:?} {type_name} {value:?}");
}

/// Debezium keeps half of the character there, which is not valid text.
#[test]
fn a_character_beyond_the_bmp_is_not_cut_in_half() {
    let column = || text(ColumnType::BLOB, 2, UTF8MB4);
    let value = Value::Bytes("a😀b".as_bytes());
    for (units, expected) in [
        (0, "\"\""),
        (1, "\"a\""),
        (2, "\"a\""),
        (3, "\"a\\uD83D\\uDE00\""),
        (4, "\"a\\uD83D\\uDE00b\""),
        (5, "\"a\\uD83D\\uDE00b\""),
    ] {
        check(column(), "TEXT", truncate("db.t.c", units), value, expected);
    }
}

#[test]
fn types_of_mariadb_are_no_text_for_masks_but_are_cut() {
    let uuid = Value::Bytes(b"\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x55\x44\x00\x00");
    let column = || text(ColumnType::STRING, 16, BINARY);
    let plain = "\"123e4567-e89b-12d3-a456-426655440000\"";
    check(column(), "UUID", mask("db.t.c", Mask::Asterisks(3)), uuid, plain);
    check(column(), "UUID", mask("db.t.c", hash(HashVersion::V1)), uuid, plain);
    check(column(), "UUID", truncate("db.t.c", 8), uuid, "\"123e4567\"");
    // The pad of a BINARY comes back before it is cut.
    check(column(), "BINARY", truncate("db.t.c", 4), Value::Bytes(b"\xff"), "\"/wAAAA==\"");
}

#[test]
fn a_zero_timestamp_is_cut_like_any_other() {
    let zero = Value::Timestamp(bitacora_binlog::value::Timestamp { seconds: 0, microsecond: 0 });
    let column = Column { nullable: false, ..Column::new(ColumnType::TIMESTAMP2, 0) };
    check(column, "TIMESTAMP", truncate("db.t.c", 4), zero, "\"1970\"");
}

#[test]
fn bytes_are_cut_in_the_newer_form_only() {
    let table = table(vec![named("c", text(ColumnType::BLOB, 2, BINARY))]);
    let value = [Value::Bytes(b"\x01\x02\x03\x04")];
    let mut options = options(truncate("db.t.c", 2));
    let plan = Plan::compile(&table, None, &options).unwrap();
    assert_eq!((after(&plan, &table, &value).as_str(), plan.notes().len()), ("{\"c\":\"AQI=\"}", 0));
    options.form = DebeziumForm::V1_9;
    let plan = Plan::compile(&table, None, &options).unwrap();
    assert_eq!(after(&plan, &table, &value), "{\"c\":\"AQIDBA==\"}");
    assert_eq!(
        plan.notes(),
        ["column db.t.c is published in full, because bytes are not truncated in the form of Debezium 1.9; leave \
            the column out instead"]
    );
}

/// Without a description the log says how long a column is, in bytes.
#[test]
fn a_hash_is_cut_to_the_characters_of_the_column() {
    let whole = "d540e71abf15be8b51c7967397ba359db27d6f6ae85a297fe8d0d7005ffd0e82";
    for (column, characters) in [
        (text(ColumnType::VARCHAR, 40, UTF8MB4), 10),
        (text(ColumnType::VARCHAR, 40, LATIN1), 40),
        (text(ColumnType::STRING, 120, UTF8MB4), 30),
        (text(ColumnType::VARCHAR, 1_020, UTF8MB4), 64),
        (text(ColumnType::BLOB, 2, UTF8MB4), 64),
    ] {
        let table = table(vec![named("c", column)]);
        let plan = Plan::compile(&table, None, &options(mask("db.t.c", hash(HashVersion::V1)))).unwrap();
        let found = after(&plan, &table, &[Value::Bytes(b"sally.thomas@acme.com")]);
        assert_eq!(found, format!("{{\"c\":\"{}\"}}", &whole[..characters]));
        assert_eq!(after(&plan, &table, &[Value::Null]), "{\"c\":null}");
    }
}

#[test]
fn a_column_that_is_left_out_may_be_of_any_character_set() {
    let table = table(vec![
        named("a", Column::new(ColumnType::LONG, 0)),
        named("b", text(ColumnType::VARCHAR, 80, 9_999)),
        named("c", Column::new(ColumnType::LONG, 0)),
    ]);
    assert!(Plan::compile(&table, None, &options(ColumnRules::default())).is_err());
    let plan = Plan::compile(&table, None, &options(exclude("db.t.b"))).unwrap();
    let MessageSchema::KeyValue(schema) = plan.message_schema() else { panic!("key and value") };
    assert!(schema.value.definition.contains(r#"{"name":"c""#) && !schema.value.definition.contains(r#"{"name":"b""#));
    let rules = ColumnRules { selection: ColumnSelection::Include(list("DB.T.C,db.t.z")), ..ColumnRules::default() };
    assert!(Plan::compile(&table, None, &options(rules)).is_ok());
}

#[test]
fn no_column_may_be_left() {
    let table = table(vec![named("a", Column::new(ColumnType::LONG, 0))]);
    let plan = Plan::compile(&table, None, &options(exclude(".*"))).unwrap();
    assert_eq!(after(&plan, &table, &[Value::Signed(1)]), "{}");
}

#[test]
fn the_registered_schema_says_what_is_masked() {
    let table = table(vec![
        named("a", text(ColumnType::VARCHAR, 80, UTF8MB4)),
        named("b", text(ColumnType::VARCHAR, 80, UTF8MB4)),
        named("c", text(ColumnType::VARCHAR, 80, UTF8MB4)),
    ]);
    let rules = ColumnRules { truncations: vec![(list("db.t.[bc]"), 20)], ..mask("db.t.a", Mask::Asterisks(1)) };
    let plan = Plan::compile(&table, None, &options(rules)).unwrap();
    let MessageSchema::KeyValue(schema) = plan.message_schema() else { panic!("key and value") };
    let field =
        r#"{"name":"a","type":["null",{"type":"string","connect.parameters":{"masked":"true"}}],"default":null}"#;
    assert!(schema.value.definition.contains(field), "{}", schema.value.definition);
    // Twenty characters fit already.
    assert!(!schema.value.definition.contains("truncateLength"), "{}", schema.value.definition);
}

fn outbox_table() -> Arc<TableMap> {
    let columns = ["id", "aggregatetype", "aggregateid", "payload", "secreto", "fuera"]
        .map(|name| named(name, text(ColumnType::VARCHAR, 400, UTF8MB4)));
    table(columns.into())
}

fn routed(rules: ColumnRules, outbox: OutboxOptions) -> (Route, String, String) {
    let table = outbox_table();
    let values =
        ["e1", "pago", "k1", "{\"tarjeta\": 4111", "s3creta", "f0era"].map(|text| Value::Bytes(text.as_bytes()));
    let bytes = image(&table, &values);
    let rows = RowsEvent::from_images(RowsKind::Insert, &table, &bytes);
    let plan = OutboxPlan::compile(&table, None, &options(rules), &outbox).unwrap();
    let (mut scratch, mut buffer) = (RowScratch::new(), MessageBuffer::default());
    let mut reader = rows.reader(&mut scratch);
    let row = reader.next_row().unwrap().unwrap();
    let route = plan.route(&row, Operation::Create, &log::context(), &mut buffer).unwrap();
    let message = &buffer.messages()[0];
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
    let value = text(buffer.value(message));
    (route, value, format!("{} {:?}", text(buffer.key(message)), buffer.properties(message)))
}

/// The router reads the event, and so it reads what is masked.
#[test]
fn rows_of_an_outbox_are_masked_before_they_are_routed() {
    let rules = mask("db\\.t\\.(payload|aggregateid)", Mask::Asterisks(5));
    let topic = || TopicRule::Template(Template::parse("${aggregatetype}").unwrap());
    let outbox = OutboxOptions { value: Payload::Text, topic: topic(), ..OutboxOptions::default() };
    let (route, value, rest) = routed(rules, outbox);
    assert_eq!(route, Route::Message { topic: "pago".into() });
    assert_eq!((value.as_str(), rest.as_str()), ("*****", r#"***** [("id", "e1")]"#));
}

#[test]
fn a_dead_letter_is_masked_too() {
    let rules = ColumnRules {
        selection: ColumnSelection::Exclude(list("db.t.fuera")),
        masks: vec![(list("db.t.secreto"), Mask::Asterisks(5)), (list("db.t.payload"), Mask::Asterisks(2))],
        truncations: vec![(list("db.t.aggregatetype"), 2)],
    };
    let outbox = OutboxOptions {
        value: Payload::Json,
        dead_letters: DeadLetters::Send { topic: None },
        ..OutboxOptions::default()
    };
    let (route, value, rest) = routed(rules, outbox);
    let Route::DeadLetter { reason, .. } = route else { panic!("{route:?}") };
    assert_eq!(value, r#"{"id":"e1","aggregatetype":"pa","aggregateid":"k1","payload":"**","secreto":"*****"}"#);
    for plain in ["4111", "s3creta", "f0era"] {
        assert!(!reason.contains(plain) && !rest.contains(plain), "{reason} {rest}");
    }
}

#[test]
fn an_outbox_needs_columns_that_are_left_out() {
    let compile = |rules| OutboxPlan::compile(&outbox_table(), None, &options(rules), &OutboxOptions::default());
    let error = compile(exclude("db.t.payload")).unwrap_err().to_string();
    assert_eq!(
        error,
        "column payload of outbox table db.t, which table.field.event.payload (columns.payload) names, is left out by \
        column.include.list or column.exclude.list; let the lists keep it, or mask it"
    );
    assert!(compile(exclude("db.t.fuera")).is_ok());
}
