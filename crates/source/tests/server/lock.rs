//! How long a snapshot holds back writers, other statements and changes of tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bitacora_source::Connection;
use bitacora_source::{ErrorClass, Filter, FilterOptions, ServerConfig};
use bitacora_source::{Exactness, Snapshot, SnapshotChunk, SnapshotOptions, SnapshotState};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::{config, config_of};

fn filter() -> Filter {
    Filter::new(&FilterOptions { database_include_list: Some("s".into()), ..FilterOptions::default() }).unwrap()
}

async fn root(server: &DatabaseServer) -> Connection {
    Connection::open(&config_of(server, "root", "")).await.unwrap()
}

/// Opens a session that owns an anonymous transaction, so that MySQL without GTIDs is never quiet and the snapshot
/// takes a lock.
async fn restless(server: &DatabaseServer) -> Connection {
    let mut connection = root(server).await;
    connection.execute("SET SESSION gtid_next = 'ANONYMOUS'").await.unwrap();
    connection.execute("BEGIN").await.unwrap();
    connection
}

fn with_lock() -> SnapshotOptions {
    SnapshotOptions { quiet_limit_ms: 20, ..SnapshotOptions::default() }
}

/// Inserts into one table without pause, and lets the server measure the time of each insert.
struct Inserter {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<Duration>,
}

impl Inserter {
    fn start(config: ServerConfig, table: &'static str) -> Inserter {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&count));
        let task = tokio::spawn(async move {
            let mut connection = Connection::open(&config).await.unwrap();
            let insert = format!("INSERT INTO {table} (v) VALUES (1)");
            let mut longest = 0;
            while !stopped.load(Ordering::Relaxed) {
                let answers = connection
                    .query_batch(&["SET @t = SYSDATE(6)", &insert, "SELECT TIMESTAMPDIFF(MICROSECOND, @t, SYSDATE(6))"])
                    .await
                    .unwrap();
                longest = longest.max(answers[2].first().unwrap().text(0).unwrap().parse().unwrap());
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Duration::from_micros(longest)
        });
        Inserter { stop, count, task }
    }

    /// Waits for twenty more inserts.
    async fn goes_on(&self) {
        let before = self.count.load(Ordering::Relaxed);
        while self.count.load(Ordering::Relaxed) < before + 20 {
            assert!(!self.task.is_finished(), "the inserter ended");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Stops the inserts and returns the longest time of one.
    async fn end(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// The shapes of all captured tables were once read under the global read lock. With 2,000 tables an insert waited for
/// 1.5 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_shape_is_read_under_the_lock() {
    let server = Mysql::start(MysqlOptions { gtid: false, ..MysqlOptions::default() });
    let tables: String =
        (0..300).map(|n| format!("CREATE TABLE s.t{n} (id INT PRIMARY KEY, a TEXT, b INT, KEY (b));")).collect();
    server.client(&format!(
        "CREATE DATABASE s; CREATE DATABASE noise; CREATE TABLE noise.n (id INT PRIMARY KEY AUTO_INCREMENT, v INT); \
        {tables}"
    ));
    let inserter = Inserter::start(config_of(&server, "root", ""), "noise.n");
    inserter.goes_on().await;
    server.client("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON");
    let logged = |what: &str| {
        let sql = format!(
            "SELECT argument FROM mysql.general_log WHERE user_host LIKE 'debezium%' AND argument {what} ORDER BY \
            event_time"
        );
        server.client(&sql).lines().map(str::to_owned).collect::<Vec<String>>()
    };

    let snapshot = Snapshot::begin(
        &config(&server),
        &filter(),
        &SnapshotOptions { quiet_limit_ms: 60_000, ..SnapshotOptions::default() },
    )
    .await
    .unwrap();
    assert_eq!((snapshot.exactness(), snapshot.tables().len()), (Exactness::QuietMoment, 300));
    assert_eq!(logged("LIKE 'SHOW CREATE TABLE%'").len(), 300);
    assert_eq!(logged("REGEXP '^(FLUSH|LOCK) '"), [""; 0]);
    drop(snapshot);

    server.client("SET GLOBAL general_log = OFF; TRUNCATE mysql.general_log; SET GLOBAL general_log = ON");
    let owner = restless(&server).await;
    let snapshot = Snapshot::begin(&config(&server), &filter(), &with_lock()).await.unwrap();
    assert_eq!((snapshot.exactness(), snapshot.tables().len()), (Exactness::GlobalLock, 300));
    drop((snapshot, owner));
    server.client("SET GLOBAL general_log = OFF");
    // The general log keeps the separators between the statements of a packet.
    let statements: Vec<String> =
        logged("NOT LIKE 'KILL%'").iter().map(|text| text.trim_end_matches(';').to_owned()).collect();
    let lock = statements.iter().position(|text| text.starts_with("FLUSH TABLES WITH READ LOCK")).unwrap();
    assert_eq!(
        statements[lock + 1..lock + 5],
        [
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            "SHOW BINARY LOG STATUS",
            "SELECT @@GLOBAL.gtid_mode",
            "UNLOCK TABLES"
        ]
    );
    let longest = inserter.end().await;
    assert!(longest < Duration::from_secs(1), "an insert waited for {longest:?}");
}

/// The global read lock once waited for a long statement and held back every writer meanwhile. After the snapshot gave
/// up the lock, the statement's tables stayed closed to everyone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_do_not_wait_behind_a_lock_that_is_not_given() {
    let server = Mysql::start(MysqlOptions { gtid: false, ..MysqlOptions::default() });
    server.client(
        "CREATE DATABASE s; CREATE TABLE s.a (id INT PRIMARY KEY AUTO_INCREMENT, v INT); CREATE TABLE s.b LIKE s.a; \
                   INSERT INTO s.a (v) VALUES (1)",
    );
    let _owner = restless(&server).await;
    let mut long = root(&server).await;
    let long_id = long.connection_id();
    let long = tokio::spawn(async move { long.execute("SELECT SLEEP(120) FROM s.a").await });
    // The snapshot takes notice of statements that have run for a second.
    let mut watcher = root(&server).await;
    let seen =
        format!("SELECT 1 FROM performance_schema.threads WHERE PROCESSLIST_ID = {long_id} AND PROCESSLIST_TIME >= 1");
    while watcher.query(&seen).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let writers = [
        Inserter::start(config_of(&server, "root", ""), "s.a"),
        Inserter::start(config_of(&server, "root", ""), "s.b"),
    ];

    // A reader does not prevent the table locks.
    let snapshot = Snapshot::begin(&config(&server), &filter(), &with_lock()).await.unwrap();
    assert_eq!(snapshot.exactness(), Exactness::TableLocks);
    drop(snapshot);

    // A transaction that has written does prevent them.
    let mut transaction = root(&server).await;
    transaction.execute("BEGIN").await.unwrap();
    transaction.execute("INSERT INTO s.a (v) VALUES (2)").await.unwrap();
    let options = SnapshotOptions { lock_timeout_ms: 300, ..with_lock() };
    let reader = config(&server);
    let begun = tokio::spawn(async move { Snapshot::begin(&reader, &filter(), &options).await });
    let waiting = "SELECT 1 FROM performance_schema.threads WHERE PROCESSLIST_INFO LIKE 'LOCK TABLES%'";
    for _attempt in 0..2 {
        while watcher.query(waiting).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        while !watcher.query(waiting).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    for writer in &writers {
        writer.goes_on().await;
    }
    transaction.execute("COMMIT").await.unwrap();
    assert_eq!(begun.await.unwrap().unwrap().exactness(), Exactness::TableLocks);
    for writer in writers {
        let longest = writer.end().await;
        assert!(longest < Duration::from_secs(3), "an insert waited for {longest:?}");
    }
    server.client(&format!("KILL {long_id}"));
    long.await.unwrap().unwrap_err();
}

const TABLES: &str = "CREATE DATABASE s; CREATE TABLE s.a (id INT PRIMARY KEY AUTO_INCREMENT, v INT, k VARCHAR(9) \
                      COMMENT '😀 ñ'); CREATE TABLE s.b LIKE s.a; CREATE TABLE s.c LIKE s.a; CREATE TABLE s.other LIKE \
                      s.a; INSERT INTO s.a (v) VALUES (1), (2); INSERT INTO s.b (v) VALUES (1), (2); INSERT INTO s.c \
                      (v) VALUES (1), (2)";

/// Begins a snapshot and reads it row by row up to the first row of `s.b`.
async fn at_b(config: &ServerConfig) -> Snapshot {
    let options = SnapshotOptions { chunk_bytes: 1, ..SnapshotOptions::default() };
    let mut snapshot = Snapshot::begin(config, &filter(), &options).await.unwrap();
    let mut chunk = SnapshotChunk::new();
    while snapshot.read_chunk(&mut chunk).await.unwrap() == SnapshotState::Rows {
        if snapshot.tables()[chunk.table_index].facts.name.table == "b" {
            return snapshot;
        }
    }
    panic!("there is no table b");
}

async fn read_on(snapshot: &mut Snapshot) -> Result<u64, bitacora_source::Error> {
    let mut chunk = SnapshotChunk::new();
    while snapshot.read_chunk(&mut chunk).await? == SnapshotState::Rows {}
    Ok(snapshot.progress().row_count)
}

/// A table that had been read once kept its metadata lock until the end of the whole snapshot, perhaps for hours.
async fn a_table_that_was_read_can_be_altered(server: &DatabaseServer, config: &ServerConfig) {
    let count = "SELECT (SELECT COUNT(*) FROM s.a) + (SELECT COUNT(*) FROM s.b) + (SELECT COUNT(*) FROM s.c)";
    let rows: u64 = server.client(count).trim().parse().unwrap();
    let mut snapshot = at_b(config).await;
    let mut other = root(server).await;
    other.execute("SET SESSION lock_wait_timeout = 20").await.unwrap();
    other.execute("ALTER TABLE s.a ADD COLUMN added INT").await.unwrap();
    other.execute("INSERT INTO s.c (v) VALUES (3)").await.unwrap();
    assert_eq!(read_on(&mut snapshot).await.unwrap(), rows, "the view lost its time");
}

/// The snapshot must begin again if a table changed after its shape was read: its rows would be decoded with the old
/// columns, or would be those of another table.
async fn a_table_that_changed_begins_the_snapshot_again(server: &DatabaseServer, config: &ServerConfig) {
    for (change, back) in [
        ("ALTER TABLE s.c ADD COLUMN added INT FIRST", "ALTER TABLE s.c DROP COLUMN added"),
        ("ALTER TABLE s.c ALTER COLUMN v SET DEFAULT 7", "ALTER TABLE s.c ALTER COLUMN v DROP DEFAULT"),
        ("TRUNCATE TABLE s.c", "INSERT INTO s.c (v) VALUES (1), (2)"),
        ("RENAME TABLE s.c TO s.old, s.other TO s.c", "RENAME TABLE s.c TO s.other, s.old TO s.c"),
    ] {
        // The table that is renamed to `s.c` differs from it only in its creation time.
        server.client("DROP TABLE s.other; DO SLEEP(1.1); CREATE TABLE s.other LIKE s.b");
        let mut snapshot = at_b(config).await;
        server.client(change);
        let error = read_on(&mut snapshot).await.expect_err(change);
        assert_eq!(error.class(), ErrorClass::Retry, "{change}: {error}");
        assert!(error.to_string().contains("s.c"), "{change}: {error}");
        drop(snapshot);
        server.client(back);
    }
    // An insert changes AUTO_INCREMENT in `SHOW CREATE TABLE`, which must not count as a change of the table.
    let mut snapshot = at_b(config).await;
    server.client("INSERT INTO s.c (v) VALUES (5)");
    read_on(&mut snapshot).await.unwrap();
}

/// A dropped table has no rows to miss, but the snapshot once began again for it, perhaps after hours.
async fn a_table_that_was_dropped_is_left_out(server: &DatabaseServer, config: &ServerConfig) {
    // No other table may have been created in the same second.
    server.client(
        "DROP TABLE s.c; DO SLEEP(1.1); CREATE TABLE s.c LIKE s.a; INSERT INTO s.c (v) VALUES (1); DO SLEEP(1.1)",
    );
    let others = "SELECT (SELECT COUNT(*) FROM s.a) + (SELECT COUNT(*) FROM s.b) + (SELECT COUNT(*) FROM s.other)";
    let rows: u64 = server.client(others).trim().parse().unwrap();
    let mut snapshot = at_b(config).await;
    server.client("DROP TABLE s.c");
    assert_eq!(read_on(&mut snapshot).await.unwrap(), rows);
    server.client("CREATE TABLE s.c LIKE s.a; INSERT INTO s.c (v) VALUES (1), (2)");
}

/// A table without a view is locked only until its rows are read.
async fn a_table_without_a_view_is_free_after_its_rows(server: &DatabaseServer, config: &ServerConfig) {
    server.client("ALTER TABLE s.c ENGINE = MyISAM");
    // `s.c` is read first, in advance of the caller.
    let mut snapshot = at_b(config).await;
    let mut other = root(server).await;
    other.execute("SET SESSION lock_wait_timeout = 20").await.unwrap();
    other.execute("INSERT INTO s.c (v) VALUES (9)").await.unwrap();
    other.execute("ALTER TABLE s.c ADD COLUMN more INT").await.unwrap();
    read_on(&mut snapshot).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_tables_that_change_during_the_snapshot() {
    let server = Mysql::start(MysqlOptions::default());
    server.client(TABLES);
    let config = config(&server);
    a_table_that_was_read_can_be_altered(&server, &config).await;
    a_table_that_changed_begins_the_snapshot_again(&server, &config).await;
    a_table_that_was_dropped_is_left_out(&server, &config).await;
    a_table_without_a_view_is_free_after_its_rows(&server, &config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_tables_that_change_during_the_snapshot() {
    let server = Mariadb::start(MariadbOptions::default());
    server.client(TABLES);
    a_table_that_changed_begins_the_snapshot_again(&server, &config(&server)).await;
    a_table_that_was_dropped_is_left_out(&server, &config(&server)).await;
    server.client("GRANT BINLOG ADMIN ON *.* TO 'debezium'@'%'");
    a_table_that_was_read_can_be_altered(&server, &config(&server)).await;
    a_table_without_a_view_is_free_after_its_rows(&server, &config(&server)).await;
}
