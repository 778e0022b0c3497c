//! For every kind of table, snapshot and stream give the same key, columns and schemas, and the columns are those of
//! `information_schema`.
//!
//! MariaDB's tables with a unique key over TEXT once lost types, defaults and key in the stream, because the log has a
//! hidden column for such a key.

use bitacora_binlog::{Body, Decoder, Row, RowScratch, TableMap};
use bitacora_change::{MessageBuffer, MessageSchema, Operation, Plan, PlanOptions, TableDescription, ValueFormat};
use bitacora_source::ddl::{Catalog, SqlMode, scan, statement_text};
use bitacora_source::replication::{Client, EventChunk, ReplicaOptions, StreamState, Waiting};
use bitacora_source::{Filter, FilterOptions, Position};
use bitacora_source::{Snapshot, SnapshotOptions};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::column::{context, plan_options};
use crate::config;

/// Returns the schemas of a table's messages, and the key and the embedded schema of one message.
fn shown(map: &TableMap, description: &TableDescription, row: &Row<'_>) -> (MessageSchema, Vec<Option<String>>) {
    let plan = |value_format| {
        let options = PlanOptions { value_format, ..plan_options() };
        Plan::compile(map, Some(description), &options).unwrap()
    };
    let mut buffer = MessageBuffer::default();
    plan(ValueFormat::JsonWithEnvelope).encode(row, Operation::Create, &context(), &mut buffer).unwrap();
    let message = &buffer.messages()[0];
    let key = buffer.key(message).map(|key| String::from_utf8_lossy(key).into_owned());
    let value = String::from_utf8_lossy(buffer.value(message).unwrap()).into_owned();
    let schema = value.rsplit_once("{\"schema\":").and_then(|(_, rest)| rest.split_once(",\"payload\":"));
    (plan(ValueFormat::Json).message_schema().clone(), vec![key, schema.map(|(schema, _)| schema.to_owned())])
}

/// Returns the names of the key's columns and of the row's columns.
fn names(schema: &MessageSchema) -> (Vec<String>, Vec<String>) {
    let MessageSchema::KeyValue(schema) = schema else { panic!("a table has keys and values") };
    let fields = |definition: &serde_json::Value| -> Vec<String> {
        let fields = definition["fields"].as_array().into_iter().flatten();
        fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect()
    };
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let value = read(&schema.value.definition);
    let row = value["fields"][0]["type"].as_array().unwrap().iter().find(|kind| kind.is_object()).unwrap();
    (fields(&read(&schema.key.definition)), fields(row))
}

/// Creates each table, inserts a row, and compares the messages of the snapshot with those of the stream. A table is
/// its name, its definition, its row, and the expected names of the key's columns and of all columns.
async fn check(server: &DatabaseServer, tables: &[(&str, &str, &str, &str)]) {
    let logs = server.client("DROP DATABASE IF EXISTS s; CREATE DATABASE s; FLUSH BINARY LOGS; SHOW BINARY LOGS");
    let position = Position::at(logs.lines().last().unwrap().split('\t').next().unwrap(), 4);
    for (name, definition, row, _) in tables {
        server.client(&format!("USE s; CREATE TABLE {name} {definition}; INSERT INTO {name} {row}"));
    }
    let options = FilterOptions { table_include_list: Some("s\\..*".into()), ..FilterOptions::default() };
    let filter = Filter::new(&options).unwrap();
    let snapshot = Snapshot::begin(&config(server), &filter, &SnapshotOptions::default()).await.unwrap();

    let options = ReplicaOptions { waiting: Waiting::Never, ..ReplicaOptions::new(7002) };
    let mut client = Client::connect(&config(server), options).await.unwrap();
    client.dump(&position).await.unwrap();
    let mut decoder = Decoder::new();
    decoder.set_checksum(client.checksum());
    let (mut chunk, mut scratch, mut catalog, mut streamed) =
        (EventChunk::new(), RowScratch::new(), Catalog::default(), 0);
    while client.read_events(&mut chunk).await.unwrap() == StreamState::Events {
        for bytes in chunk.events() {
            match decoder.decode(bytes).unwrap().body {
                Body::Query(query) => {
                    let sql = statement_text(query.sql, query.status.client_collation());
                    catalog.apply(&scan(&sql, "s", SqlMode::default()));
                }
                Body::Rows(event) => {
                    let name = event.table.table.as_str();
                    let (_, _, _, expected) = tables.iter().find(|(table, ..)| *table == name).unwrap();
                    let own = snapshot.tables().iter().find(|table| table.map.table == name).unwrap();
                    let description = catalog.table("s", name).unwrap().description();
                    let mut reader = event.reader(&mut scratch);
                    let row = reader.next_row().unwrap().unwrap();
                    let of_snapshot = shown(&own.map, &own.description, &row);
                    assert_eq!(of_snapshot, shown(event.table, &description, &row), "{name}");
                    let (key, columns) = names(&of_snapshot.0);
                    assert_eq!(format!("{} of {}", key.join(" "), columns.join(" ")), *expected, "{name}");
                    let sql = format!(
                        "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 's' AND TABLE_NAME = \
                         '{name}' ORDER BY ORDINAL_POSITION"
                    );
                    assert_eq!(server.client(&sql).lines().collect::<Vec<_>>(), columns, "{name}");
                    streamed += 1;
                }
                _ => {}
            }
        }
    }
    assert_eq!(streamed, tables.len());
}

/// Tables that both servers have.
const COMMON: &[(&str, &str, &str, &str)] = &[
    ("invisible", "(id INT PRIMARY KEY, a INT INVISIBLE DEFAULT 3, b INT)", "VALUES (1, 2)", "id of id a b"),
    (
        "computed",
        "(id INT PRIMARY KEY, a INT, v INT AS (a + 1) VIRTUAL, s INT AS (a + 2) STORED)",
        "(id) VALUES (1)",
        "id of id a v s",
    ),
    ("prefixed", "(t TEXT NOT NULL, n INT DEFAULT 4, PRIMARY KEY (t(9)))", "VALUES ('x', 1)", "t of t n"),
    ("searched", "(a INT, t TEXT, FULLTEXT (t))", "VALUES (1, 'x')", " of a t"),
    (
        "split",
        "(id INT, k INT NOT NULL, PRIMARY KEY (k, id)) PARTITION BY HASH (k) PARTITIONS 2",
        "VALUES (1, 1)",
        "k id of id k",
    ),
    ("copied", "LIKE invisible", "VALUES (1, 2)", "id of id a b"),
    (
        "defaults",
        "(id INT PRIMARY KEY, d DECIMAL(9,2) DEFAULT 1.5, e DOUBLE DEFAULT 1e30, f FLOAT(7,3) DEFAULT 2, t TIME(2) \
         DEFAULT '10:00:00', c DATETIME DEFAULT CURRENT_TIMESTAMP, b BIT(9) DEFAULT 5, y YEAR DEFAULT 70, v \
         VARBINARY(9) DEFAULT 'a', n CHAR(3) DEFAULT 'ñ', x DATE DEFAULT '0099-01-01', s SET('a','b') DEFAULT 'a,b', z \
         INT UNSIGNED ZEROFILL DEFAULT 7, k TINYINT(1) DEFAULT TRUE)",
        "(id) VALUES (1)",
        "id of id d e f t c b y v n x s z k",
    ),
];

#[tokio::test]
async fn mysql() {
    let server = Mysql::start(MysqlOptions::default());
    let own = [
        (
            "expressions",
            "(id INT PRIMARY KEY, a VARCHAR(9), KEY ((UPPER(a))), UNIQUE KEY ((a + id)))",
            "VALUES (1, '2')",
            "id of id a",
        ),
        (
            "unnamed",
            "(id INT NOT NULL, a VARCHAR(9) NOT NULL, UNIQUE KEY ((UPPER(a))), UNIQUE KEY (id))",
            "VALUES (1, '2')",
            "id of id a",
        ),
        (
            "many",
            "(id INT PRIMARY KEY, j JSON, KEY ((CAST(j->'$.z' AS UNSIGNED ARRAY))))",
            "VALUES (1, '{\"z\":[1,2]}')",
            "id of id j",
        ),
    ];
    let tables: Vec<_> = COMMON.iter().chain(&own).copied().collect();
    check(&server, &tables).await;
}

#[tokio::test]
async fn mariadb() {
    let server = Mariadb::start(MariadbOptions::default());
    let own = [
        (
            "hashed",
            "(id INT PRIMARY KEY, t TEXT, v BLOB, u UUID, UNIQUE (t), UNIQUE (v), UNIQUE (t, v))",
            "(id) VALUES (1)",
            "id of id t v u",
        ),
        ("hash_key", "(t TEXT NOT NULL, n INT DEFAULT 7, UNIQUE KEY (t))", "VALUES ('x', 1)", "t of t n"),
        ("long_key", "(t VARCHAR(3000) NOT NULL, n INT, UNIQUE KEY (t))", "VALUES ('x', 1)", "t of t n"),
        (
            "named_so",
            "(id INT PRIMARY KEY, t TEXT, UNIQUE (id, t), DB_ROW_HASH_1 INT)",
            "(id) VALUES (1)",
            "id of id t DB_ROW_HASH_1",
        ),
        ("versioned", "(id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING", "VALUES (1, 2)", "id of id a"),
        (
            "versioned_unique",
            "(id INT NOT NULL, a INT, UNIQUE (id)) WITH SYSTEM VERSIONING",
            "VALUES (1, 2)",
            "id of id a",
        ),
        (
            "versioned_hash",
            "(id INT PRIMARY KEY, t TEXT, UNIQUE (t)) WITH SYSTEM VERSIONING",
            "VALUES (1, 'x')",
            "id of id t",
        ),
        (
            "versioned_part",
            "(id INT, b INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION p \
             HISTORY, PARTITION n CURRENT)",
            "VALUES (1, 2)",
            " of id b",
        ),
        (
            "period_named",
            "(id INT PRIMARY KEY, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW \
             END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
            "(id) VALUES (1)",
            "id e of id s e",
        ),
        (
            "period_invisible",
            "(id INT PRIMARY KEY, row_start TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, row_end TIMESTAMP(6) \
             GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (row_start, row_end)) WITH SYSTEM \
             VERSIONING",
            "(id) VALUES (1)",
            "id row_end of id row_start row_end",
        ),
        (
            "application_period",
            "(id INT, a DATE, b DATE, PERIOD FOR p (a, b), PRIMARY KEY (id, p WITHOUT OVERLAPS))",
            "VALUES (1, '2020-01-01', '2020-01-02')",
            "id b a of id a b",
        ),
        ("invisible_key", "(id INT INVISIBLE PRIMARY KEY AUTO_INCREMENT, a INT)", "VALUES (5)", "id of id a"),
    ];
    let tables: Vec<_> = COMMON.iter().chain(&own).copied().collect();
    check(&server, &tables).await;
}
