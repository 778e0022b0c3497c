//! The cleaner deletes old rows and no others, in bounded batches, and holds nobody up.

use std::time::{Duration, SystemTime};

use bitacora_outbox::{
    CleanBy, Cleaner, CleanerOptions, Column, ColumnType, Content, Event, EventId, Layout, Outbox, Payload, Variant,
};
use sqlx::Connection;

use crate::{Either, Server, standard};

const HOUR: Duration = Duration::from_secs(3_600);

/// An event as it was made some time ago.
fn event(age: Duration) -> Event {
    let moment = SystemTime::now() - age;
    let mut id = EventId::lowest_at(moment).to_bytes();
    id[8..].copy_from_slice(&EventId::generate().to_bytes()[8..]);
    Event::new("a", "1", "T", Payload::Text("{}".into())).with_id(EventId::from_bytes(id)).with_timestamp(moment)
}

fn options(by: CleanBy) -> CleanerOptions {
    CleanerOptions { min_age: HOUR, batch_rows: 10, by, ..CleanerOptions::default() }
}

#[tokio::test]
async fn old_rows_go_oldest_first_and_young_ones_stay() {
    for server in Server::both() {
        let by_id = standard("by_id", Variant::Plain);
        let by_date = Layout::standard("by_date").with_timestamp().build().unwrap();
        let millis = Column::new("millis", Content::Timestamp, ColumnType::BigInt);
        let by_millis = Layout::standard("by_millis").column(millis).build().unwrap();
        let [by_date, by_millis] = [by_date, by_millis].map(|layout| Outbox::new(layout, Variant::Plain));
        for mut session in Either::both(&server).await {
            for (outbox, table, by) in [
                (&by_id, "by_id", CleanBy::Id),
                (&by_date, "by_date", CleanBy::Timestamp),
                (&by_millis, "by_millis", CleanBy::Timestamp),
            ] {
                let place = format!("{} {} {table}", server.name, session.name());
                outbox.migrate(&mut session).await.unwrap();
                let mut old = Vec::new();
                for minute in 0..35 {
                    old.push(event(HOUR + Duration::from_secs(60 * (minute + 1))));
                    outbox.add(&mut session, &old[old.len() - 1]).await.unwrap();
                }
                let young = [event(HOUR - Duration::from_secs(60)), event(Duration::ZERO)];
                for event in &young {
                    outbox.add(&mut session, event).await.unwrap();
                }
                let bounded = CleanerOptions { max_batches: 2, ..options(by) };
                assert_eq!(Cleaner::new(outbox, bounded).unwrap().run(&mut session).await.unwrap(), 20, "{place}");
                let left = server.column(&format!("SELECT id FROM {table} ORDER BY id"));
                let mut expected: Vec<String> =
                    old[..15].iter().rev().chain(&young).map(|event| event.id().to_string()).collect();
                assert_eq!(left, expected, "{place}: the oldest twenty are gone");
                let cleaner = Cleaner::new(outbox, options(by)).unwrap();
                assert_eq!(cleaner.run(&mut session).await.unwrap(), 15, "{place}");
                assert_eq!(cleaner.run(&mut session).await.unwrap(), 0, "{place}");
                expected.drain(..15);
                assert_eq!(server.column(&format!("SELECT id FROM {table} ORDER BY id")), expected, "{place}");
                let later = SystemTime::now() + HOUR + Duration::from_secs(1);
                assert_eq!(cleaner.run_at(&mut session, later).await.unwrap(), 2, "{place}");
            }
            // A random id says nothing about its time, so the row stays where ids are asked.
            let random: EventId = "00000000-8694-439b-aea5-966c26f8ad91".parse().unwrap();
            by_id.add(&mut session, &event(Duration::ZERO).with_id(random)).await.unwrap();
            let cleaner = Cleaner::new(&by_id, options(CleanBy::Id)).unwrap();
            assert_eq!(cleaner.run_at(&mut session, SystemTime::now() + 9 * HOUR).await.unwrap(), 0);
            // Neither does one that another program wrote in upper case: as text it is older than every other.
            let foreign = EventId::generate().to_string().to_uppercase();
            server.client(&format!("INSERT INTO app.by_id VALUES ('{foreign}', 'a', '1', 'T', '{{}}')"));
            assert_eq!(cleaner.run_at(&mut session, SystemTime::now() + 99 * HOUR).await.unwrap(), 0);
            server.client("DELETE FROM app.by_id");
        }
    }
}

/// A cleaner that scans past the old rows would wait for the row of a transaction that is still open, and would hold
/// up new events.
#[tokio::test]
async fn a_cleaner_and_open_transactions_do_not_wait_for_each_other() {
    for server in Server::both() {
        for by in [CleanBy::Id, CleanBy::Timestamp] {
            let layout = Layout::standard(format!("{by:?}")).with_timestamp().build().unwrap();
            let outbox = Outbox::new(layout, Variant::Plain);
            let mut application = server.sqlx().await;
            outbox.migrate(&mut application).await.unwrap();
            if by == CleanBy::Timestamp {
                // In a table of the application's own, ids may compare in another way than the connection does.
                let own = "MODIFY id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_spanish_ci";
                server.client(&format!("ALTER TABLE app.{by:?} {own}"));
            }
            for mut session in Either::both(&server).await {
                use bitacora_outbox::Session;
                session.execute("SET SESSION innodb_lock_wait_timeout = 2", &[]).await.unwrap();
                // More than 1,000: a list of that length is a subquery to MariaDB, and then it reads the whole table.
                let mut filling = application.begin().await.unwrap();
                for _ in 0..1_500 {
                    outbox.add(&mut filling, &event(2 * HOUR)).await.unwrap();
                }
                filling.commit().await.unwrap();
                let mut open = application.begin().await.unwrap();
                outbox.add(&mut open, &event(Duration::ZERO)).await.unwrap();
                outbox.add(&mut open, &event(3 * HOUR)).await.unwrap();
                let cleaner = Cleaner::new(&outbox, CleanerOptions { batch_rows: 2_000, ..options(by) }).unwrap();
                let deleted =
                    cleaner.run(&mut session).await.unwrap_or_else(|error| panic!("{} {by:?}: {error}", server.name));
                assert_eq!(deleted, 1_500, "{} {by:?}", server.name);
                open.rollback().await.unwrap();
            }
        }
    }
}

#[test]
fn cleaners_that_make_no_sense_are_refused() {
    let plain = standard("o", Variant::Plain);
    let refused = |outbox: &Outbox, options, reason: &str| {
        let error = Cleaner::new(outbox, options).unwrap_err().to_string();
        assert!(error.starts_with("table o cannot be cleaned: ") && error.contains(reason), "{error}");
    };
    let default = CleanerOptions::default();
    refused(&standard("o", Variant::Blackhole), default, "keeps no rows");
    refused(&standard("o", Variant::InsertAndDelete), default, "keeps no rows");
    refused(&plain, CleanerOptions { min_age: Duration::from_secs(59), ..default }, "a minute");
    refused(&plain, CleanerOptions { batch_rows: 0, ..default }, "1 to 10000");
    refused(&plain, CleanerOptions { by: CleanBy::Timestamp, ..default }, "no timestamp column");
}
