//! What an account must be allowed, as the README says it: with exactly these rights each call works, without any one
//! of them it does not. The accounts have a password, which MySQL's default login sends under the server's RSA key.

use std::time::{Duration, SystemTime};

use bitacora_outbox::{Cleaner, CleanerOptions, Error, Event, Inbox, Layout, Outbox, Payload, Variant};
use mysql_async::OptsBuilder;
use sqlx::ConnectOptions;
use sqlx::mysql::MySqlConnectOptions;

use crate::{Either, Server};

const PASSWORD: &str = "secreta ñ";
const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, Copy)]
enum Call {
    Add(Variant),
    Verify,
    Migrate,
    Clean,
    Record,
    InboxMigrate,
    InboxClean,
}

const RIGHTS: [(Call, &[&str]); 9] = [
    (Call::Add(Variant::Plain), &["INSERT"]),
    (Call::Add(Variant::Blackhole), &["INSERT"]),
    (Call::Add(Variant::InsertAndDelete), &["INSERT", "DELETE", "SELECT"]),
    (Call::Verify, &["INSERT"]),
    (Call::Migrate, &["INSERT", "CREATE"]),
    (Call::Clean, &["SELECT", "DELETE"]),
    (Call::Record, &["INSERT", "UPDATE", "SELECT"]),
    (Call::InboxMigrate, &["INSERT", "CREATE"]),
    (Call::InboxClean, &["SELECT", "DELETE"]),
];

fn outbox(variant: Variant) -> Outbox {
    Outbox::new(Layout::standard("salida").in_database("app").build().unwrap(), variant)
}

fn inbox() -> Inbox {
    Inbox::in_database("app", "entrada").unwrap()
}

impl Call {
    fn table(self) -> &'static str {
        match self {
            Call::Add(_) | Call::Verify | Call::Migrate | Call::Clean => "salida",
            Call::Record | Call::InboxMigrate | Call::InboxClean => "entrada",
        }
    }

    /// What the call finds.
    fn prepare(self, server: &Server) {
        server.client("DROP TABLE IF EXISTS app.salida, app.entrada");
        let variant = if let Call::Add(variant) = self { variant } else { Variant::Plain };
        let tables = format!("USE app; {}; {};", outbox(variant).create_table(), inbox().create_table());
        let old = "INSERT INTO salida VALUES ('01900000-0000-7000-8000-000000000000', 'a', '1', 'T', '{}'); \
                   INSERT INTO entrada VALUES ('c', 'e', 1, '2024-01-01');";
        match self {
            Call::Migrate | Call::InboxMigrate => {}
            Call::Clean | Call::InboxClean => drop(server.client(&format!("{tables} {old}"))),
            Call::Add(_) | Call::Verify | Call::Record => drop(server.client(&tables)),
        }
    }

    async fn run(self, session: &mut Either) -> Result<(), Error> {
        match self {
            Call::Add(variant) => {
                let event = Event::new("a", "1", "T", Payload::Text("{}".into()));
                outbox(variant).add(session, &event).await.map(drop)
            }
            Call::Verify => outbox(Variant::Plain).verify(session).await,
            Call::Migrate => outbox(Variant::Plain).migrate(session).await,
            Call::Clean => {
                let cleaner = Cleaner::new(&outbox(Variant::Plain), CleanerOptions::default())?;
                cleaner.run_at(session, SystemTime::now()).await.map(|rows| assert_eq!(rows, 1))
            }
            Call::Record => {
                for _ in 0..2 {
                    let _ = inbox().record(session, "c", "e1").await?;
                }
                Ok(())
            }
            Call::InboxMigrate => inbox().migrate(session).await,
            Call::InboxClean => inbox().clean(session, HOUR).await.map(|rows| assert_eq!(rows, 1)),
        }
    }
}

/// Sessions of a new account with these rights on one table and no others.
async fn sessions(server: &Server, rights: &[&str], table: &str) -> [Either; 2] {
    server.client(&format!("DROP USER IF EXISTS 'app'@'%'; CREATE USER 'app'@'%' IDENTIFIED BY '{PASSWORD}'"));
    if !rights.is_empty() {
        // Rights outlive the table, but most of them are not granted without one.
        let grant = format!("GRANT {} ON app.{table} TO 'app'@'%'", rights.join(", "));
        server.client(&format!("CREATE TABLE IF NOT EXISTS app.{table} (id INT); {grant}"));
    }
    let options = MySqlConnectOptions::new().host("127.0.0.1").port(server.port).username("app").password(PASSWORD);
    let opts = OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(server.port);
    let opts = opts.user(Some("app")).pass(Some(PASSWORD));
    let sqlx = options.connect().await.unwrap_or_else(|error| panic!("{}: {error}", server.name));
    [Either::Sqlx(sqlx), Either::MysqlAsync(mysql_async::Conn::new(opts).await.unwrap())]
}

#[tokio::test]
async fn an_account_needs_these_rights_and_no_others() {
    for server in Server::both() {
        for (call, rights) in RIGHTS {
            for mut session in sessions(&server, rights, call.table()).await {
                call.prepare(&server);
                let place = format!("{} {} {call:?}", server.name, session.name());
                call.run(&mut session).await.unwrap_or_else(|error| panic!("{place}: {error}"));
            }
            for missing in rights {
                let others: Vec<&str> = rights.iter().copied().filter(|right| right != missing).collect();
                for mut session in sessions(&server, &others, call.table()).await {
                    call.prepare(&server);
                    let place = format!("{} {} {call:?} without {missing}", server.name, session.name());
                    assert!(call.run(&mut session).await.is_err(), "{place}");
                }
            }
        }
    }
}
