//! Every column type: stored bytes in, JSON out, in both forms; which columns are the key; what a change of the key
//! becomes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod log;

use std::sync::Arc;

use bitacora_binlog::encode::{ImageWriter, Value};
use bitacora_binlog::table::KeyPart;
use bitacora_binlog::{Column, ColumnType, RowScratch, RowsEvent, RowsKind, TableMap};
use bitacora_change::{
    ColumnDefault, ColumnDescription, Connector, DebeziumForm, MessageBuffer, Operation, Plan, PlanOptions,
    TableDescription, Tombstones, ValueFormat,
};

fn options(form: DebeziumForm) -> PlanOptions {
    log::options(Connector::Mysql, form, ValueFormat::Json)
}

fn named(name: &str, kind: ColumnType, meta: u16) -> Column {
    Column { name: Some(name.into()), ..Column::new(kind, meta) }
}

/// A table `db.t`; the key's columns by index.
fn table(columns: Vec<Column>, key: &[u32]) -> Arc<TableMap> {
    let key = key.iter().map(|&column| KeyPart { column, prefix_characters: 0 }).collect();
    Arc::new(TableMap::synthesize("db", "t", columns, key).unwrap())
}

fn described(columns: &[(&str, &str, ColumnDefault)]) -> TableDescription {
    let columns = columns.iter().map(|(name, type_name, default)| ColumnDescription {
        name: (*name).into(),
        type_name: (*type_name).into(),
        default: default.clone(),
        is_nullable: true,
        ..ColumnDescription::default()
    });
    TableDescription { database: "db".into(), table: "t".into(), columns: columns.collect(), ..Default::default() }
}

/// Key and value of a message.
type Pair = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Keys and values of the messages of one row, whose images follow one another.
fn messages(
    table: &Arc<TableMap>,
    description: Option<&TableDescription>,
    options: &PlanOptions,
    operation: Operation,
    images: &[&[Value<'_>]],
) -> Vec<Pair> {
    let mut bytes = Vec::new();
    for image in images {
        let mut writer = ImageWriter::begin(table, &mut bytes);
        for value in *image {
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
    let plan = Plan::compile(table, description, options).unwrap();
    let (mut scratch, mut buffer) = (RowScratch::new(), MessageBuffer::default());
    let mut reader = rows.reader(&mut scratch);
    let row = reader.next_row().unwrap().unwrap();
    plan.encode(&row, operation, &log::context(), &mut buffer).unwrap();
    let keep = |part: Option<&[u8]>| part.map(<[u8]>::to_vec);
    buffer.messages().iter().map(|message| (keep(buffer.key(message)), keep(buffer.value(message)))).collect()
}

/// What a single value of column `c` is printed as.
fn printed(column: Column, type_name: &str, default: ColumnDefault, form: DebeziumForm, value: Value<'_>) -> String {
    let table = table(vec![Column { name: Some("c".into()), ..column }], &[]);
    let description = described(&[("c", type_name, default)]);
    let messages = messages(&table, Some(&description), &options(form), Operation::Create, &[&[value]]);
    let value = String::from_utf8(messages[0].1.clone().unwrap()).unwrap();
    serde_json::from_str::<serde_json::Value>(&value).expect("an event is JSON");
    let start = value.find("\"after\":{\"c\":").unwrap() + 13;
    value[start..value.find("},\"source\"").unwrap()].to_owned()
}

fn check(column: Column, value: Value<'_>, expected: &str) {
    for form in [DebeziumForm::V1_9, DebeziumForm::V3_6] {
        let printed = printed(column.clone(), "", ColumnDefault::Absent, form, value);
        assert_eq!(printed, expected, "{:?} {form:?} {value:?}", column.kind);
    }
}

fn new(kind: ColumnType, meta: u16) -> Column {
    Column::new(kind, meta)
}

fn with_collation(kind: ColumnType, meta: u16, collation: u32) -> Column {
    Column { collation: Some(collation), ..Column::new(kind, meta) }
}

#[test]
fn numbers() {
    let unsigned = |kind| Column { unsigned: true, ..Column::new(kind, 0) };
    check(new(ColumnType::TINY, 0), Value::Signed(-128), "-128");
    check(unsigned(ColumnType::TINY), Value::Unsigned(255), "255");
    check(new(ColumnType::SHORT, 0), Value::Signed(-32_768), "-32768");
    check(unsigned(ColumnType::INT24), Value::Unsigned(16_777_215), "16777215");
    check(new(ColumnType::INT24, 0), Value::Signed(-8_388_608), "-8388608");
    check(unsigned(ColumnType::LONG), Value::Unsigned(4_294_967_295), "4294967295");
    check(new(ColumnType::LONGLONG, 0), Value::Signed(i64::MIN), "-9223372036854775808");
    check(unsigned(ColumnType::LONGLONG), Value::Unsigned(u64::MAX), "-1");
    check(new(ColumnType::DOUBLE, 8), Value::Double(1e10), "1.0E10");
    check(new(ColumnType::BIT, 1), Value::Unsigned(1), "true");
    check(new(ColumnType::BIT, 9), Value::Unsigned(0x155), "\"VQE=\"");
    check(new(ColumnType::YEAR, 0), Value::Year(0), "0");
    check(new(ColumnType::YEAR, 0), Value::Year(2155), "2155");
    let float = |form| printed(new(ColumnType::FLOAT, 4), "", ColumnDefault::Absent, form, Value::Float(0.1));
    assert_eq!([float(DebeziumForm::V1_9), float(DebeziumForm::V3_6)], ["0.10000000149011612", "0.1"]);
}

#[test]
fn a_default_of_float_is_printed_as_a_row_prints_the_value() {
    let row = |value, form| {
        let default = ColumnDefault::Literal("0.1".into());
        printed(new(ColumnType::FLOAT, 4), "FLOAT", default, form, value)
    };
    for (form, expected) in [(DebeziumForm::V1_9, "0.10000000149011612"), (DebeziumForm::V3_6, "0.1")] {
        assert_eq!([row(Value::Null, form), row(Value::Float(0.1), form)], [expected, expected], "{form:?}");
    }
}

#[test]
fn decimals() {
    let decimal = |precision: u16, scale| new(ColumnType::NEWDECIMAL, precision << 8 | scale);
    check(decimal(10, 2), Value::Decimal("0.00"), "\"AA==\"");
    check(decimal(10, 2), Value::Decimal("-1.28"), "\"gA==\"");
    check(decimal(10, 2), Value::Decimal("1.28"), "\"AIA=\"");
    // Around 18 and 38 digits, where the arithmetic changes its width.
    check(decimal(18, 0), Value::Decimal("999999999999999999"), "\"DeC2s6dj//8=\"");
    check(decimal(18, 0), Value::Decimal("-999999999999999999"), "\"8h9JTFicAAE=\"");
    check(decimal(19, 0), Value::Decimal("-9999999999999999999"), "\"/3U43Pt2GAAB\"");
    check(decimal(38, 2), Value::Decimal("-999999999999999999999999999999999999.99"), "\"tMSzV6V5O4X2dd3AAAAAAQ==\"");
    check(decimal(38, 0), Value::Decimal("99999999999999999999999999999999999999"), "\"SztMqFqGxHoJiiI//////w==\"");
    check(decimal(39, 0), Value::Decimal("-999999999999999999999999999999999999999"), "\"/Q+vAWx2vFM7oJqpgAAAAAE=\"");
    check(
        decimal(65, 30),
        Value::Decimal("-12345678901234567890123456789012345.000000000000000000000000000009"),
        "\"4f1D4Wh6dCOTRq+nDL20Ea6QCkhv/oe////3\"",
    );
}

#[test]
fn temporal_values() {
    use bitacora_binlog::value::{Date, DateTime, Time, Timestamp};
    let date = |year, month, day| Date { year, month, day };
    check(new(ColumnType::DATE, 0), Value::Date(date(1970, 1, 2)), "1");
    check(new(ColumnType::DATE, 0), Value::Date(date(1969, 12, 31)), "-1");
    check(new(ColumnType::DATE, 0), Value::Date(date(0, 0, 0)), "null");
    check(Column { nullable: false, ..new(ColumnType::DATE, 0) }, Value::Date(date(0, 0, 0)), "0");
    for form in [DebeziumForm::V1_9, DebeziumForm::V3_6] {
        let default = ColumnDefault::Literal("2024-01-01".into());
        let zero = Value::Date(date(0, 0, 0));
        assert_eq!(printed(new(ColumnType::DATE, 0), "DATE", default, form, zero), "19723");
    }
    let longest = Time { is_negative: true, hour: 838, minute: 59, second: 59, microsecond: 0 };
    check(new(ColumnType::TIME2, 0), Value::Time(longest), "-3020399000000");
    let fraction = Time { microsecond: 999_999, ..longest };
    check(new(ColumnType::TIME2, 6), Value::Time(fraction), "-3020399999999");
    let clock = DateTime { date: date(2024, 2, 29), hour: 1, minute: 2, second: 3, microsecond: 123_456 };
    check(new(ColumnType::DATETIME2, 6), Value::DateTime(clock), "1709168523123456");
    check(new(ColumnType::DATETIME2, 0), Value::DateTime(DateTime { microsecond: 0, ..clock }), "1709168523000");
    let instant = Timestamp { seconds: 1_709_168_523, microsecond: 120_000 };
    check(new(ColumnType::TIMESTAMP2, 2), Value::Timestamp(instant), "\"2024-02-29T01:02:03.12Z\"");
    let zero = Timestamp { seconds: 0, microsecond: 0 };
    check(new(ColumnType::TIMESTAMP2, 0), Value::Timestamp(zero), "null");
    let required = Column { nullable: false, ..new(ColumnType::TIMESTAMP2, 0) };
    check(required, Value::Timestamp(zero), "\"1970-01-01T00:00:00Z\"");
}

#[test]
fn text_bytes_and_labels() {
    check(with_collation(ColumnType::VARCHAR, 40, 255), Value::Bytes("ñ\"😀".as_bytes()), "\"ñ\\\"\\uD83D\\uDE00\"");
    check(with_collation(ColumnType::VARCHAR, 40, 8), Value::Bytes(b"\xf1\x80"), "\"ñ€\"");
    check(with_collation(ColumnType::VARCHAR, 40, 63), Value::Bytes(b"\x01\x02"), "\"AQI=\"");
    check(with_collation(ColumnType::STRING, 4, 63), Value::Bytes(b"\x0a\x0b"), "\"CgsAAA==\"");
    check(with_collation(ColumnType::BLOB, 2, 63), Value::Bytes(b"\x00\xff\x10"), "\"AP8Q\"");
    check(with_collation(ColumnType::BLOB, 2, 255), Value::Bytes(b""), "\"\"");
    let labels = |kind| Column { labels: vec![b"uno".to_vec(), b"d\"os".to_vec()], ..with_collation(kind, 1, 255) };
    check(labels(ColumnType::ENUM), Value::Unsigned(2), "\"d\\\"os\"");
    check(labels(ColumnType::ENUM), Value::Unsigned(0), "\"\"");
    check(labels(ColumnType::SET), Value::Unsigned(3), "\"uno,d\\\"os\"");
    check(labels(ColumnType::SET), Value::Unsigned(0), "\"\"");
}

#[test]
fn compressed_columns() {
    use std::io::Write as _;
    let text = "mucho texto, ".repeat(50);
    // The head says zlib and two bytes of length.
    let mut stored = vec![0x82];
    stored.extend_from_slice(&(text.len() as u16).to_be_bytes());
    let mut zlib = flate2::write::ZlibEncoder::new(stored, flate2::Compression::default());
    zlib.write_all(text.as_bytes()).unwrap();
    let stored = zlib.finish().unwrap();
    check(with_collation(ColumnType::BLOB_COMPRESSED, 2, 255), Value::Bytes(&stored), &format!("\"{text}\""));
    check(with_collation(ColumnType::VARCHAR_COMPRESSED, 900, 63), Value::Bytes(b"\x00\x01\x02"), "\"AQI=\"");
    check(with_collation(ColumnType::VARCHAR_COMPRESSED, 900, 255), Value::Bytes(b""), "\"\"");
}

#[test]
fn documents_shapes_and_addresses() {
    let json = br#"{"a b": [1, 2.50, "x, y: \"z\" \\"], "c": null}"#;
    let compact = r#""{\"a b\":[1,2.50,\"x, y: \\\"z\\\" \\\\\"],\"c\":null}""#;
    check(new(ColumnType::JSON_TEXT, 4), Value::Bytes(json), compact);
    let mut point = vec![0, 0, 0, 0, 1, 1, 0, 0, 0];
    point.extend_from_slice(&1.5f64.to_le_bytes());
    point.extend_from_slice(&(-2f64).to_le_bytes());
    let shape = |kind| Column { geometry_type: Some(kind), ..new(ColumnType::GEOMETRY, 4) };
    let wkb = "\"AQEAAAAAAAAAAAD4PwAAAAAAAADA\"";
    check(shape(1), Value::Bytes(&point), &format!("{{\"x\":1.5,\"y\":-2.0,\"wkb\":{wkb},\"srid\":null}}"));
    point[..4].copy_from_slice(&4_326u32.to_le_bytes());
    check(shape(0), Value::Bytes(&point), &format!("{{\"wkb\":{wkb},\"srid\":4326}}"));
    let vector: Vec<u8> = [1f32, -2.5].iter().flat_map(|number| number.to_le_bytes()).collect();
    check(new(ColumnType::VECTOR, 4), Value::Bytes(&vector), "[1.0,-2.5]");
    let of_mariadb = with_collation(ColumnType::VARCHAR, 8, 63);
    let text = printed(of_mariadb, "VECTOR", ColumnDefault::Null, DebeziumForm::V3_6, Value::Bytes(&vector));
    assert_eq!(text, "[1.0,-2.5]");
    for (type_name, length, bytes, expected) in [
        (
            "UUID",
            16,
            &b"\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x55\x44"[..],
            "\"123e4567-e89b-12d3-a456-426655440000\"",
        ),
        ("INET4", 4, b"\x0a\x01", "\"10.1.0.0\""),
        ("INET6", 16, b"\x20\x01\x0d\xb8", "\"2001:db8::\""),
    ] {
        let column = with_collation(ColumnType::STRING, length, 63);
        let text = printed(column, type_name, ColumnDefault::Absent, DebeziumForm::V3_6, Value::Bytes(bytes));
        assert_eq!(text, expected, "{type_name}");
    }
}

/// Keys and values as text, without what stands behind the images.
fn short(messages: Vec<Pair>) -> Vec<(String, String)> {
    let text = |part: Option<Vec<u8>>| part.map_or("–".to_owned(), |bytes| String::from_utf8(bytes).unwrap());
    let cut = |value: String| value.split(",\"source\"").next().unwrap().to_owned();
    messages.into_iter().map(|(key, value)| (text(key), cut(text(value)))).collect()
}

#[test]
fn the_key_is_the_primary_key_then_the_first_unique_key_without_null() {
    let columns = |nullable| -> Vec<Column> {
        ["a", "b"].map(|name| Column { nullable, ..named(name, ColumnType::LONG, 0) }).to_vec()
    };
    let row: &[Value<'_>] = &[Value::Signed(1), Value::Signed(2)];
    let key = |table: &Arc<TableMap>, description: Option<&TableDescription>| {
        let options = options(DebeziumForm::V3_6);
        short(messages(table, description, &options, Operation::Create, &[row]))[0].0.clone()
    };
    assert_eq!(key(&table(columns(false), &[1, 0]), None), r#"{"b":2,"a":1}"#);
    assert_eq!(key(&table(columns(false), &[]), None), "–");
    let mut description = described(&[("a", "INT", ColumnDefault::Absent), ("b", "INT", ColumnDefault::Absent)]);
    description.unique_keys = vec![vec!["b".into()]];
    assert_eq!(key(&table(columns(false), &[]), Some(&description)), r#"{"b":2}"#);
    assert_eq!(key(&table(columns(true), &[]), Some(&description)), "–");
}

#[test]
fn a_changed_key_is_a_delete_and_a_create() {
    let table = table(vec![Column { nullable: false, ..named("a", ColumnType::LONG, 0) }], &[0]);
    let images: &[&[Value<'_>]] = &[&[Value::Signed(1)], &[Value::Signed(2)]];
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let delete = pair(r#"{"a":1}"#, r#"{"before":{"a":1},"after":null"#);
    let create = pair(r#"{"a":2}"#, r#"{"before":null,"after":{"a":2}"#);
    let mut options = options(DebeziumForm::V3_6);
    let with = short(messages(&table, None, &options, Operation::Update, images));
    assert_eq!(with, [delete.clone(), pair(r#"{"a":1}"#, "–"), create.clone()]);
    options.tombstones = Tombstones::Omit;
    assert_eq!(short(messages(&table, None, &options, Operation::Update, images)), [delete, create]);
}

#[test]
fn a_message_with_schemas_frames_an_absent_key_by_a_length_of_minus_one() {
    let mut options = options(DebeziumForm::V1_9);
    options.value_format = ValueFormat::JsonWithEnvelope;
    let row: &[Value<'_>] = &[Value::Signed(1)];
    let without = table(vec![named("a", ColumnType::LONG, 0)], &[]);
    let (key, value) = messages(&without, None, &options, Operation::Create, &[row]).remove(0);
    let value = value.unwrap();
    assert_eq!((key, &value[..4]), (None, &[0xff; 4][..]));
    assert_eq!(u32::from_be_bytes(value[4..8].try_into().unwrap()) as usize, value.len() - 8);
    let with = table(vec![Column { nullable: false, ..named("a", ColumnType::LONG, 0) }], &[0]);
    let (key, value) = messages(&with, None, &options, Operation::Create, &[row]).remove(0);
    let (key, value) = (key.unwrap(), value.unwrap());
    let length = u32::from_be_bytes(value[..4].try_into().unwrap()) as usize;
    let inline = &value[4..4 + length];
    assert!(inline.ends_with(br#","payload":{"a":1}}"#));
    let mut base64 = Vec::new();
    bitacora_change::json::write_base64(inline, &mut base64);
    assert_eq!(key, base64);
}
