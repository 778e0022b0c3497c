//! Everything that needs real servers, each test with MySQL and MariaDB and with both drivers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod binlog;
mod cleaner;
mod inbox;
mod layouts;
mod migration;
mod rights;
mod transactions;

use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use bitacora_outbox::{Error, Layout, Outbox, Session, Value, Variant};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};
use sqlx::{Connection, MySqlConnection};

/// A running server with the database `app`.
struct Server {
    name: &'static str,
    process: Box<dyn Deref<Target = DatabaseServer>>,
}

impl Deref for Server {
    type Target = DatabaseServer;
    fn deref(&self) -> &DatabaseServer {
        &self.process
    }
}

impl Server {
    fn mysql() -> Server {
        Server::with_database("MySQL", Box::new(Mysql::start(MysqlOptions::default())))
    }

    /// MariaDB with the BLACKHOLE engine loaded.
    fn mariadb() -> Server {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/mariadb-blackhole.sh");
        let output = Command::new(&script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = String::from_utf8(output.stdout).unwrap();
        let extra = vec![format!("--plugin-dir={}/", folder.trim()), "--plugin-load-add=ha_blackhole".into()];
        Server::with_database(
            "MariaDB",
            Box::new(Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() })),
        )
    }

    fn both() -> [Server; 2] {
        [Server::mysql(), Server::mariadb()]
    }

    fn with_database(name: &'static str, process: Box<dyn Deref<Target = DatabaseServer>>) -> Server {
        process.client("CREATE DATABASE app CHARACTER SET utf8mb4");
        Server { name, process }
    }

    async fn sqlx(&self) -> MySqlConnection {
        MySqlConnection::connect(&format!("{}/app", self.url())).await.unwrap()
    }

    async fn mysql_async(&self) -> mysql_async::Conn {
        let options = mysql_async::Opts::from_url(&format!("{}/app", self.url())).unwrap();
        mysql_async::Conn::new(options).await.unwrap()
    }

    /// The first column of a query, one text a row.
    fn column(&self, sql: &str) -> Vec<String> {
        self.client(&format!("USE app; {sql}")).lines().map(str::to_owned).collect()
    }

    fn count(&self, table: &str) -> usize {
        self.column(&format!("SELECT COUNT(*) FROM {table}"))[0].parse().unwrap()
    }
}

/// A session of either driver, so that what does not depend on the driver is tested once with each.
enum Either {
    Sqlx(MySqlConnection),
    MysqlAsync(mysql_async::Conn),
}

impl Either {
    async fn both(server: &Server) -> [Either; 2] {
        [Either::Sqlx(server.sqlx().await), Either::MysqlAsync(server.mysql_async().await)]
    }

    fn name(&self) -> &'static str {
        match self {
            Either::Sqlx(_) => "sqlx",
            Either::MysqlAsync(_) => "mysql_async",
        }
    }
}

impl Session for Either {
    async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        match self {
            Either::Sqlx(session) => session.execute(sql, values).await,
            Either::MysqlAsync(session) => session.execute(sql, values).await,
        }
    }

    async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Option<String>>>, Error> {
        match self {
            Either::Sqlx(session) => session.query(sql, values).await,
            Either::MysqlAsync(session) => session.query(sql, values).await,
        }
    }
}

fn standard(table: &str, variant: Variant) -> Outbox {
    Outbox::new(Layout::standard(table).build().unwrap(), variant)
}
