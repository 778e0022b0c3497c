//! The captured tables of a server, and the order in which a snapshot reads them.

use bitacora_source::Connection;
use bitacora_source::schema::list_tables;
use bitacora_source::{Filter, FilterOptions};
use bitacora_testkit::{Mariadb, MariadbOptions};

use crate::config;

/// The tables of `dif` once came before those of `dif-2`, so the first and last rows of a snapshot were marked on other
/// tables than Debezium's, which sorts `database.table` as one text.
#[tokio::test]
async fn tables_stand_in_debeziums_order_and_nothing_else_does() {
    let server = Mariadb::start(MariadbOptions::default());
    server.client(
        "CREATE DATABASE dif; CREATE DATABASE `dif-2`; CREATE DATABASE difa; CREATE TABLE dif.b (a INT); CREATE TABLE \
         dif.B2 (a INT); CREATE TABLE `dif-2`.z (a INT); CREATE TABLE difa.a (a INT); CREATE TABLE dif.versioned (a \
         INT) WITH SYSTEM VERSIONING; CREATE SEQUENCE dif.numbers; CREATE VIEW dif.v AS SELECT 1 AS a",
    );
    let options = FilterOptions { database_include_list: Some("dif.*".into()), ..FilterOptions::default() };
    let mut connection = Connection::open(&config(&server)).await.unwrap();
    let tables = list_tables(&mut connection, &Filter::new(&options).unwrap()).await.unwrap();
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    assert_eq!(tables, ["dif-2.z", "dif.B2", "dif.b", "dif.versioned", "difa.a"]);
}
