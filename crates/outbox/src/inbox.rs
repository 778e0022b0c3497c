//! The inbox of an idempotent consumer: each event takes effect once, however often it is delivered.
//!
//! The event's id is recorded in the transaction of the effect. A second delivery finds it and does nothing; a crash
//! before the commit leaves neither. Two deliveries at the same time: the second waits for the first one's transaction
//! and then sees how it ended.
//!
//! Format: one row for each consumer and event, with the number of deliveries whose transaction committed and the time
//! of the first in UTC. Keep rows for longer than a broker may redeliver.

use std::time::Duration;

use crate::layout::{ColumnType, TableName};
use crate::table::{self, Needs, Purge};
use crate::{Error, Session, Value};

/// Longest consumer name and event id, in characters.
const LIMIT: u32 = 190;
/// Room for them, in bytes of UTF-8. Binary, because text of both servers' common collations ignores trailing spaces.
const KEY_TYPE: ColumnType = ColumnType::Varbinary(4 * LIMIT);
const BATCH_ROWS: usize = 1_000;

/// What recording an event has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an event that was seen before must not take effect again"]
pub enum Recorded {
    /// The event is new: let it take effect in this transaction.
    New,
    /// The consumer has handled it before: acknowledge it and do nothing.
    Duplicate,
}

/// Records which events a consumer has handled. Cheap to share: it holds texts, no connection.
#[derive(Debug, Clone)]
pub struct Inbox {
    table: TableName,
    record: String,
}

impl Inbox {
    /// Prepares the statements for a table of the session's current database.
    ///
    /// # Errors
    /// [`Error::Name`] for a name that no server takes.
    pub fn new(table: &str) -> Result<Inbox, Error> {
        Ok(Inbox::of(TableName::new(None, table.to_owned())?))
    }

    /// Prepares the statements for a table of a named database.
    ///
    /// # Errors
    /// [`Error::Name`] for a name that no server takes.
    pub fn in_database(database: &str, table: &str) -> Result<Inbox, Error> {
        Ok(Inbox::of(TableName::new(Some(database.to_owned()), table.to_owned())?))
    }

    fn of(table: TableName) -> Inbox {
        // The update makes a duplicate count as two affected rows for every driver, whether it asks for found or for
        // changed rows, and it takes an exclusive lock at once: with a shared one, two waiting duplicates could
        // deadlock.
        let record = format!(
            "INSERT INTO {} (`consumer`, `event_id`, `deliveries`, `processed_at`) VALUES (?, ?, 1, UTC_TIMESTAMP(6)) \
             ON DUPLICATE KEY UPDATE `deliveries` = `deliveries` + 1",
            table.quoted()
        );
        Inbox { table, record }
    }

    /// Records an event in the caller's transaction and tells whether it is new to the consumer.
    ///
    /// # Errors
    /// [`Error::Inbox`] for an empty or too long text. [`Error::Database`] when the server refuses; after a deadlock
    /// ([`Error::is_transient`]) the transaction is gone and must be repeated as a whole.
    pub async fn record<S: Session>(&self, session: &mut S, consumer: &str, event_id: &str) -> Result<Recorded, Error> {
        for (what, text) in [("consumer", consumer), ("event id", event_id)] {
            if text.is_empty() || text.chars().count() > LIMIT as usize {
                let (text, table) = (text.to_owned(), self.table.to_string());
                return Err(Error::Inbox { what, text, table, limit: LIMIT });
            }
        }
        let affected = session.execute(&self.record, &[consumer.into(), event_id.into()]).await?;
        Ok(if affected == 1 { Recorded::New } else { Recorded::Duplicate })
    }

    /// Returns the CREATE TABLE, for those who keep migrations as files. It may be run again.
    pub fn create_table(&self) -> String {
        let lines = [
            format!("`consumer` {} NOT NULL", KEY_TYPE.sql()),
            format!("`event_id` {} NOT NULL", KEY_TYPE.sql()),
            "`deliveries` INT UNSIGNED NOT NULL".into(),
            "`processed_at` DATETIME(6) NOT NULL".into(),
            "PRIMARY KEY (`consumer`, `event_id`)".into(),
            "KEY `processed_at` (`processed_at`)".into(),
        ];
        table::create(&self.table, &lines, "InnoDB")
    }

    /// Creates the table if it is absent and verifies it. CREATE TABLE ends an open transaction: use a session of its
    /// own.
    ///
    /// # Errors
    /// [`Error::Table`] with the first thing that does not fit, [`Error::Database`] when the server refuses.
    pub async fn migrate<S: Session>(&self, session: &mut S) -> Result<(), Error> {
        if !table::exists(session, &self.table).await? {
            session.execute(&self.create_table(), &[]).await?;
        }
        let needs = Needs {
            columns: vec![
                ("consumer", KEY_TYPE),
                ("event_id", KEY_TYPE),
                ("deliveries", ColumnType::Int),
                ("processed_at", ColumnType::DateTime(6)),
            ],
            key: vec!["consumer", "event_id"],
            exact_key: true,
            blackhole: false,
        };
        table::verify(session, &self.table, &needs).await
    }

    /// Forgets events that were handled longer than `min_age` ago by the server's clock, in batches of 1,000 rows, and
    /// returns their number. An event delivered after that takes effect again.
    ///
    /// # Errors
    /// [`Error::Cleaner`] for an age below a minute, [`Error::Database`] when the server refuses.
    pub async fn clean<S: Session>(&self, session: &mut S, min_age: Duration) -> Result<u64, Error> {
        if min_age < Duration::from_secs(60) {
            let reason = "events of the last minute are never forgotten; raise min_age";
            return Err(Error::Cleaner { table: self.table.to_string(), reason });
        }
        let seconds = [Value::Integer(i64::try_from(min_age.as_secs()).unwrap_or(i64::MAX))];
        let table = self.table.quoted();
        let select = format!(
            "SELECT CONVERT(`consumer` USING utf8mb4), CONVERT(`event_id` USING utf8mb4) FROM {table} \
             WHERE `processed_at` < UTC_TIMESTAMP(6) - INTERVAL ? SECOND ORDER BY `processed_at` LIMIT {BATCH_ROWS}"
        );
        let purge = Purge {
            table: &self.table,
            select: &select,
            cutoff: &seconds,
            key: &["consumer", "event_id"],
            batch_rows: BATCH_ROWS,
            max_batches: u32::MAX,
        };
        purge.run(session).await
    }
}
