//! Tests that need a real server: logins, the stream, checks, snapshots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod check;
mod column;
mod list;
mod lock;
mod login;
mod rogue;
mod session;
mod snapshot;
mod stream;
mod table;

use bitacora_source::ServerConfig;
use bitacora_testkit::DatabaseServer;

/// Returns the configuration of the account `debezium` on a server.
fn config(server: &DatabaseServer) -> ServerConfig {
    ServerConfig::new("127.0.0.1", server.port, "debezium", "dbz")
}

/// Returns the configuration of another account.
fn config_of(server: &DatabaseServer, user: &str, password: &str) -> ServerConfig {
    ServerConfig::new("127.0.0.1", server.port, user, password)
}

/// Purges all binlog files but the last one. Tries again, because MariaDB keeps a file for a moment after closing it.
fn purge_binlogs(server: &DatabaseServer) {
    bitacora_testkit::wait_until("a single binlog file", std::time::Duration::from_secs(30), || {
        let files = server.client("SHOW BINARY LOGS");
        let last = files.lines().last().unwrap().split('\t').next().unwrap();
        if files.lines().count() > 1 {
            server.client(&format!("PURGE BINARY LOGS TO '{last}'"));
        }
        (files.lines().count() == 1).then_some(())
    });
}
