//! Migrations may be run again and at once, and tables that cannot hold events are refused with a reason.

use bitacora_outbox::{Inbox, Layout, Outbox, Variant};
use bitacora_testkit::{Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::{Either, Server, standard};

#[tokio::test]
async fn migrations_may_be_repeated_and_run_at_once() {
    for server in Server::both() {
        for (variant, table) in [(Variant::Plain, "a"), (Variant::InsertAndDelete, "b"), (Variant::Blackhole, "c")] {
            let layout = Layout::standard(table).with_headers().with_timestamp().build().unwrap();
            let outbox = Outbox::new(layout, variant);
            let [mut one, mut two] = Either::both(&server).await;
            let (first, second) = tokio::join!(outbox.migrate(&mut one), outbox.migrate(&mut two));
            first.unwrap();
            second.unwrap();
            outbox.migrate(&mut one).await.unwrap();
            outbox.verify(&mut two).await.unwrap();
            let engine =
                server.column(&format!("SELECT engine FROM information_schema.tables WHERE table_name = '{table}'"));
            assert_eq!(engine, [if variant == Variant::Blackhole { "BLACKHOLE" } else { "InnoDB" }], "{}", server.name);
        }
        let inbox = Inbox::in_database("app", "entrada").unwrap();
        for mut session in Either::both(&server).await {
            inbox.migrate(&mut session).await.unwrap();
            inbox.migrate(&mut session).await.unwrap();
        }
    }
}

#[tokio::test]
async fn wrong_tables_are_refused_with_the_reason() {
    let good = "id CHAR(36) PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid VARCHAR(255) NOT NULL, \
                type VARCHAR(255) NOT NULL, payload LONGTEXT";
    let cases = [
        (good.replace("type VARCHAR", "kind VARCHAR"), "InnoDB", "it has no column"),
        (
            good.replace("aggregateid VARCHAR(255)", "aggregateid VARCHAR(254)"),
            "InnoDB",
            "aggregateid is varchar of 254",
        ),
        (good.replace("LONGTEXT", "BLOB"), "InnoDB", "payload is blob"),
        (good.replace("CHAR(36) PRIMARY KEY", "CHAR(36)"), "InnoDB", "it has no index that begins with id"),
        (format!("{good}, extra INT NOT NULL"), "InnoDB", "its column extra needs a value"),
        (good.to_owned(), "MyISAM", "does not take part in transactions"),
        (good.to_owned(), "BLACKHOLE", "does not take part in transactions"),
    ];
    let allowed = [
        good.replace("id CHAR(36)", "ID VARCHAR(99)"),
        format!("{good}, n BIGINT NOT NULL AUTO_INCREMENT UNIQUE, extra INT NOT NULL DEFAULT 1, other INT"),
        good.replace("PRIMARY KEY", "")
            .replace("LONGTEXT", "LONGTEXT, day INT NOT NULL DEFAULT 0, PRIMARY KEY (id, day)"),
    ];
    for server in Server::both() {
        for mut session in Either::both(&server).await {
            let place = format!("{} {}", server.name, session.name());
            let outbox = standard("o", Variant::Plain);
            let error = outbox.verify(&mut session).await.unwrap_err().to_string();
            assert!(error.starts_with("table o cannot be used: it does not exist"), "{place}: {error}");
            for (columns, engine, reason) in &cases {
                server.client(&format!("DROP TABLE IF EXISTS app.o; CREATE TABLE app.o ({columns}) ENGINE={engine}"));
                let error = outbox.migrate(&mut session).await.unwrap_err().to_string();
                assert!(error.contains(reason), "{place}: {columns}: {error}");
            }
            for columns in &allowed {
                server.client(&format!("DROP TABLE app.o; CREATE TABLE app.o ({columns})"));
                outbox.migrate(&mut session).await.unwrap_or_else(|error| panic!("{place}: {columns}: {error}"));
            }
            let hole = standard("o", Variant::Blackhole).migrate(&mut session).await.unwrap_err().to_string();
            assert!(hole.contains("its engine is \"InnoDB\" and the variant needs BLACKHOLE"), "{place}: {hole}");
            server.client("DROP TABLE app.o; CREATE VIEW app.o AS SELECT 1 AS id");
            assert!(outbox.migrate(&mut session).await.is_err(), "{place}: a view is no outbox");
            server.client("DROP VIEW app.o");

            let inbox = Inbox::new("entrada").unwrap();
            let wrong =
                inbox.create_table().replace("`consumer`, `event_id`)", "`consumer`, `event_id`, `processed_at`)");
            server.client(&format!("USE app; DROP TABLE IF EXISTS entrada; {wrong}"));
            let error = inbox.migrate(&mut session).await.unwrap_err().to_string();
            assert!(error.contains("it has no unique index on exactly consumer, event_id"), "{place}: {error}");
        }
    }
}

#[tokio::test]
async fn settings_that_would_lose_events_are_refused() {
    for server in Server::both() {
        for mut session in Either::both(&server).await {
            for (variant, table) in [(Variant::Blackhole, "hole"), (Variant::InsertAndDelete, "emptied")] {
                let outbox = standard(table, variant);
                outbox.migrate(&mut session).await.unwrap();
                for (setting, before, reason) in [
                    ("sql_log_bin = 0", "sql_log_bin = 1", "sql_log_bin is off"),
                    ("binlog_format = MIXED", "binlog_format = ROW", "binlog_format is MIXED"),
                ] {
                    use bitacora_outbox::Session;
                    session.execute(&format!("SET SESSION {setting}"), &[]).await.unwrap();
                    let error = outbox.verify(&mut session).await.unwrap_err().to_string();
                    assert!(error.contains(reason), "{}: {error}", server.name);
                    standard("plain", Variant::Plain).migrate(&mut session).await.unwrap();
                    session.execute(&format!("SET SESSION {before}"), &[]).await.unwrap();
                }
                outbox.verify(&mut session).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_server_without_binlog_is_refused() {
    let extra = || vec!["--skip-log-bin".to_owned()];
    let mysql = Mysql::start(MysqlOptions { gtid: false, extra: extra(), ..MysqlOptions::default() });
    let mariadb = Mariadb::start(MariadbOptions { gtid: false, extra: extra(), ..MariadbOptions::default() });
    for server in [Server::with_database("MySQL", Box::new(mysql)), Server::with_database("MariaDB", Box::new(mariadb))]
    {
        for mut session in Either::both(&server).await {
            let error = standard("o", Variant::InsertAndDelete).migrate(&mut session).await.unwrap_err().to_string();
            let expected = "the server would lose events of table o: it writes no binlog; start it with log_bin, \
                            or use the plain variant";
            assert_eq!(error, expected, "{}", server.name);
            standard("o", Variant::Plain).migrate(&mut session).await.unwrap();
        }
    }
}
