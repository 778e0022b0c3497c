//! The replication stream: by GTID and by file, large events, heartbeats, restarts, refused positions.

use std::time::Duration;

use bitacora_binlog::{Body, ChecksumAlgorithm, Decoder, EventType};
use bitacora_source::replication::{
    BackoffOptions, Client, EventChunk, Progress, Reconnecting, ReplicaOptions, StreamState, Waiting,
};
use bitacora_source::{Error, ErrorClass, Position, ServerConfig};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::{config, purge_binlogs};

fn to_the_end(server_id: u32) -> ReplicaOptions {
    ReplicaOptions { waiting: Waiting::Never, ..ReplicaOptions::new(server_id) }
}

fn decoder(client: &Client) -> Decoder {
    let mut decoder = Decoder::new();
    decoder.set_checksum(client.checksum());
    decoder
}

/// Contents of a stream that was read to the end of the log.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    kinds: Vec<EventType>,
    rows: usize,
    largest_event: usize,
    tables: Vec<String>,
}

async fn read_all(config: &ServerConfig, position: &Position) -> Result<Seen, Error> {
    let mut client = Client::connect(config, to_the_end(4001)).await?;
    client.dump(position).await?;
    let mut decoder = decoder(&client);
    let mut seen = Seen::default();
    let mut chunk = EventChunk::new();
    let mut scratch = bitacora_binlog::RowScratch::new();
    while client.read_events(&mut chunk).await? == StreamState::Events {
        for bytes in chunk.events() {
            seen.largest_event = seen.largest_event.max(bytes.len());
            let event = decoder.decode(bytes).unwrap();
            seen.kinds.push(event.header.kind);
            match event.body {
                Body::TableMap(map) => seen.tables.push(format!("{}.{}", map.database, map.table)),
                Body::Rows(rows) => {
                    let mut reader = rows.reader(&mut scratch);
                    while reader.next_row().unwrap().is_some() {
                        seen.rows += 1;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(seen)
}

fn mysql_position(server: &DatabaseServer) -> (Position, Position) {
    let status = server.client("SHOW BINARY LOG STATUS");
    let fields: Vec<&str> = status.trim_end_matches('\n').split('\t').collect();
    let file = Position::at(fields[0], fields[1].parse().unwrap());
    (file, Position::after(fields[4].replace("\\n", "").parse().unwrap()))
}

fn mariadb_position(server: &DatabaseServer) -> (Position, Position) {
    let status = server.client("SHOW MASTER STATUS; SELECT @@global.gtid_binlog_pos");
    let mut lines = status.lines();
    let fields: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let file = Position::at(fields[0], fields[1].parse().unwrap());
    (file, Position::after(lines.next().unwrap().parse().unwrap()))
}

const TABLE: &str = "CREATE DATABASE s; CREATE TABLE s.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v LONGBLOB);";

#[tokio::test]
async fn mysql_by_gtid_and_by_file() {
    let server =
        Mysql::start(MysqlOptions { extra: vec!["--max-allowed-packet=1G".into()], ..MysqlOptions::default() });
    server.client(&format!("{TABLE} INSERT INTO s.t (v) VALUES ('before')"));
    let (file, gtid) = mysql_position(&server);
    server.client("INSERT INTO s.t (v) VALUES ('a'), ('b'); FLUSH BINARY LOGS; INSERT INTO s.t (v) VALUES ('c')");
    for position in [&file, &gtid] {
        let seen = read_all(&config(&server), position).await.unwrap();
        assert_eq!(seen.rows, 3, "{position}: {seen:?}");
    }
    // Packets of more than 16 MiB, and some of the lengths around that limit.
    let (file, gtid) = mysql_position(&server);
    server.client("INSERT INTO s.t (v) VALUES (REPEAT('x', 40 * 1024 * 1024))");
    for around in 16_777_215 - 64..16_777_215 - 24 {
        if around % 4 == 0 {
            server.client(&format!("INSERT INTO s.t (v) VALUES (REPEAT('y', {around}))"));
        }
    }
    for position in [&file, &gtid] {
        let seen = read_all(&config(&server), position).await.unwrap();
        assert_eq!(seen.rows, 11, "{position}");
        assert!(seen.largest_event > 40 << 20, "{}", seen.largest_event);
    }
}

#[tokio::test]
async fn mariadb_by_gtid_and_by_file() {
    let server =
        Mariadb::start(MariadbOptions { extra: vec!["--max-allowed-packet=1G".into()], ..MariadbOptions::default() });
    server.client(&format!("{TABLE} INSERT INTO s.t (v) VALUES ('before')"));
    let (file, gtid) = mariadb_position(&server);
    server.client("INSERT INTO s.t (v) VALUES ('a'), ('b'); FLUSH BINARY LOGS; INSERT INTO s.t (v) VALUES ('c')");
    server.client("INSERT INTO s.t (v) VALUES (REPEAT('x', 20 * 1024 * 1024))");
    for position in [&file, &gtid] {
        let seen = read_all(&config(&server), position).await.unwrap();
        assert_eq!(seen.rows, 4, "{position}: {seen:?}");
        assert!(seen.largest_event > 20 << 20, "{}", seen.largest_event);
        // If this client did not name its capability, the server would replace GTID events by queries.
        assert!(seen.kinds.contains(&EventType::MARIADB_GTID), "{:?}", seen.kinds);
        assert!(seen.kinds.contains(&EventType::ANNOTATE_ROWS), "{:?}", seen.kinds);
    }
}

#[tokio::test]
async fn positions_that_the_server_does_not_have() {
    let server = Mysql::start(MysqlOptions::default());
    server.client(&format!("{TABLE} INSERT INTO s.t (v) VALUES ('a')"));
    let start = Position::after(
        "".parse::<bitacora_binlog::gtid::MysqlGtidSet>().map(bitacora_binlog::gtid::GtidSet::Mysql).unwrap(),
    );
    let (file, _) = mysql_position(&server);
    server.client(
        "FLUSH BINARY LOGS; INSERT INTO s.t (v) VALUES ('b'); FLUSH BINARY LOGS; INSERT INTO s.t (v) VALUES ('c')",
    );
    let last = mysql_position(&server).0.file;
    purge_binlogs(&server);
    let beyond = Position::at(last, 1 << 30);
    for position in [&start, &file, &beyond] {
        let error = read_all(&config(&server), position).await.unwrap_err();
        assert_eq!((error.server_code(), error.class()), (Some(1236), ErrorClass::Stop), "{position}: {error}");
        assert!(error.remedy().contains("new snapshot"), "{error}\n{}", error.remedy());
    }
    let mariadb = Position::after("0-1-1".parse().unwrap());
    assert!(matches!(read_all(&config(&server), &mariadb).await, Err(Error::Position { .. })));

    let server = Mariadb::start(MariadbOptions::default());
    server.client(&format!(
        "{TABLE} INSERT INTO s.t (v) VALUES ('a'); FLUSH BINARY LOGS; INSERT INTO s.t (v) VALUES ('b')"
    ));
    purge_binlogs(&server);
    for gtid in ["0-1-1", "0-1-999999"] {
        let error = read_all(&config(&server), &Position::after(gtid.parse().unwrap())).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Stop, "{error}");
        assert!(error.remedy().contains("new snapshot"), "{error}\n{}", error.remedy());
    }
}

#[tokio::test]
async fn a_server_id_in_use_is_refused() {
    let server = Mysql::start(MysqlOptions { server_id: 7, ..MysqlOptions::default() });
    let (_, gtid) = mysql_position(&server);
    let own = Client::connect(&config(&server), ReplicaOptions::new(7)).await.unwrap_err();
    assert!(matches!(own, Error::ServerIdInUse { .. }), "{own}");
    let first_options = ReplicaOptions::new(8);
    let mut first = Client::connect(&config(&server), first_options.clone()).await.unwrap();
    first.dump(&gtid).await.unwrap();
    first.next_event().await.unwrap();
    let second = Client::connect(&config(&server), ReplicaOptions::new(8)).await.unwrap_err();
    assert!(second.to_string().contains("Server id 8 is already used"), "{second}");
    assert_eq!(second.class(), ErrorClass::FixConfiguration);
    // The same process may connect again after a crash: it has the same identity.
    Client::connect(&config(&server), first_options).await.unwrap();
}

#[tokio::test]
async fn an_idle_stream_carries_heartbeats_and_a_silent_one_is_dead() {
    let server = Mysql::start(MysqlOptions::default());
    let (_, gtid) = mysql_position(&server);
    let options = ReplicaOptions { heartbeat_ms: 200, silence_ms: 5_000, ..ReplicaOptions::new(4002) };
    let mut client = Client::connect(&config(&server), options).await.unwrap();
    client.dump(&gtid).await.unwrap();
    let mut decoder = decoder(&client);
    let mut heartbeats = 0;
    while heartbeats < 3 {
        let event = client.next_event().await.unwrap().unwrap();
        if let Body::Heartbeat(..) = decoder.decode(event).unwrap().body {
            heartbeats += 1;
        }
    }
    let options = ReplicaOptions { heartbeat_ms: 60_000, silence_ms: 300, ..ReplicaOptions::new(4003) };
    let mut client = Client::connect(&config(&server), options).await.unwrap();
    client.dump(&gtid).await.unwrap();
    let error = loop {
        match client.next_event().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::Retry);
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = Mysql::start(MysqlOptions::default());
    server.client(TABLE);
    let (_, gtid) = mysql_position(&server);
    let backoff = BackoffOptions { first_ms: 20, longest_ms: 200, attempts: None };
    let mut stream = Reconnecting::new(config(&server), ReplicaOptions::new(4004), backoff);
    let mut chunk = EventChunk::new();
    let mut rows_of = async |count: usize| -> (usize, usize) {
        let (mut rows, mut restarts, mut decoder) = (0, 0, Decoder::new());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while rows < count {
            assert!(tokio::time::Instant::now() < deadline, "the stream does not come back");
            match stream.read_events(&mut chunk, &gtid).await.unwrap() {
                Progress::Restarted => {
                    restarts += 1;
                    rows = 0;
                    decoder = Decoder::new();
                    decoder.set_checksum(ChecksumAlgorithm::Crc32);
                }
                Progress::Events => {
                    for event in chunk.events() {
                        rows += usize::from(matches!(decoder.decode(event).unwrap().body, Body::Rows(_)));
                    }
                }
                Progress::Waiting { pause_ms, .. } => assert!(pause_ms <= 200),
                Progress::End => panic!("a waiting stream has no end"),
            }
        }
        (rows, restarts)
    };
    server.client("INSERT INTO s.t (v) VALUES ('a')");
    assert_eq!(rows_of(1).await, (1, 1));
    server.stop();
    let restarted = tokio::task::spawn_blocking(move || {
        server.restart();
        server.client("INSERT INTO s.t (v) VALUES ('b')");
        server
    });
    // The stream starts again at the old position, so both rows come.
    let (rows, restarts) = rows_of(2).await;
    assert_eq!(rows, 2);
    assert!(restarts >= 1);
    drop(restarted.await.unwrap());
}
