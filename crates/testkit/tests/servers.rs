//! Each server must start, answer, keep its data in a crash, and write the binlog that the sources need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

fn check(server: &DatabaseServer, binlog_settings: &str) {
    assert_eq!(
        server.client("SELECT @@log_bin, @@binlog_format, @@binlog_row_image, @@binlog_row_metadata"),
        binlog_settings
    );
    // A server empties its folder of temporary tables when it starts. In a common folder it would delete those of other
    // servers.
    assert_eq!(server.client("SELECT @@tmpdir").trim_end(), format!("{}.tmp", server.data_dir().display()));
    server.client(
        "CREATE DATABASE d; CREATE TABLE d.t(a int primary key, b varchar(9)); INSERT INTO d.t VALUES (1, 'ñ')",
    );
    server.kill9();
    server.restart();
    assert_eq!(server.client("SELECT a, b FROM d.t"), "1\tñ\n");
    assert!(server.try_client("SELECT no FROM d.t").unwrap_err().contains("Unknown column"));
    server.stop();
    assert!(server.try_client("SELECT 1").is_err());
}

#[test]
fn mysql_with_gtids() {
    let server = Mysql::start(MysqlOptions::default());
    assert_eq!(server.client("SELECT @@gtid_mode"), "ON\n");
    check(&server, "1\tROW\tFULL\tFULL\n");
}

#[test]
fn mysql_without_gtids_and_with_an_option() {
    let extra = vec!["--binlog-row-metadata=MINIMAL".to_owned()];
    let server = Mysql::start(MysqlOptions { gtid: false, server_id: 77, extra, ..MysqlOptions::default() });
    assert_eq!(server.client("SELECT @@gtid_mode, @@server_id"), "OFF\t77\n");
    check(&server, "1\tROW\tFULL\tMINIMAL\n");
}

#[test]
fn mariadb() {
    let server = Mariadb::start(MariadbOptions::default());
    assert_eq!(server.client("SELECT @@gtid_strict_mode"), "1\n");
    check(&server, "1\tROW\tFULL\tFULL\n");
}

/// The table must have exactly the rows that the load says were committed.
#[test]
fn the_load_knows_what_it_committed() {
    use bitacora_testkit::load::{self, Change, Load, LoadOptions};
    let server = Mariadb::start(MariadbOptions::default());
    load::create_table(&server);
    let load = Load::start(&server, &LoadOptions { transactions_per_s: 1000.0, ..LoadOptions::default() });
    bitacora_testkit::wait_until("1,000 changes", std::time::Duration::from_secs(60), || {
        (load.committed_count() >= 1000).then_some(())
    });
    let history = load.stop();
    let ends = history.steps.iter().filter_map(|(id, steps)| Some((id, steps.last()?)));
    let expected: Vec<String> = ends
        .filter(|(_, step)| step.change != Change::Delete)
        .map(|(id, step)| format!("{id}\t{}\t{}\t{}", step.row.clave, step.row.n, step.row.texto.replace('\\', "\\\\")))
        .collect();
    let stored = server.client("SELECT * FROM carga.carga ORDER BY id");
    assert_eq!(stored.lines().collect::<Vec<_>>(), expected);
    assert!(history.step_count() >= 1000);
}
