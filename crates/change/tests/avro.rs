//! The Avro definitions that the Pulsar connector registered for the recorded tables, and ours for the same tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use bitacora_binlog::table::KeyPart;
use bitacora_binlog::{Column, ColumnType, TableMap};
use bitacora_change::ddl_record::DdlRecordEncoder;
use bitacora_change::{
    ColumnDefault, ColumnDescription, ColumnRules, Connector, DebeziumForm, MessageSchema, NullWithDefault, Plan,
    PlanOptions, SchemaPart, TableDescription, Tombstones, ValueFormat,
};
use serde_json::Value;

const UTF8MB4: u32 = 255;
const BINARY: u32 = 63;

/// A recorded schema as it was registered: definitions (empty for bytes) and properties.
#[derive(Debug, PartialEq)]
struct Registered {
    key: String,
    value: String,
    properties: Vec<(String, String)>,
}

/// Schemas of a topic in the order of their versions.
fn recorded(recording: &str, topic: &str) -> Vec<Registered> {
    let path = format!("{}/../../tests/golden/pulsar-io/{recording}/schemas.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["topic"] == format!("persistent://public/default/{topic}"))
        .map(|line| {
            let part = |name: &str| match &line["schema"]["data"][name] {
                Value::Object(definition) => Value::Object(definition.clone()).to_string(),
                _ => String::new(),
            };
            let mut properties: Vec<_> = line["schema"]["properties"].as_object().unwrap().iter().collect();
            properties.sort_by_key(|(name, _)| *name);
            let properties =
                properties.into_iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect();
            Registered { key: part("key"), value: part("value"), properties }
        })
        .collect()
}

/// The recording lost the spaces between the parts of a definition, not the order of its facts.
fn registered(schema: &MessageSchema) -> Registered {
    let MessageSchema::KeyValue(schema) = schema else { panic!("{schema:?}") };
    let text = |part: &SchemaPart| {
        if part.definition.is_empty() {
            String::new()
        } else {
            serde_json::from_str::<Value>(&part.definition).unwrap().to_string()
        }
    };
    let mut properties = schema.properties();
    properties.sort_unstable();
    let properties = properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    Registered { key: text(&schema.key), value: text(&schema.value), properties }
}

fn column(name: &str, kind: ColumnType, meta: u16, collation: Option<u32>) -> Column {
    Column { name: Some(name.into()), collation, ..Column::new(kind, meta) }
}

fn plan(table: &str, columns: Vec<Column>, key: &[u32], defaults: &[(&str, &str)], value_format: ValueFormat) -> Plan {
    let described = columns.iter().map(|column| {
        let name = column.name.clone().unwrap();
        let default = defaults.iter().find(|(column, _)| *column == name);
        let default = default.map_or(ColumnDefault::Absent, |(_, text)| ColumnDefault::Literal((*text).into()));
        ColumnDescription { name, default, ..ColumnDescription::default() }
    });
    let description = TableDescription { columns: described.collect(), ..TableDescription::default() };
    let key = key.iter().map(|&column| KeyPart { column, prefix_characters: 0 }).collect();
    let map = TableMap::synthesize("reservas", table, columns, key).unwrap();
    Plan::compile(&map, Some(&description), &options(value_format)).unwrap()
}

fn options(value_format: ValueFormat) -> PlanOptions {
    PlanOptions {
        connector: Connector::Mysql,
        form: DebeziumForm::V1_9,
        topic_prefix: "aeroalpesdb".into(),
        value_format,
        tombstones: Tombstones::Emit,
        null_with_default: NullWithDefault::Replace,
        columns: ColumnRules::default(),
        topic_collision: bitacora_change::TopicCollision::Stop,
    }
}

fn check(version: usize, table: &str, columns: Vec<Column>, key: &[u32], defaults: &[(&str, &str)]) {
    let plan = plan(table, columns, key, defaults, ValueFormat::Json);
    let mut recorded = recorded("default", plan.topic());
    assert_eq!(registered(plan.message_schema()), recorded.remove(version), "{table}");
}

fn users(with_age: bool) -> Vec<Column> {
    let mut columns = vec![Column { nullable: false, ..column("id", ColumnType::LONG, 0, None) }];
    for name in ["nombres", "apellidos", "direccion", "telefono", "email", "password"] {
        columns.push(column(name, ColumnType::VARCHAR, 1_020, Some(UTF8MB4)));
    }
    if with_age {
        columns.insert(2, column("edad", ColumnType::SHORT, 0, None));
    }
    columns
}

#[test]
fn a_table_before_and_after_its_change() {
    check(0, "usuarios_legado", users(false), &[0], &[]);
    check(1, "usuarios_legado", users(true), &[0], &[]);
}

#[test]
fn a_table_without_key() {
    let columns = vec![column("x", ColumnType::LONG, 0, None), column("v", ColumnType::VARCHAR, 40, Some(UTF8MB4))];
    check(0, "sinpk", columns, &[], &[]);
}

#[test]
fn a_required_column_with_a_default() {
    let columns = vec![
        Column { nullable: false, ..column("id", ColumnType::LONG, 0, None) },
        Column { nullable: false, ..column("v", ColumnType::VARCHAR, 40, Some(UTF8MB4)) },
    ];
    check(0, "nueva", columns, &[0], &[("v", "d")]);
}

#[test]
fn every_type() {
    use ColumnType as T;
    let labels = |labels: &[&str]| labels.iter().map(|label| label.as_bytes().to_vec()).collect();
    let unsigned = |column: Column| Column { unsigned: true, ..column };
    let required = |column: Column| Column { nullable: false, ..column };
    let columns = vec![
        required(unsigned(column("a", T::LONGLONG, 0, None))),
        required(column("b", T::VARCHAR, 80, Some(UTF8MB4))),
        column("dec1", T::NEWDECIMAL, 12 << 8 | 3, None),
        column("f", T::FLOAT, 4, None),
        column("d", T::DOUBLE, 8, None),
        column("t1", T::TINY, 0, None),
        column("b1", T::BIT, 1, None),
        column("b9", T::BIT, 9, None),
        column("i8", T::TINY, 0, None),
        unsigned(column("u8", T::TINY, 0, None)),
        unsigned(column("u32", T::LONG, 0, None)),
        column("dt", T::DATE, 0, None),
        column("t", T::TIME2, 0, None),
        column("t6", T::TIME2, 6, None),
        column("dtm", T::DATETIME2, 0, None),
        column("dtm3", T::DATETIME2, 3, None),
        column("dtm6", T::DATETIME2, 6, None),
        column("ts", T::TIMESTAMP2, 0, None),
        column("ts6", T::TIMESTAMP2, 6, None),
        column("y", T::YEAR, 0, None),
        column("c", T::STRING, 20, Some(UTF8MB4)),
        column("tx", T::BLOB, 2, Some(UTF8MB4)),
        column("bl", T::BLOB, 2, Some(BINARY)),
        column("vb", T::VARCHAR, 8, Some(BINARY)),
        column("bin", T::STRING, 4, Some(BINARY)),
        Column { labels: labels(&["uno", "dos"]), ..column("e", T::ENUM, 1, Some(UTF8MB4)) },
        Column { labels: labels(&["x", "y", "z"]), ..column("s", T::SET, 1, Some(UTF8MB4)) },
        column("j", T::JSON, 4, None),
        required(column("def", T::LONG, 0, None)),
        column("defs", T::VARCHAR, 40, Some(UTF8MB4)),
    ];
    check(0, "tipos", columns, &[0, 1], &[("def", "7"), ("defs", "hola")]);
}

#[test]
fn messages_that_carry_their_schemas_are_bytes() {
    let plan = plan("usuarios_legado", users(false), &[0], &[], ValueFormat::JsonWithEnvelope);
    assert_eq!(registered(plan.message_schema()), recorded("envelope", plan.topic()).remove(0));
}

#[test]
fn records_of_statements() {
    for (recording, value_format) in [("default", ValueFormat::Json), ("envelope", ValueFormat::JsonWithEnvelope)] {
        let records = DdlRecordEncoder::new(&options(value_format));
        assert_eq!(registered(records.message_schema()), recorded(recording, records.topic()).remove(0));
    }
}
