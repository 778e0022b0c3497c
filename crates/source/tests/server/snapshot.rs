//! The snapshot is exact, even under concurrent writers: its rows plus the stream after its position equal the table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bitacora_binlog::{Body, Cell, Decoder, Image, RowScratch};
use bitacora_source::Connection;
use bitacora_source::replication::{Client, EventChunk, ReplicaOptions, StreamState, Waiting};
use bitacora_source::{ErrorClass, Filter, FilterOptions, ServerConfig};
use bitacora_source::{Exactness, Snapshot, SnapshotChunk, SnapshotOptions, SnapshotState};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::{config, config_of};

fn filter() -> Filter {
    Filter::new(&FilterOptions { database_include_list: Some("s".into()), ..FilterOptions::default() }).unwrap()
}

/// The values of `s.a` and `s.b` by table and id. A change that contradicts them is a failure of the test.
#[derive(Debug, Default, PartialEq)]
struct Tables(BTreeMap<(String, i64), i64>);

fn number(image: &Image<'_>, column: usize) -> i64 {
    match image.column(column) {
        Cell::Value(bytes) => i64::from_le_bytes(bytes.try_into().unwrap()),
        other => panic!("{other:?}"),
    }
}

impl Tables {
    fn insert(&mut self, table: &str, image: &Image<'_>) {
        let old = self.0.insert((table.to_owned(), number(image, 0)), number(image, 1));
        assert_eq!(old, None, "a row came twice: the snapshot and the stream overlap");
    }

    fn remove(&mut self, table: &str, image: &Image<'_>) {
        let old = self.0.remove(&(table.to_owned(), number(image, 0)));
        assert_eq!(old, Some(number(image, 1)), "a row is missing or old: there is a gap after the snapshot");
    }
}

async fn read_snapshot(config: &ServerConfig, options: &SnapshotOptions) -> (Snapshot, Tables) {
    let mut snapshot = Snapshot::begin(config, &filter(), options).await.unwrap();
    let mut tables = Tables::default();
    let mut chunk = SnapshotChunk::new();
    let mut scratch = RowScratch::new();
    let mut ended = false;
    while snapshot.read_chunk(&mut chunk).await.unwrap() == SnapshotState::Rows {
        assert!(!ended, "a chunk follows the last one");
        ended = chunk.snapshot_end;
        let map = Arc::clone(&snapshot.tables()[chunk.table_index].map);
        let event = chunk.event(&map);
        let mut reader = event.reader(&mut scratch);
        let mut rows = 0;
        while let Some(row) = reader.next_row().unwrap() {
            tables.insert(&map.table, &row.after.unwrap());
            rows += 1;
        }
        assert_eq!(rows, chunk.row_count);
    }
    let progress = snapshot.progress();
    assert_eq!(progress.row_count, tables.0.len() as u64);
    assert_eq!((progress.table_count_done, progress.table_count), (3, 3));
    (snapshot, tables)
}

/// Applies the stream from the snapshot's position to the end of the log.
async fn follow(config: &ServerConfig, position: &bitacora_source::Position, tables: &mut Tables) {
    let options = ReplicaOptions { waiting: Waiting::Never, ..ReplicaOptions::new(6001) };
    let mut client = Client::connect(config, options).await.unwrap();
    client.dump(position).await.unwrap();
    let mut decoder = Decoder::new();
    decoder.set_checksum(client.checksum());
    let (mut chunk, mut scratch) = (EventChunk::new(), RowScratch::new());
    while client.read_events(&mut chunk).await.unwrap() == StreamState::Events {
        for bytes in chunk.events() {
            let Body::Rows(rows) = decoder.decode(bytes).unwrap().body else { continue };
            if rows.table.database != "s" {
                continue;
            }
            let table = rows.table.table.clone();
            let mut reader = rows.reader(&mut scratch);
            while let Some(row) = reader.next_row().unwrap() {
                if let Some(before) = &row.before {
                    tables.remove(&table, before);
                }
                if let Some(after) = &row.after {
                    tables.insert(&table, after);
                }
            }
        }
    }
}

async fn live(config: &ServerConfig) -> Tables {
    let mut connection = Connection::open(config).await.unwrap();
    let mut tables = Tables::default();
    for table in ["a", "b"] {
        let rows = connection.query(&format!("SELECT id, v FROM s.{table}")).await.unwrap();
        for row in rows.rows() {
            tables
                .0
                .insert((table.into(), row.text(0).unwrap().parse().unwrap()), row.text(1).unwrap().parse().unwrap());
        }
    }
    tables
}

/// Whether the two changes of a writer's turn form one transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    /// They form one transaction.
    Transaction,
    /// They are two, because one of the tables has no transactions.
    Statements,
}

/// Changes both tables until `stop` is set, and counts the turns.
async fn write(config: ServerConfig, writer: i64, turn: Turn, stop: Arc<AtomicBool>, commits: Arc<AtomicU64>) {
    let mut connection = Connection::open(&config).await.unwrap();
    // READ COMMITTED takes no gap locks, with which the writers would deadlock.
    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await.unwrap();
    let mut random = writer as u64;
    while !stop.load(Ordering::Relaxed) {
        if turn == Turn::Transaction {
            connection.execute("BEGIN").await.unwrap();
        }
        for table in ["a", "b"] {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let id = (random >> 33) as i64 % 500 * 10 + writer;
            let sql = match random >> 60 {
                0..=4 => format!("DELETE FROM s.{table} WHERE id = {id}"),
                _ => format!("REPLACE INTO s.{table} VALUES ({id}, {})", random >> 40),
            };
            connection.execute(&sql).await.unwrap();
        }
        if turn == Turn::Transaction {
            connection.execute("COMMIT").await.unwrap();
        }
        commits.fetch_add(1, Ordering::Relaxed);
    }
}

async fn exact_under_writers(server: &DatabaseServer, reader: &ServerConfig, exactness: Exactness) {
    let engine =
        server.client("SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = 's' AND TABLE_NAME = 'b'");
    let turn = if engine.trim() == "InnoDB" { Turn::Transaction } else { Turn::Statements };
    // If a lock is expected, the server is never quiet, so a short limit is enough.
    let quiet_limit_ms = if exactness == Exactness::QuietMoment { 60_000 } else { 20 };
    let root = config_of(server, "root", "");
    let stop = Arc::new(AtomicBool::new(false));
    let commits = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> =
        (0..4).map(|writer| tokio::spawn(write(root.clone(), writer, turn, stop.clone(), commits.clone()))).collect();
    let mut snapshots = Vec::new();
    let mut found = Vec::new();
    for round in 0..6 {
        let before = commits.load(Ordering::Relaxed);
        while commits.load(Ordering::Relaxed) < before + 50 {
            assert!(writers.iter().all(|writer| !writer.is_finished()), "a writer ended");
            tokio::task::yield_now().await;
        }
        let chunk_bytes = [1, 100, 1 << 20][round % 3];
        let options =
            SnapshotOptions { chunk_bytes, quiet_limit_ms, lock_timeout_ms: 10_000, ..SnapshotOptions::default() };
        let (snapshot, tables) = read_snapshot(reader, &options).await;
        found.push(snapshot.exactness());
        assert!(snapshot.tables().iter().all(|table| table.create_statement.contains("CREATE TABLE")));
        snapshots.push((snapshot.position().clone(), tables));
    }
    // On a busy machine a statement may run for a second, and then the snapshot does not try the global lock.
    let may_be =
        |one: &Exactness| *one == exactness || exactness == Exactness::GlobalLock && *one == Exactness::TableLocks;
    assert!(found.contains(&exactness) && found.iter().all(may_be), "{found:?}");
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let live = live(&root).await;
    for (position, mut tables) in snapshots {
        // The stream is read by file and offset, and then by GTID if the position has one.
        let mut by_file = position.clone();
        by_file.gtid = None;
        let mut copy = Tables(tables.0.clone());
        follow(reader, &by_file, &mut copy).await;
        assert_eq!(copy, live);
        follow(reader, &position, &mut tables).await;
        assert_eq!(tables, live);
    }
}

const TABLES: &str = "CREATE DATABASE s; CREATE TABLE s.a (id BIGINT PRIMARY KEY, v BIGINT NOT NULL); \
                      CREATE TABLE s.b LIKE s.a; CREATE TABLE s.empty LIKE s.a; \
                      INSERT INTO s.a SELECT 1000000 + n, n FROM (WITH RECURSIVE c AS (SELECT 1 n UNION ALL SELECT n + \
                      1 FROM c WHERE n < 900) SELECT n FROM c) x;";

/// Opens a session that keeps MySQL from being quiet: it owns a GTID or an anonymous transaction, and does not end it.
async fn restless(server: &DatabaseServer, gtid_next: &str) -> Connection {
    let mut connection = Connection::open(&config_of(server, "root", "")).await.unwrap();
    connection.execute(&format!("SET SESSION gtid_next = '{gtid_next}'")).await.unwrap();
    connection.execute("BEGIN").await.unwrap();
    connection
}

const A_GTID: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1";

/// One account that may not take any lock, and one that may lock only tables.
const ACCOUNTS: &str = "CREATE USER 'reader'@'%' IDENTIFIED BY 'p', 'locker'@'%' IDENTIFIED BY 'p'; \
                        GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'reader'@'%', 'locker'@'%'; \
                        GRANT LOCK TABLES ON *.* TO 'locker'@'%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_without_a_lock_and_with_each_lock() {
    let server = Mysql::start(MysqlOptions::default());
    server.client(TABLES);
    server.client(ACCOUNTS);
    let reader = config_of(&server, "reader", "p");
    exact_under_writers(&server, &reader, Exactness::QuietMoment).await;

    let _owner = restless(&server, A_GTID).await;
    exact_under_writers(&server, &config(&server), Exactness::GlobalLock).await;
    exact_under_writers(&server, &config_of(&server, "locker", "p"), Exactness::TableLocks).await;

    let options = SnapshotOptions { lock_timeout_ms: 10, quiet_limit_ms: 20, ..SnapshotOptions::default() };
    let error = Snapshot::begin(&reader, &filter(), &options).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry);
    assert!(error.remedy().contains("GRANT RELOAD"), "{error} {}", error.remedy());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_without_gtids() {
    let server = Mysql::start(MysqlOptions { gtid: false, ..MysqlOptions::default() });
    server.client(TABLES);
    server.client(ACCOUNTS);
    exact_under_writers(&server, &config_of(&server, "reader", "p"), Exactness::QuietMoment).await;
    let _owner = restless(&server, "ANONYMOUS").await;
    exact_under_writers(&server, &config(&server), Exactness::GlobalLock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_without_a_lock() {
    let server = Mariadb::start(MariadbOptions::default());
    server.client(TABLES);
    exact_under_writers(&server, &config(&server), Exactness::ServerPosition).await;
    // Tables of engines without a view show a row before the log has it.
    for engine in ["Aria", "MyISAM"] {
        server.client(&format!("ALTER TABLE s.b ENGINE = {engine}"));
        exact_under_writers(&server, &config(&server), Exactness::ServerPosition).await;
    }
}

/// Rows of MyISAM and MEMORY once came twice or not at all, because the view does not have them and the log gets them
/// later than the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_tables_of_engines_without_a_view() {
    let server = Mysql::start(MysqlOptions::default());
    server.client(TABLES);
    server.client(ACCOUNTS);
    for engine in ["MEMORY", "MyISAM"] {
        server.client(&format!("ALTER TABLE s.b ENGINE = {engine}"));
        exact_under_writers(&server, &config_of(&server, "locker", "p"), Exactness::QuietMoment).await;
    }
    let _owner = restless(&server, A_GTID).await;
    exact_under_writers(&server, &config(&server), Exactness::GlobalLock).await;

    let error =
        Snapshot::begin(&config_of(&server, "reader", "p"), &filter(), &SnapshotOptions::default()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::FixConfiguration);
    assert!(error.remedy().contains("GRANT LOCK TABLES") && error.to_string().contains("s.b"), "{error}");
}

/// A row of more than 16 MiB comes in several packets. If the chunk is already full, the reader puts the row back and
/// takes it again.
#[tokio::test]
async fn rows_of_more_than_16_mib() {
    let server =
        Mysql::start(MysqlOptions { extra: vec!["--max-allowed-packet=1G".into()], ..MysqlOptions::default() });
    server.client("CREATE DATABASE s; CREATE TABLE s.t (id BIGINT PRIMARY KEY, v LONGBLOB)");
    let lengths = [17 << 20, 3, (1 << 24) - 1 - 6, 40 << 20];
    for (id, length) in lengths.iter().enumerate() {
        server.client(&format!("INSERT INTO s.t VALUES ({id}, REPEAT('x', {length}))"));
    }
    let options = SnapshotOptions { chunk_bytes: 1, ..SnapshotOptions::default() };
    let mut snapshot = Snapshot::begin(&config(&server), &filter(), &options).await.unwrap();
    let (mut chunk, mut scratch, mut found) = (SnapshotChunk::new(), RowScratch::new(), Vec::new());
    while snapshot.read_chunk(&mut chunk).await.unwrap() == SnapshotState::Rows {
        assert_eq!((chunk.row_count, chunk.first_row), (1, found.len() as u64));
        let event = chunk.event(&snapshot.tables()[0].map);
        let mut reader = event.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            match row.after.unwrap().column(1) {
                Cell::Value(bytes) => found.push(bytes.len()),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(found, lengths);
}
