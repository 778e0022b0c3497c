//! Each event takes effect once at a consumer, under repetition, rollback and concurrency.

use std::sync::Arc;
use std::time::Duration;

use bitacora_outbox::{Error, Inbox, Recorded};
use mysql_async::prelude::Queryable;
use sqlx::Connection;

use crate::{Either, Server};

#[tokio::test]
async fn a_repetition_is_told_and_a_rollback_forgets() {
    for server in Server::both() {
        let inbox = Inbox::new("entrada").unwrap();
        let mut sqlx = server.sqlx().await;
        inbox.migrate(&mut sqlx).await.unwrap();
        for mut session in Either::both(&server).await {
            let name = session.name();
            assert_eq!(inbox.record(&mut session, name, "e1").await.unwrap(), Recorded::New);
            for _ in 0..2 {
                assert_eq!(inbox.record(&mut session, name, "e1").await.unwrap(), Recorded::Duplicate, "{name}");
            }
            // Another consumer, another case, a trailing space: other rows.
            for (consumer, id) in [("other", "e1"), (name, "E1"), (name, "e1 ")] {
                let consumer = format!("{consumer}-{name}-{id}");
                assert_eq!(inbox.record(&mut session, &consumer, id).await.unwrap(), Recorded::New);
            }
            assert_eq!(inbox.record(&mut session, name, "e1 ").await.unwrap(), Recorded::New);
            let long = "ñ".repeat(191);
            for (consumer, id) in [(name, long.as_str()), (name, ""), (long.as_str(), "e")] {
                let error = inbox.record(&mut session, consumer, id).await.unwrap_err();
                assert!(matches!(error, Error::Inbox { .. }), "{error}");
            }
            assert_eq!(inbox.record(&mut session, name, &long[2..]).await.unwrap(), Recorded::New);
        }
        assert_eq!(server.column("SELECT deliveries FROM entrada WHERE event_id = 'e1' AND consumer = 'sqlx'"), ["3"]);

        let mut tx = sqlx.begin().await.unwrap();
        assert_eq!(inbox.record(&mut tx, "c", "e2").await.unwrap(), Recorded::New);
        tx.rollback().await.unwrap();
        let mut tx = sqlx.begin().await.unwrap();
        assert_eq!(inbox.record(&mut tx, "c", "e2").await.unwrap(), Recorded::New);
        tx.commit().await.unwrap();
        assert_eq!(inbox.record(&mut sqlx, "c", "e2").await.unwrap(), Recorded::Duplicate);
    }
}

/// Twelve workers get the same thirty events; the first attempt at every third event fails after it was recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_deliveries_take_effect_once() {
    for server in Server::both() {
        server.client("CREATE TABLE app.efectos (evento VARCHAR(20) NOT NULL, por INT NOT NULL)");
        let inbox = Arc::new(Inbox::new("entrada").unwrap());
        inbox.migrate(&mut server.sqlx().await).await.unwrap();
        let failures = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..12_u32 {
            let (inbox, failures) = (inbox.clone(), failures.clone());
            let mut connection = server.mysql_async().await;
            workers.spawn(async move {
                for event in 0..30 {
                    let id = format!("evento-{event}");
                    loop {
                        let mut tx = connection.start_transaction(Default::default()).await.unwrap();
                        match inbox.record(&mut tx, "c", &id).await {
                            Ok(Recorded::New) => {
                                let effect = "INSERT INTO efectos VALUES (?, ?)";
                                tx.exec_drop(effect, (&id, worker)).await.unwrap();
                                if event % 3 == 0 && failures.lock().unwrap().insert(event) {
                                    tx.rollback().await.unwrap();
                                    continue;
                                }
                                tx.commit().await.unwrap();
                            }
                            Ok(Recorded::Duplicate) => tx.commit().await.unwrap(),
                            Err(error) if error.is_transient() => {
                                tx.rollback().await.unwrap();
                                continue;
                            }
                            Err(error) => panic!("{error}"),
                        }
                        break;
                    }
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            worker.unwrap();
        }
        assert_eq!(failures.lock().unwrap().len(), 10);
        let effects = server.column("SELECT COUNT(*), COUNT(DISTINCT evento) FROM efectos");
        assert_eq!(effects, ["30\t30"], "{}", server.name);
        assert_eq!(server.column("SELECT SUM(deliveries) FROM entrada"), ["360"], "{}", server.name);
    }
}

#[tokio::test]
async fn old_entries_are_forgotten_and_young_ones_kept() {
    for server in Server::both() {
        let inbox = Inbox::new("entrada").unwrap();
        for mut session in Either::both(&server).await {
            inbox.migrate(&mut session).await.unwrap();
            let rows = |age: u32, count: u32| {
                format!(
                    "INSERT INTO entrada SELECT 'c', CONCAT({age}, '-', n), 1, UTC_TIMESTAMP(6) \
                     - INTERVAL {age} SECOND \
                     FROM (WITH RECURSIVE s AS (SELECT 1 n UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
                     SELECT n FROM s) AS numbers;"
                )
            };
            let depth = if server.name == "MySQL" { "cte_max_recursion_depth" } else { "max_recursive_iterations" };
            server.client(&format!("USE app; SET {depth} = 9999; {} {}", rows(7_200, 2_100), rows(3_000, 7)));
            // An open transaction with a young entry behind the old ones is not waited for.
            use bitacora_outbox::Session;
            session.execute("SET SESSION innodb_lock_wait_timeout = 2", &[]).await.unwrap();
            let mut application = server.sqlx().await;
            let mut open = application.begin().await.unwrap();
            assert_eq!(inbox.record(&mut open, "c", "open").await.unwrap(), Recorded::New);
            let hour = Duration::from_secs(3_600);
            assert_eq!(inbox.clean(&mut session, hour).await.unwrap(), 2_100, "{}", server.name);
            assert_eq!(inbox.clean(&mut session, hour).await.unwrap(), 0);
            open.commit().await.unwrap();
            assert_eq!(server.count("entrada"), 8);
            let error = inbox.clean(&mut session, Duration::from_secs(59)).await.unwrap_err();
            assert!(error.to_string().contains("table entrada cannot be cleaned"), "{error}");
            server.client("DELETE FROM app.entrada");
        }
    }
}
