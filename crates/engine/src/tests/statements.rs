//! Statements in the log. Row changes as text: the core stops before those of captured tables, and passes the others.
//! MariaDB's ALTER in two phases: it counts once, when it is done.

use std::sync::Arc;

use super::setup::{core_options, rules};
use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::pipeline::core::{Core, Statements};
use crate::sink::{Lane, Opened, OutgoingMessage, Sink, TopicId};
use bitacora_binlog::{ChecksumAlgorithm, EventType};
use bitacora_change::{Connector, MessageSchema};
use bitacora_source::{Filter, FilterOptions, Position};
use bitacora_testkit::{Mariadb, MariadbOptions};

/// A sink that counts.
#[derive(Debug, Default)]
struct Counter {
    messages: usize,
}

impl Sink for Counter {
    fn open(&mut self, _lane: Lane, _topic: &str, _schema: &MessageSchema) -> Result<Opened, EngineError> {
        Ok(Opened { topic: TopicId(0), last_sequence_id: None })
    }

    fn append(&mut self, _topic: TopicId, _message: OutgoingMessage<'_>) -> Result<(), EngineError> {
        self.messages += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn oldest_pending(&mut self) -> Result<Option<u64>, EngineError> {
        Ok(None)
    }

    fn close(&mut self, _topic: TopicId) -> Result<(), EngineError> {
        Ok(())
    }

    fn finish(&mut self, _lane: Lane) -> Result<(), EngineError> {
        Ok(())
    }
}

/// A core that captures `shop.orders` and what begins with `shop.é`.
fn core() -> Core<Counter> {
    let filter = FilterOptions {
        database_include_list: Some("shop".into()),
        table_include_list: Some("shop\\.orders,shop\\.é.*".into()),
        ..FilterOptions::default()
    };
    let mut rows = rules(Connector::Mysql);
    rows.filter = Filter::new(&filter).unwrap();
    rows.open_topics_max = 1;
    let options = core_options("log", rows, Statements::Omit);
    let position = Position::at("binlog.000001", 4);
    let mut core =
        Core::new(options, Counter::default(), Arc::new(SourceMetrics::default()), position, 1_000, Arc::default());
    core.set_checksum(ChecksumAlgorithm::None);
    core
}

/// A statement as a QUERY event.
fn query(database: &str, sql: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 8];
    body.push(u8::try_from(database.len()).unwrap());
    body.extend([0; 4]);
    body.extend(database.as_bytes());
    body.push(0);
    body.extend(sql);
    event(EventType::QUERY, &body)
}

fn event(kind: EventType, body: &[u8]) -> Vec<u8> {
    let length = 19 + u32::try_from(body.len()).unwrap();
    let mut event = vec![0; 4];
    event.push(kind.0);
    event.extend(7u32.to_le_bytes());
    event.extend(length.to_le_bytes());
    event.extend((4 + length).to_le_bytes());
    event.extend([0; 2]);
    event.extend(body);
    event
}

fn passes(database: &str, sql: &[u8]) {
    let taken = core().on_event(&query(database, sql), 7);
    assert!(taken.is_ok(), "{}: {taken:?}", String::from_utf8_lossy(sql));
}

/// The error's table and text.
fn stops(database: &str, sql: &[u8]) -> (Option<String>, String) {
    let error = core().on_event(&query(database, sql), 7).expect_err(&String::from_utf8_lossy(sql));
    let text = error.to_string();
    assert!(text.contains("logged as text") && text.contains("binlog binlog.000001:4"), "{text}");
    assert!(text.contains("binlog_format=ROW") && text.contains("new snapshot"), "{text}");
    (error.place.table, text)
}

/// The session's default database was once taken for that of the rows: rows written from another one were lost
/// silently, and a checksum tool that writes only into its own tables ended the source.
#[test]
fn the_tables_of_the_statement_decide() {
    passes("shop", b"REPLACE INTO `percona`.`checksums` (db, tbl) SELECT 'shop', 'orders' FROM `shop`.`orders`");
    passes("shop", b"INSERT INTO other VALUES (1)");
    passes("crm", b"INSERT INTO orders VALUES (1)");
    passes("crm", b"UPDATE crm.t JOIN shop.orders o ON o.id = t.id SET t.a = o.a");
    for database in ["shop", "crm", ""] {
        for sql in [
            "INSERT INTO shop.orders VALUES (1)",
            "/*!50000 INSERT */ INTO `SHOP`./*!40000 `orders` */ SELECT * FROM x",
            "UPDATE crm.t JOIN shop.orders o ON o.id = t.id SET o.a = t.a",
            "DELETE o FROM crm.t JOIN shop.orders o",
            "LOAD DATA INFILE 'x' INTO TABLE shop.orders",
        ] {
            let (table, _) = stops(database, sql.as_bytes());
            assert_eq!(table.map(|table| table.to_lowercase()).as_deref(), Some("shop.orders"), "{sql}");
        }
    }
    assert_eq!(stops("shop", b"INSERT INTO orders VALUES (1)").0.as_deref(), Some("shop.orders"));
}

/// `LOAD DATA` in statement format has an event type of its own, which was once passed over.
#[test]
fn a_load_is_a_statement() {
    let load = |sql: &str| {
        let mut body = query("crm", sql.as_bytes()).split_off(19);
        body.splice(13..13, [0; 13]);
        core().on_event(&event(EventType::EXECUTE_LOAD_QUERY, &body), 7)
    };
    assert!(load("LOAD DATA INFILE 'x' INTO TABLE orders").is_ok());
    let error = load("LOAD DATA INFILE 'x' INTO TABLE shop.orders").unwrap_err();
    assert_eq!(error.place.table.as_deref(), Some("shop.orders"));
}

/// The sessions of `binlog_format=MIXED` log it so too.
#[test]
fn a_table_created_with_rows_is_a_row_change() {
    for sql in
        ["CREATE TABLE shop.orders SELECT * FROM x", "CREATE TABLE IF NOT EXISTS shop.orders (a INT) AS (SELECT 1)"]
    {
        assert_eq!(stops("crm", sql.as_bytes()).0.as_deref(), Some("shop.orders"), "{sql}");
    }
    passes("shop", b"CREATE TABLE shop.other SELECT * FROM orders");
    passes("shop", b"CREATE TEMPORARY TABLE orders SELECT * FROM x");
    passes("shop", b"CREATE TABLE `shop`.`orders` (\n  `a` int NOT NULL\n) START TRANSACTION");
}

#[test]
fn where_the_tables_are_not_known_the_default_database_decides() {
    for sql in [b"SELECT `shop`.`f`()".as_slice(), b"DO f()"] {
        passes("crm", sql);
        let (table, text) = stops("shop", sql);
        assert!(table.is_none() && text.contains("rows of database shop"), "{text}");
        assert_eq!(stops("", sql).0, None);
    }
    // In latin1; it may be the name of a captured table.
    passes("crm", b"INSERT INTO \xe9t\xe9 VALUES (1)");
    stops("shop", b"INSERT INTO \xe9t\xe9 VALUES (1)");
    stops("crm", b"INSERT INTO shop.\xe9t\xe9 VALUES (1)");
    stops("crm", b"INSERT INTO sh\xf6p.t VALUES (1)");
}

/// `ALTER` is logged when it begins and when it ends, and one that fails is logged too. Both were once applied: columns
/// came twice into the description, and a failed one changed it.
#[test]
fn an_alter_in_two_phases_counts_when_it_is_done() {
    let extra = vec!["--binlog-alter-two-phase=ON".to_owned()];
    let server = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() });
    server.client(
        "CREATE DATABASE shop; CREATE TABLE shop.orders (a INT PRIMARY KEY, b INT); \
         ALTER TABLE shop.orders ADD COLUMN c INT AFTER a, ADD UNIQUE KEY k (b); \
         ALTER TABLE shop.orders RENAME TO shop.items, DROP COLUMN b, ADD d TEXT; \
         INSERT INTO shop.items VALUES (1, 1, 1), (2, 2, 2)",
    );
    server.try_client("ALTER TABLE shop.items ADD COLUMN e INT NOT NULL, ADD UNIQUE KEY (e)").unwrap_err();
    server.client("RENAME TABLE shop.items TO shop.orders; FLUSH BINARY LOGS");
    let log = std::fs::read(server.data_dir().join("binlog.000001")).unwrap();
    let (mut core, mut at, mut alters) = (core(), 4, 0);
    while at < log.len() {
        let length = u32::from_le_bytes(log[at + 9..at + 13].try_into().unwrap()) as usize;
        let event = &log[at..at + length];
        alters += usize::from(event[4] == EventType::QUERY.0 && event.windows(11).any(|text| text == b"ALTER TABLE"));
        core.on_event(event, 7).unwrap_or_else(|error| panic!("{error}"));
        at += length;
    }
    assert_eq!(alters, 6);
    let end = core.finish().unwrap().unwrap();
    let table = end.catalog.table("shop", "orders").unwrap();
    let columns: Vec<_> = table.columns.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
    assert_eq!(columns, ["a INT", "c INT", "d TEXT"]);
    assert_eq!(table.keys.len(), 1);
    assert_eq!(core.sink().messages, 5, "CREATE DATABASE, CREATE TABLE, two ALTERs and RENAME");
}
