//! Runs every check on a server where it fails and on one where it succeeds.

use bitacora_source::check::{CheckName, CheckOptions, Report, Severity, SnapshotPlanned, run};
use bitacora_source::replication::{Client, ReplicaOptions};
use bitacora_source::{ErrorClass, Filter, FilterOptions, Position, ServerConfig};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::{config, config_of, purge_binlogs};

fn options() -> CheckOptions {
    CheckOptions {
        server_id: 5001,
        replica_uuid: "11111111-2222-4333-8444-555555555555".into(),
        filter: Filter::new(&FilterOptions { database_include_list: Some("s".into()), ..FilterOptions::default() })
            .unwrap(),
        position: None,
        snapshot: SnapshotPlanned::Yes,
    }
}

fn expect(report: &Report, name: &str, severity: Severity, words: &str) {
    let of_check = report.findings.iter().filter(|finding| finding.name.as_str() == name);
    let finding =
        of_check.max_by_key(|finding| finding.severity).unwrap_or_else(|| panic!("no finding {name} in {report:?}"));
    assert_eq!(finding.severity, severity, "{finding}");
    assert!(finding.to_string().contains(words), "{finding} does not say `{words}`");
    assert!(severity < Severity::Warning || !finding.remedy.is_empty(), "{finding} has no remedy");
}

/// Sets a variable, expects the check to fail, and restores the variable.
async fn with_setting(server: &DatabaseServer, name: &str, value: &str, good: &str, words: &str) {
    server.client(&format!("SET GLOBAL {name} = '{value}'"));
    let report = run(&config(server), &options()).await;
    let check = if name == "binlog_row_value_options" { "binlog_row_value_options" } else { name };
    expect(&report, check, Severity::Failure, words);
    assert!(!report.is_ready());
    server.client(&format!("SET GLOBAL {name} = '{good}'"));
}

const TABLES: &str = "CREATE DATABASE s; CREATE TABLE s.t (id INT PRIMARY KEY); CREATE TABLE s.bare (a INT);";

async fn settings_and_accounts(server: &DatabaseServer, monitor: &str) {
    let report = run(&config(server), &options()).await;
    assert!(report.is_ready(), "{report:#?}");
    expect(&report, "tables", Severity::Warning, "No table is captured");
    server.client(TABLES);
    let report = run(&config(server), &options()).await;
    assert!(report.is_ready(), "{report:#?}");
    expect(&report, "tables", Severity::Ok, "2 tables");
    expect(&report, "primary_key", Severity::Warning, "s.bare");
    expect(&report, "retention", Severity::Note, "The binlog is");

    with_setting(server, "binlog_format", "STATEMENT", "ROW", "binlog_format is STATEMENT, but ROW is needed").await;
    with_setting(server, "binlog_row_image", "MINIMAL", "FULL", "SET GLOBAL binlog_row_image = 'FULL'").await;

    server.client("SET GLOBAL binlog_row_metadata = 'MINIMAL'");
    let report = run(&config(server), &options()).await;
    assert!(report.is_ready(), "{report:#?}");
    expect(&report, "binlog_row_metadata", Severity::Note, "SET GLOBAL binlog_row_metadata = 'FULL'");
    server.client("SET GLOBAL binlog_row_metadata = 'FULL'");

    server.client("CREATE USER 'poor'@'%' IDENTIFIED BY 'p'; GRANT SELECT ON s.t TO 'poor'@'%'");
    let report = run(&config_of(server, "poor", "p"), &options()).await;
    let texts: Vec<String> = report.failures().map(ToString::to_string).collect();
    for words in ["GRANT REPLICATION SLAVE ON *.*", monitor] {
        assert!(texts.iter().any(|text| text.contains(words)), "{words} is missing in {texts:#?}");
    }
    server.client("GRANT INSERT ON s.bare TO 'poor'@'%'");
    let report = run(&config_of(server, "poor", "p"), &options()).await;
    let texts: Vec<String> = report.failures().map(ToString::to_string).collect();
    assert!(texts.iter().any(|text| text.contains("may not read 1 captured tables: s.bare")), "{texts:#?}");

    let mut taken = options();
    taken.server_id = 1;
    expect(&run(&config(server), &taken).await, "server_id", Severity::Failure, "the source itself");
}

#[tokio::test]
async fn mysql() {
    let server = Mysql::start(MysqlOptions::default());
    settings_and_accounts(&server, "GRANT REPLICATION CLIENT ON *.*").await;
    with_setting(&server, "binlog_row_value_options", "PARTIAL_JSON", "", "PARTIAL_JSON").await;

    let mut other = Client::connect(&config(&server), ReplicaOptions::new(5001)).await.unwrap();
    other.dump(&Position::at("", 4)).await.unwrap();
    other.next_event().await.unwrap();
    expect(
        &run(&config(&server), &options()).await,
        "replica_id",
        Severity::Failure,
        "already used by another replica",
    );
    drop(other);

    server.client("FLUSH BINARY LOGS; INSERT INTO s.t VALUES (1); FLUSH BINARY LOGS;");
    let files = server.client("SHOW BINARY LOGS");
    let file = |index: usize| files.lines().nth(index).unwrap().split('\t').next().unwrap().to_owned();
    let first = file(0);
    let last = files.lines().last().unwrap().split('\t').next().unwrap().to_owned();
    let executed = server.client("SELECT @@global.gtid_executed").trim().replace("\\n", "");
    let empty = Position::after(bitacora_binlog::gtid::GtidSet::Mysql("".parse().unwrap()));
    let future = Position::after(format!("{}:1-999999", &executed[..36]).parse().unwrap());
    let check_at = async |position: Position| {
        run(&config(&server), &CheckOptions { position: Some(position.into()), ..options() }).await
    };
    expect(
        &check_at(Position::after(executed.parse().unwrap())).await,
        "position",
        Severity::Ok,
        "still has everything",
    );
    expect(&check_at(empty.clone()).await, "position", Severity::Ok, "still has everything");
    expect(&check_at(Position::at(&first, 4)).await, "position", Severity::Ok, "still has everything");
    expect(&check_at(Position::at(&last, 1 << 40)).await, "position", Severity::Failure, "behind the end");
    expect(&check_at(future).await, "position", Severity::Failure, "never executed");
    purge_binlogs(&server);
    expect(&check_at(empty).await, "position", Severity::Failure, "has purged transactions");
    expect(&check_at(Position::at(&first, 4)).await, "position", Severity::Failure, "no longer has the binlog file");

    server.client(
        "CREATE USER 'norl'@'%' IDENTIFIED BY 'p'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO \
        'norl'@'%'",
    );
    assert!(run(&config_of(&server, "norl", "p"), &options()).await.is_ready());
    server.client("CREATE TABLE s.plain (id INT PRIMARY KEY) ENGINE = MyISAM");
    expect(&run(&config_of(&server, "norl", "p"), &options()).await, "engines", Severity::Failure, "s.plain (MyISAM)");
    server.client("GRANT LOCK TABLES ON s.* TO 'norl'@'%'");
    let report = run(&config_of(&server, "norl", "p"), &options()).await;
    expect(&report, "engines", Severity::Warning, "s.plain (MyISAM)");
    assert!(report.is_ready());
    server.client("DROP TABLE s.plain");
    // An account that has the privileges through a role.
    server.client(
        "CREATE ROLE reader; GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO reader; \
                   CREATE USER 'member'@'%' IDENTIFIED BY 'p' DEFAULT ROLE reader",
    );
    let report = run(&config_of(&server, "member", "p"), &options()).await;
    assert!(report.is_ready(), "{report:#?}");
}

#[tokio::test]
async fn mariadb() {
    let server = Mariadb::start(MariadbOptions::default());
    settings_and_accounts(&server, "GRANT BINLOG MONITOR ON *.*").await;
    server.client("FLUSH BINARY LOGS; INSERT INTO s.t VALUES (1); FLUSH BINARY LOGS;");
    let newest = server.client("SELECT @@global.gtid_binlog_pos").trim().to_owned();
    let check_at = async |gtid: &str| {
        let position = Some(Position::after(gtid.parse().unwrap()).into());
        run(&config(&server), &CheckOptions { position, ..options() }).await
    };
    expect(&check_at(&newest).await, "position", Severity::Ok, "still has everything");
    expect(&check_at("0-1-1").await, "position", Severity::Ok, "still has everything");
    expect(&check_at("0-1-999999").await, "position", Severity::Failure, "never executed");
    purge_binlogs(&server);
    expect(&check_at("0-1-1").await, "position", Severity::Failure, "has purged transactions");
}

/// A server in offline mode refuses every login. The check once reported wrong credentials, which ended the source.
#[tokio::test]
async fn an_offline_server_is_not_a_wrong_password() {
    let server = Mysql::start(MysqlOptions::default());
    server.client("SET GLOBAL offline_mode = ON");
    let report = run(&config(&server), &options()).await;
    expect(&report, "reachable", Severity::Failure, "offline mode");
    assert!(report.find(CheckName::Credentials).is_none(), "{report:#?}");
    let stream = Client::connect(&config(&server), ReplicaOptions::new(5003)).await.unwrap_err();
    assert_eq!(stream.class(), ErrorClass::Retry, "{stream}");
    server.client("SET GLOBAL offline_mode = OFF");
    assert!(run(&config(&server), &options()).await.find(CheckName::Credentials).is_some());
    let refused = run(&config_of(&server, "debezium", "wrong"), &options()).await;
    expect(&refused, "credentials", Severity::Failure, "Access denied");
}

#[tokio::test]
async fn without_binlog() {
    let server = Mysql::start(MysqlOptions { extra: vec!["--skip-log-bin".into()], ..MysqlOptions::default() });
    let report = run(&config(&server), &options()).await;
    expect(&report, "log_bin", Severity::Failure, "Start the server with log_bin");
}

#[tokio::test]
async fn what_cannot_be_reached() {
    let port = bitacora_testkit::free_port();
    let report = run(&ServerConfig::new("127.0.0.1", port, "x", "y"), &options()).await;
    expect(&report, "reachable", Severity::Failure, "nothing listens there");
    assert_eq!(report.findings.len(), 1);
}
