//! The recorded logs through the engine, beside what Debezium 3.6.1 made of the same logs: every streamed record and
//! every record of the schema-change topic, byte for byte, as JSON and as JSON with schemas.
//!
//! The recordings and what they are not compared in stand in `tests/golden/debezium` of the workspace. The tests there
//! compare the rows of the snapshot too, with real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod comparison;
mod recording;
mod replay;

use bitacora_change::{Connector, ValueFormat};

use comparison::compare;
use recording::{Run, recording};

const LOGS: &str = "crates/binlog/tests/golden";

fn mysql(form: &'static str) -> Run {
    let log = format!("{LOGS}/mysql-9.7.4/binlog.000001.gz");
    Run { server: "mysql", form, connector: Connector::Mysql, log, least: 6_000 }
}

fn mariadb(form: &'static str) -> Run {
    let log = format!("{LOGS}/mariadb-10.11.18/binlog.000001.gz");
    Run { server: "mariadb", form, connector: Connector::Mariadb, log, least: 6_000 }
}

fn check(run: &Run, format: ValueFormat) {
    let recorded = recording(run);
    let found = replay::run(run, format, &recorded);
    compare(run, &recorded, &found);
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
    let run = Run { server: "mysql", form: "statements", connector: Connector::Mysql, log, least: 50 };
    check(&run, ValueFormat::Json);
}
