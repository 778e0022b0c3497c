//! Real servers as child processes, started by the scripts of `tools/`.

mod database;
mod pulsar;

pub use database::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};
pub use pulsar::{Pulsar, PulsarOptions};
