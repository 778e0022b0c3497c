//! Deletes old rows of a plain outbox table, a batch at a time.
//!
//! What may be deleted: a committed event is in the binlog, and a reader of the binlog takes it from there. The table
//! is needed only by those who read the table itself. Three things follow. Deleting loses nothing that the binlog still
//! holds, however far behind the reader is. The binlog must be kept for longer than a reader may be away
//! (`binlog_expire_logs_seconds`). The age is the time in which rows can be looked at, and read again by a snapshot.
//!
//! Locks: none is held beyond a statement of a hundred rows, and none is waited for; see `table/purge.rs`.

use std::time::{Duration, SystemTime};

use crate::layout::{ColumnType, TableName, quoted};
use crate::table::Purge;
use crate::{Error, EventId, Outbox, Session, Value, Variant};

/// How a cleaner tells the age of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CleanBy {
    /// By the id, which holds the time of its creation and is the primary key. Rows whose id is not a
    /// UUID of version 7 in lower case with hyphens stay.
    #[default]
    Id,
    /// By the layout's timestamp column, for tables with other ids. Without an index on it each batch reads the table.
    Timestamp,
}

/// What a cleaner deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanerOptions {
    /// Rows younger than this stay, by the clock of the process that made the event. At least a minute, so that a long
    /// transaction's event is not deleted the moment it commits.
    pub min_age: Duration,
    /// Most rows of a batch, 1 to 10,000: so many keys are read at a time.
    pub batch_rows: u32,
    /// Most batches of a run; what is left waits for the next run.
    pub max_batches: u32,
    /// How the age is told.
    pub by: CleanBy,
}

impl Default for CleanerOptions {
    /// A day, batches of 1,000 rows, at most 1,000 of them, by id.
    fn default() -> Self {
        CleanerOptions {
            min_age: Duration::from_secs(24 * 60 * 60),
            batch_rows: 1_000,
            max_batches: 1_000,
            by: CleanBy::Id,
        }
    }
}

/// Deletes old rows of one table. The caller decides when: a timer, a job, an administrator.
#[derive(Debug, Clone)]
pub struct Cleaner {
    options: CleanerOptions,
    select: String,
    table: TableName,
    key: String,
    cutoff: Cutoff,
}

#[derive(Debug, Clone, Copy)]
enum Cutoff {
    Id,
    Date,
    Millis,
}

const LEAST_AGE: Duration = Duration::from_secs(60);
const MOST_BATCH_ROWS: u32 = 10_000;

impl Cleaner {
    /// Prepares the statements for an outbox.
    ///
    /// # Errors
    /// [`Error::Cleaner`] for a variant that keeps no rows, a layout without timestamp where it is asked for, an age
    /// below a minute or a batch out of bounds.
    pub fn new(outbox: &Outbox, options: CleanerOptions) -> Result<Cleaner, Error> {
        let layout = outbox.layout();
        let unfit = |reason| Error::Cleaner { table: layout.table.to_string(), reason };
        if outbox.variant() != Variant::Plain {
            return Err(unfit("its variant keeps no rows; only the plain one needs a cleaner"));
        }
        if options.min_age < LEAST_AGE {
            return Err(unfit("rows younger than a minute are never deleted; raise min_age"));
        }
        if !(1..=MOST_BATCH_ROWS).contains(&options.batch_rows) {
            return Err(unfit("batch_rows must be 1 to 10000"));
        }
        let table = layout.table.quoted();
        let id = layout.id_column().map_or(String::new(), |column| quoted(&column.name));
        let limit = options.batch_rows;
        let (select, cutoff) = match options.by {
            CleanBy::Id => {
                // Upper case sorts below lower case in some collations, so such ids do not tell their age by
                // comparison.
                let version = format!("{id} LIKE '________-____-7%' AND HEX({id}) = HEX(LOWER({id}))");
                (
                    format!("SELECT {id} FROM {table} WHERE {id} < ? AND {version} ORDER BY {id} LIMIT {limit}"),
                    Cutoff::Id,
                )
            }
            CleanBy::Timestamp => {
                let Some(column) = layout.timestamp_column() else {
                    return Err(unfit("its layout has no timestamp column; clean by id, or add the column"));
                };
                let time = quoted(&column.name);
                let cutoff = if column.column_type == ColumnType::BigInt { Cutoff::Millis } else { Cutoff::Date };
                (format!("SELECT {id} FROM {table} WHERE {time} < ? ORDER BY {time}, {id} LIMIT {limit}"), cutoff)
            }
        };
        let key = layout.id_column().map_or(String::new(), |column| column.name.clone());
        Ok(Cleaner { options, select, table: layout.table.clone(), key, cutoff })
    }

    /// Deletes rows older than the options' age, oldest first, and returns their number.
    ///
    /// Use a session without an open transaction: inside one, the rows stay locked until it ends.
    ///
    /// # Errors
    /// [`Error::Database`] when the server refuses; batches before it stay deleted.
    pub async fn run<S: Session>(&self, session: &mut S) -> Result<u64, Error> {
        self.run_at(session, SystemTime::now()).await
    }

    /// Like [`Cleaner::run`] with another present time, for tests and for a run that several tables share.
    ///
    /// # Errors
    /// As [`Cleaner::run`].
    pub async fn run_at<S: Session>(&self, session: &mut S, now: SystemTime) -> Result<u64, Error> {
        let Some(moment) = now.checked_sub(self.options.min_age) else { return Ok(0) };
        let cutoff = match self.cutoff {
            Cutoff::Id => Value::Text(EventId::lowest_at(moment).to_string()),
            Cutoff::Date => crate::layout::time(ColumnType::DateTime(6), moment),
            Cutoff::Millis => crate::layout::time(ColumnType::BigInt, moment),
        };
        let purge = Purge {
            table: &self.table,
            select: &self.select,
            cutoff: &[cutoff],
            key: &[&self.key],
            batch_rows: self.options.batch_rows as usize,
            max_batches: self.options.max_batches,
        };
        purge.run(session).await
    }
}
