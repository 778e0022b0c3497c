//! The recorded logs through the engine, beside what Debezium 3.6.1 made of the same logs: every streamed record and
//! every record of the schema-change topic, byte for byte, as JSON and as JSON with schemas.
//!
//! The recordings and what they are not compared in stand in `tests/golden/debezium` of the workspace. The tests there
//! compare the rows of the snapshot too, with real servers.

mod comparison;
mod recording;
mod run;

use bitacora_change::{Connector, ValueFormat};
use bitacora_testkit::recorded_log::RowMetadata;

use self::comparison::compare;
use self::recording::{Run, recording};

const LOGS: &str = "crates/binlog/tests/golden";

fn mysql(form: &'static str) -> Run {
    let log = format!("{LOGS}/mysql-9.7.4/binlog.000001.gz");
    Run { server: "mysql", form, connector: Connector::Mysql, log, least: 6_000, metadata: None }
}

fn mariadb(form: &'static str) -> Run {
    let log = format!("{LOGS}/mariadb-10.11.18/binlog.000001.gz");
    Run { server: "mariadb", form, connector: Connector::Mariadb, log, least: 6_000, metadata: None }
}

fn check(run: &Run, format: ValueFormat) {
    let recorded = recording(run);
    let found = self::run::run(run, format, &recorded);
    compare(run, &recorded, &found);
}

/// The log of a server in its default state has no names; each record has them all the same.
fn check_default_state(run: Run, kept: RowMetadata) {
    check(&Run { metadata: Some(kept), ..run }, ValueFormat::Json);
}

#[test]
fn records_of_a_mysql_in_its_default_state_are_debeziums() {
    check_default_state(mysql("default"), RowMetadata::Minimal);
}

#[test]
fn records_of_a_mariadb_in_its_default_state_are_debeziums() {
    check_default_state(mariadb("default"), RowMetadata::NoLog);
}

/// MySQL before 8.0 knows no such metadata.
#[test]
fn records_of_an_old_mysql_are_debeziums() {
    check_default_state(mysql("default"), RowMetadata::NoLog);
}

#[test]
fn mysql_records_are_debeziums() {
    check(&mysql("default"), ValueFormat::Json);
}

#[test]
fn mysql_records_with_schemas_are_debeziums() {
    check(&mysql("schemas"), ValueFormat::JsonWithEnvelope);
}

#[test]
fn mariadb_records_are_debeziums() {
    check(&mariadb("default"), ValueFormat::Json);
}

#[test]
fn mariadb_records_with_schemas_are_debeziums() {
    check(&mariadb("schemas"), ValueFormat::JsonWithEnvelope);
}

/// Labels, defaults and comments with quotes and escapes, indexes, views, routines, renames in a circle: the
/// schema-change topic once differed in sixteen kinds, and its test wrote the records itself.
#[test]
fn records_of_statements_are_debeziums() {
    let log = "tests/golden/debezium/mysql-statements.binlog.gz".into();
    let run = Run { server: "mysql", form: "statements", connector: Connector::Mysql, log, least: 50, metadata: None };
    check(&run, ValueFormat::Json);
}
