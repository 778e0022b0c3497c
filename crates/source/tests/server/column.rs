//! For every column type, the snapshot's image of a row equals the image in the log.
//!
//! Exceptions are MySQL's JSON (a binary form in the log, the server's text in the snapshot) and MariaDB's COMPRESSED.
//! The plans print these, like all other types, in the same way from both images, and consumers see only that.

use std::sync::Arc;

use bitacora_binlog::{Body, Cell, Column, ColumnType, Decoder, Row, RowScratch, RowsKind, TableMap};
use bitacora_change::{
    ColumnRules, Connector, DebeziumForm, EventContext, LoggedTable, MessageBuffer, NullWithDefault, Operation, Plan,
    PlanOptions, SnapshotMark, TableDescription, Tombstones, ValueFormat,
};
use bitacora_source::ddl::{Catalog, SqlMode, scan};
use bitacora_source::replication::{Client, EventChunk, ReplicaOptions, StreamState, Waiting};
use bitacora_source::{Filter, FilterOptions, Position, ServerConfig, quoted};
use bitacora_source::{Snapshot, SnapshotChunk, SnapshotOptions, SnapshotState};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::config;

/// The bytes of a row's columns, and the messages that the plan prints.
struct Seen {
    cells: Vec<Option<Vec<u8>>>,
    printed: Vec<(Option<String>, Option<String>)>,
}

fn seen(map: &TableMap, description: &TableDescription, row: &Row<'_>) -> Seen {
    let image = row.after.as_ref().unwrap();
    let cells = (0..map.columns.len())
        .map(|index| match image.column(index) {
            Cell::Value(bytes) => Some(bytes.to_vec()),
            Cell::Null => None,
            Cell::Absent => panic!("{:?} is absent", map.columns[index].name),
        })
        .collect();
    let plan = Plan::compile(map, Some(description), &plan_options()).unwrap();
    let mut buffer = MessageBuffer::default();
    plan.encode(row, Operation::Create, &context(), &mut buffer).unwrap();
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    let printed = buffer.messages().iter().map(|m| (text(buffer.key(m)), text(buffer.value(m)))).collect();
    Seen { cells, printed }
}

pub(crate) fn context() -> EventContext<'static> {
    EventContext {
        file: "binlog.000001",
        position: 4,
        row: 0,
        server_id: 1,
        gtid: None,
        thread: None,
        query: None,
        source_timestamp_us: 1,
        now_us: 2,
        snapshot: SnapshotMark::False,
    }
}

pub(crate) fn plan_options() -> PlanOptions {
    PlanOptions {
        connector: Connector::Mysql,
        form: DebeziumForm::V3_6,
        topic_prefix: "p".into(),
        value_format: ValueFormat::Json,
        tombstones: Tombstones::Omit,
        null_with_default: NullWithDefault::Keep,
        columns: ColumnRules::default(),
        topic_collision: bitacora_change::TopicCollision::Stop,
    }
}

async fn from_snapshot(config: &ServerConfig) -> (Arc<TableMap>, TableDescription, Vec<Seen>) {
    let filter =
        Filter::new(&FilterOptions { table_include_list: Some("s.all".into()), ..FilterOptions::default() }).unwrap();
    let mut snapshot = Snapshot::begin(config, &filter, &SnapshotOptions::default()).await.unwrap();
    let (mut chunk, mut scratch, mut rows) = (SnapshotChunk::new(), RowScratch::new(), Vec::new());
    while snapshot.read_chunk(&mut chunk).await.unwrap() == SnapshotState::Rows {
        let table = &snapshot.tables()[0];
        let event = chunk.event(&table.map);
        let mut reader = event.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            rows.push(seen(&table.map, &table.description, &row));
        }
    }
    let table = &snapshot.tables()[0];
    (Arc::clone(&table.map), table.description.clone(), rows)
}

async fn from_stream(
    config: &ServerConfig,
    position: &Position,
    description: &TableDescription,
) -> (Arc<TableMap>, Vec<Seen>) {
    let options = ReplicaOptions { waiting: Waiting::Never, ..ReplicaOptions::new(7001) };
    let mut client = Client::connect(config, options).await.unwrap();
    client.dump(position).await.unwrap();
    let mut decoder = Decoder::new();
    decoder.set_checksum(client.checksum());
    let (mut chunk, mut scratch, mut rows, mut map) = (EventChunk::new(), RowScratch::new(), Vec::new(), None);
    while client.read_events(&mut chunk).await.unwrap() == StreamState::Events {
        for bytes in chunk.events() {
            let Body::Rows(event) = decoder.decode(bytes).unwrap().body else { continue };
            if event.kind != RowsKind::Insert || event.table.table != "all" {
                continue;
            }
            map = Some(Arc::clone(event.table));
            let mut reader = event.reader(&mut scratch);
            while let Some(row) = reader.next_row().unwrap() {
                rows.push(seen(event.table, description, &row));
            }
        }
    }
    (map.expect("the log has the table"), rows)
}

/// Returns a column without the properties in which snapshot and log may differ.
fn comparable(column: &Column) -> Column {
    let mut column = column.clone();
    if column.kind == ColumnType::JSON_TEXT {
        column.kind = ColumnType::JSON;
    }
    // The snapshot has the plain values of COMPRESSED columns, the log the compressed ones.
    if column.kind == ColumnType::VARCHAR_COMPRESSED {
        column.kind = ColumnType::VARCHAR;
        column.meta -= 1;
    }
    if column.kind == ColumnType::BLOB_COMPRESSED {
        column.kind = ColumnType::BLOB;
    }
    if column.kind == ColumnType::YEAR {
        // A YEAR is always unsigned, and the log marks it so.
        column.unsigned = true;
    }
    if matches!(column.kind, ColumnType::ENUM | ColumnType::SET) {
        // The snapshot has the labels as UTF-8, the log in the column's character set.
        column.collation = None;
        column.labels.clear();
    }
    column
}

async fn check(server: &DatabaseServer, columns: &[(&str, &str)], rows: &[&[&str]]) {
    let list: Vec<String> = columns.iter().map(|(name, definition)| format!("{} {definition}", quoted(name))).collect();
    server.client(&format!(
        "DROP DATABASE IF EXISTS s; CREATE DATABASE s; CREATE TABLE s.`all` ({}) DEFAULT CHARSET utf8mb4",
        list.join(", ")
    ));
    let plain: Vec<&str> =
        columns.iter().filter(|(_, definition)| !definition.contains(" AS (")).map(|(name, _)| *name).collect();
    let names = plain.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let logs = server.client("FLUSH BINARY LOGS; SHOW BINARY LOGS");
    let position = Position::at(logs.lines().last().unwrap().split('\t').next().unwrap(), 4);
    for row in rows {
        assert_eq!(row.len(), plain.len());
        server.client(&format!(
            "SET sql_mode = 'ALLOW_INVALID_DATES'; SET time_zone = '+05:30'; INSERT INTO s.`all` ({names}) VALUES ({})",
            row.join(", ")
        ));
    }
    let (own_map, description, own_rows) = from_snapshot(&config(server)).await;
    let (log_map, log_rows) = from_stream(&config(server), &position, &description).await;
    assert_eq!(LoggedTable::new(&log_map, Some(&description)).differences(&log_map), [""; 0]);
    assert_eq!(own_map.columns.len(), log_map.columns.len());
    let mut differences = Vec::new();
    for (own, log) in own_map.columns.iter().zip(&log_map.columns) {
        let (own, log) = (comparable(own), comparable(log));
        if own != log {
            differences.push(format!("{own:?}\n  in the log: {log:?}"));
        }
    }
    assert_eq!(own_map.primary_key, log_map.primary_key);
    assert_eq!(own_rows.len(), rows.len());
    assert_eq!(log_rows.len(), rows.len());
    for (row, (own, log)) in own_rows.iter().zip(&log_rows).enumerate() {
        for (index, column) in own_map.columns.iter().enumerate() {
            let same = match log_map.columns[index].kind {
                ColumnType::JSON | ColumnType::VARCHAR_COMPRESSED | ColumnType::BLOB_COMPRESSED => {
                    own.cells[index].is_none() == log.cells[index].is_none()
                }
                _ => own.cells[index] == log.cells[index],
            };
            if !same {
                differences.push(format!(
                    "row {row}, {:?}: {:?}\n  in the log: {:?}",
                    column.name, own.cells[index], log.cells[index]
                ));
            }
        }
    }
    for (row, (own, log)) in own_rows.iter().zip(&log_rows).enumerate() {
        assert_eq!(own.printed.len(), 1);
        if own.printed != log.printed {
            differences.push(format!("row {row} prints {:?}\n  in the log: {:?}", own.printed, log.printed));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Without a primary key, snapshot and stream must use the unique key that the server chooses. The snapshot once took
/// the first one by name.
async fn check_key(server: &DatabaseServer, definition: &str, key: &str) {
    let create = format!("CREATE TABLE s.`all` ({definition})");
    let logs = server.client("FLUSH BINARY LOGS; SHOW BINARY LOGS");
    let position = Position::at(logs.lines().last().unwrap().split('\t').next().unwrap(), 4);
    server.client(&format!(
        "CREATE DATABASE IF NOT EXISTS s; DROP TABLE IF EXISTS s.`all`; {create}; INSERT INTO s.`all` VALUES (1, 2, \
        'c')"
    ));
    let mut catalog = Catalog::default();
    catalog.apply(&scan(&create, "", SqlMode::default()));
    let description = catalog.table("s", "all").unwrap().description();
    let (_, _, own) = from_snapshot(&config(server)).await;
    let (_, log) = from_stream(&config(server), &position, &description).await;
    for seen in [own, log] {
        let printed = seen[0].printed[0].0.as_deref().unwrap();
        let printed = printed.split_once("\"payload\":").map_or(printed, |(_, payload)| payload);
        assert_eq!(printed.trim_end_matches('}'), key.trim_end_matches('}'), "{definition}");
    }
}

async fn check_keys(server: &DatabaseServer, own: &[(&str, &str)]) {
    let common = [
        ("a INT NOT NULL, b INT NOT NULL, c CHAR(9), UNIQUE KEY z (a), UNIQUE KEY y (b)", r#"{"a":1}"#),
        (
            "a INT, b INT NOT NULL, c CHAR(9) NOT NULL, UNIQUE KEY x (a), UNIQUE KEY z (c, b), UNIQUE y (b)",
            r#"{"c":"c","b":2}"#,
        ),
        (
            "a INT NOT NULL, b INT NOT NULL, c CHAR(9) NOT NULL, UNIQUE KEY z (b), UNIQUE KEY x (c), PRIMARY KEY (a)",
            r#"{"a":1}"#,
        ),
    ];
    for (definition, key) in common.iter().chain(own) {
        check_key(server, definition, key).await;
    }
}

/// Columns of both servers, each with a usual value and two extreme ones. A further row has only NULL.
const COMMON: &[(&str, &str, [&str; 3])] = &[
    ("t1", "TINYINT", ["1", "-128", "127"]),
    ("t1u", "TINYINT UNSIGNED ZEROFILL", ["1", "0", "255"]),
    ("flag", "BOOLEAN", ["TRUE", "FALSE", "7"]),
    ("s2", "SMALLINT", ["1", "-32768", "32767"]),
    ("s2u", "SMALLINT UNSIGNED", ["1", "0", "65535"]),
    ("m3", "MEDIUMINT", ["1", "-8388608", "8388607"]),
    ("m3u", "MEDIUMINT UNSIGNED", ["1", "0", "16777215"]),
    ("i4", "INT", ["1", "-2147483648", "2147483647"]),
    ("i4u", "INT UNSIGNED", ["1", "0", "4294967295"]),
    ("i8", "BIGINT", ["1", "-9223372036854775808", "9223372036854775807"]),
    ("i8u", "BIGINT UNSIGNED", ["1", "0", "18446744073709551615"]),
    ("f", "FLOAT", ["1.1", "-3.402823466e38", "1.175494351e-38"]),
    ("f73", "FLOAT(7,3)", ["1.1", "-9999.999", "0.001"]),
    ("d", "DOUBLE", ["0.1", "-1.7976931348623157e308", "2.2250738585072014e-308"]),
    ("d104", "DOUBLE(10,4)", ["0.1", "-999999.9999", "0.0001"]),
    ("n100", "DECIMAL(10)", ["1", "-9999999999", "0"]),
    ("n", "DECIMAL(10,2)", ["123.45", "-99999999.99", "0.01"]),
    ("n55", "DECIMAL(5,5)", ["0.12345", "-0.99999", "0"]),
    (
        "n6530",
        "DECIMAL(65,30)",
        [
            "1.5",
            "-99999999999999999999999999999999999.999999999999999999999999999999",
            "12345678901234567890.123456789012345678901234567890",
        ],
    ),
    ("nu", "DECIMAL(20,9) UNSIGNED", ["1.000000001", "0", "99999999999.999999999"]),
    // YEAR stands among the numbers on purpose, because the log has an UNSIGNED flag for it too.
    ("y", "YEAR", ["2024", "0", "2155"]),
    ("after_y", "INT", ["-1", "1", "0"]),
    ("date", "DATE", ["'2024-02-29'", "'1000-01-01'", "'9999-12-31'"]),
    ("date0", "DATE", ["'0000-00-00'", "'2024-00-00'", "'2023-02-31'"]),
    ("time", "TIME", ["'12:34:56'", "'-838:59:59'", "'838:59:59'"]),
    ("time2", "TIME(2)", ["'12:34:56.78'", "'-00:00:00.01'", "'-12:34:56.99'"]),
    ("time3", "TIME(3)", ["'12:34:56.789'", "'-00:00:00.001'", "'-00:00:01.000'"]),
    ("time6", "TIME(6)", ["'12:34:56.789012'", "'-838:59:58.999999'", "'-00:00:00.000001'"]),
    ("dt", "DATETIME", ["'2024-02-29 12:34:56'", "'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'"]),
    ("dt1", "DATETIME(1)", ["'2024-02-29 12:34:56.7'", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59.9'"]),
    ("dt3", "DATETIME(3)", ["'2024-02-29 12:34:56.789'", "'1969-12-31 23:59:59.999'", "'2024-00-00 00:00:00'"]),
    (
        "dt6",
        "DATETIME(6)",
        ["'2024-02-29 12:34:56.789012'", "'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'"],
    ),
    ("ts", "TIMESTAMP NULL", ["'2024-02-29 12:34:56'", "'1970-01-02 00:00:00'", "'2038-01-19 03:14:07'"]),
    ("ts0", "TIMESTAMP NULL", ["'0000-00-00 00:00:00'", "'2024-07-01 02:30:00'", "'2000-01-01 00:00:00'"]),
    ("ts2", "TIMESTAMP(2) NULL", ["'2024-02-29 12:34:56.78'", "'1970-01-02 00:00:00.01'", "'2024-03-31 02:30:00.99'"]),
    (
        "ts6",
        "TIMESTAMP(6) NULL",
        ["'2024-02-29 12:34:56.789012'", "'1970-01-02 00:00:00'", "'2038-01-19 03:14:07.999999'"],
    ),
    ("c", "CHAR(10)", ["'ñandú'", "''", "'a  '"]),
    ("cl", "CHAR(10) CHARACTER SET latin1", ["'ñandú'", "''", "'a  '"]),
    ("c255", "CHAR(255)", ["'x'", "REPEAT('ñ', 255)", "''"]),
    ("cu", "CHAR(5) CHARACTER SET ucs2", ["'ñandú'", "''", "'a'"]),
    ("bin", "BINARY(4)", ["'ab'", "X'00000000'", "X'61006200'"]),
    ("bin255", "BINARY(255)", ["'ab'", "REPEAT('x', 255)", "' '"]),
    ("v", "VARCHAR(20)", ["'ñandú 🦤'", "''", "'a  '"]),
    ("vg", "VARCHAR(20) CHARACTER SET gbk", ["'中文'", "''", "'a'"]),
    ("v16", "VARCHAR(20) CHARACTER SET utf16", ["'中文🦤'", "''", "'a'"]),
    ("vcs", "VARCHAR(20) COLLATE utf8mb4_bin", ["'Aa'", "''", "'a'"]),
    ("vlong", "VARCHAR(2000)", ["'x'", "REPEAT('ñ', 2000)", "''"]),
    ("vb", "VARBINARY(300)", ["X'00ff00'", "''", "REPEAT('x', 300)"]),
    ("tt", "TINYTEXT", ["'ñ'", "''", "REPEAT('x', 255)"]),
    ("tx", "TEXT", ["'ñ'", "''", "REPEAT('x', 65535)"]),
    ("tl", "TEXT CHARACTER SET latin1", ["'ñ'", "''", "'\\\\'"]),
    ("mt", "MEDIUMTEXT", ["'ñ'", "''", "REPEAT('x', 70000)"]),
    ("lt", "LONGTEXT", ["'ñ'", "''", "REPEAT('x', 70000)"]),
    ("tb", "TINYBLOB", ["X'00ff'", "''", "X'00'"]),
    ("bl", "BLOB", ["X'00ff'", "''", "X'00'"]),
    ("mb", "MEDIUMBLOB", ["X'00ff'", "''", "REPEAT('x', 70000)"]),
    ("lb", "LONGBLOB", ["X'00ff'", "''", "REPEAT('x', 70000)"]),
    ("js", "JSON", ["'{\"a\": [1, 2.5, \"ñ\", null]}'", "'[]'", "'\"x\"'"]),
    ("b1", "BIT(1)", ["b'1'", "b'0'", "b'1'"]),
    ("b12", "BIT(12)", ["b'101'", "b'0'", "b'111111111111'"]),
    ("b64", "BIT(64)", ["b'101'", "b'0'", "18446744073709551615"]),
    ("e", "ENUM('a','it''s','b,c')", ["'it''s'", "'a'", "'b,c'"]),
    ("el", "ENUM('ñ','ú') CHARACTER SET latin1", ["'ñ'", "'ú'", "'ñ'"]),
    ("ex", "ENUM('a\\\\b','c\\nd','e\\rf','g\\0h','i''\\\\','k\\tl')", ["'a\\\\b'", "'c\\nd'", "'i''\\\\'"]),
    ("sx", "SET('a\\\\b','c\\nd','e\\rf','g\\0h')", ["'a\\\\b,c\\nd'", "'e\\rf'", "'g\\0h'"]),
    ("st", "SET('a','b','c')", ["'a,c'", "''", "'a,b,c'"]),
    (
        "pt",
        "POINT",
        ["ST_GeomFromText('POINT(1 -2.5)')", "ST_GeomFromText('POINT(0 0)')", "ST_GeomFromText('POINT(1e10 1)')"],
    ),
    (
        "ge",
        "GEOMETRY",
        [
            "ST_GeomFromText('LINESTRING(0 0, 1 1)', 0)",
            "ST_GeomFromText('POINT(1 1)')",
            "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')",
        ],
    ),
    (
        "ls",
        "LINESTRING",
        ["ST_GeomFromText('LINESTRING(0 0, 1 1)')", "NULL", "ST_GeomFromText('LINESTRING(0 0, 2 2)')"],
    ),
    ("back`tick", "INT", ["1", "2", "3"]),
];

fn enum_of_300() -> String {
    format!("ENUM({})", (0..300).map(|i| format!("'v{i}'")).collect::<Vec<_>>().join(","))
}

fn set_of(count: usize) -> String {
    format!("SET({})", (0..count).map(|i| format!("'v{i}'")).collect::<Vec<_>>().join(","))
}

async fn check_all(server: &DatabaseServer, own: &[(&str, &str, [&str; 3])], computed: &[(&str, &str)]) {
    let (large, set9, set33, set64) = (enum_of_300(), set_of(9), set_of(33), set_of(64));
    let generated = [
        ("e300", large.as_str(), ["'v0'", "'v299'", "'v256'"]),
        ("s9", set9.as_str(), ["'v8'", "'v0'", "''"]),
        ("s33", set33.as_str(), ["'v32,v1'", "'v0'", "''"]),
        ("s64", set64.as_str(), ["'v63'", "'v0'", "'v31,v63'"]),
    ];
    let typed: Vec<_> = COMMON.iter().chain(own).chain(&generated).copied().collect();
    let mut columns = vec![("id", "INT NOT NULL PRIMARY KEY")];
    columns.extend(typed.iter().map(|(name, definition, _)| (*name, *definition)));
    columns.extend(computed.iter().copied());
    let mut rows: Vec<Vec<&str>> = Vec::new();
    for (index, id) in ["1", "2", "3"].into_iter().enumerate() {
        rows.push(std::iter::once(id).chain(typed.iter().map(|(_, _, values)| values[index])).collect());
    }
    rows.push(std::iter::once("4").chain(typed.iter().map(|_| "NULL")).collect());
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    check(server, &columns, &rows).await;
}

#[tokio::test]
async fn mysql() {
    let server = Mysql::start(MysqlOptions::default());
    let of_expressions =
        "a INT NOT NULL, b INT NOT NULL, c CHAR(9), UNIQUE KEY x ((a + 1), b), UNIQUE KEY z (a), UNIQUE KEY y (b)";
    check_keys(&server, &[(of_expressions, r#"{"a":1}"#)]).await;
    check_all(
        &server,
        &[
            ("vec", "VECTOR(3)", ["TO_VECTOR('[1,-2.5,3]')", "TO_VECTOR('[0]')", "TO_VECTOR('[1,2]')"]),
            (
                "srid",
                "POINT SRID 4326",
                ["ST_GeomFromText('POINT(1 2)', 4326)", "NULL", "ST_GeomFromText('POINT(3 4)', 4326)"],
            ),
            (
                "js2",
                "JSON",
                [
                    "'{\"z\": 1.0, \"aa\": 1e30, \"b\": \"a: b, \\\\\"c\\\\\"\"}'",
                    "JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 'n', 1.50, 'b', TRUE, 't', CAST('12:34:56.5' AS \
                    TIME(6)))",
                    "JSON_ARRAY(CAST(X'00ff' AS CHAR(2) CHARACTER SET binary), 1e-7, -0.0, 18446744073709551615)",
                ],
            ),
            ("hidden", "INT DEFAULT 5 INVISIBLE", ["1", "2", "3"]),
        ],
        &[("stored", "INT AS (id + 1) STORED"), ("virt", "VARCHAR(30) AS (CONCAT('v', id)) VIRTUAL")],
    )
    .await;
}

#[tokio::test]
async fn mariadb() {
    let server = Mariadb::start(MariadbOptions::default());
    check_keys(&server, &[]).await;
    check_all(
        &server,
        &[
            (
                "uu",
                "UUID",
                [
                    "'01234567-89ab-1def-8123-456789abcdef'",
                    "'00000000-0000-0000-0000-000000000000'",
                    "'ffffffff-ffff-7fff-bfff-ffffffffffff'",
                ],
            ),
            (
                "uu4",
                "UUID",
                ["'550e8400-e29b-41d4-a716-446655440000'", "'550e8400-e29b-41d4-0716-446655440000'", "UUID()"],
            ),
            ("in4", "INET4", ["'192.168.0.1'", "'0.0.0.0'", "'255.255.255.0'"]),
            ("in6", "INET6", ["'2001:db8::ff00:42:8329'", "'::'", "'::ffff:1.2.3.4'"]),
            ("hidden", "INT INVISIBLE", ["1", "2", "3"]),
            ("vc", "VARCHAR(100) COMPRESSED", ["REPEAT('ab', 50)", "''", "'a'"]),
            ("tc", "TEXT COMPRESSED", ["REPEAT('ab', 500)", "''", "'a'"]),
        ],
        &[("stored", "INT AS (id + 1) STORED"), ("virt", "VARCHAR(30) AS (CONCAT('v', id)) VIRTUAL")],
    )
    .await;
}

/// Newer MariaDB versions have vectors, which their log shows as VARBINARY.
#[tokio::test]
async fn newer_mariadb() {
    let server = Mariadb::start(MariadbOptions { release: "trixie".into(), ..MariadbOptions::default() });
    let values = ["VEC_FromText('[1,-2.5,3]')", "VEC_FromText('[0,0,0]')", "VEC_FromText('[0,1e38,0]')"];
    check_all(&server, &[("vec", "VECTOR(3)", values)], &[]).await;
    let (_, description, rows) = from_snapshot(&config(&server)).await;
    assert!(description.columns.iter().any(|column| column.type_name == "VECTOR"));
    assert!(rows[0].printed[0].1.as_deref().unwrap().contains("\"vec\":[1.0,-2.5,3.0]"));
}
