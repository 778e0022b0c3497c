//! Deletes rows of a table in bounded batches without waiting for open transactions and without holding them up.
//!
//! A DELETE with a range locks what it reads, up to the first row that stays, and would wait for rows that are not
//! committed. So a batch reads the keys of old rows without a lock, then deletes by key, a hundred a statement, each
//! statement a transaction of its own.
//!
//! The keys of a statement are a derived table that is joined to the table by a forced index. A plain list of keys will
//! not do: both servers read the whole table instead now and then, even with FORCE INDEX. MySQL does while its
//! statistics say that the table is small, MariaDB when a list reaches `in_predicate_conversion_threshold`. A join with
//! a forced index never considers the scan.

use crate::layout::{TableName, quoted};
use crate::{Error, Session, Value};

const KEYS_PER_STATEMENT: usize = 100;
const INDEX: &str = "SELECT INDEX_NAME FROM information_schema.STATISTICS \
     WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND SEQ_IN_INDEX = 1 AND COLUMN_NAME = ? \
     ORDER BY INDEX_NAME <> 'PRIMARY', NON_UNIQUE LIMIT 1";

/// What to delete.
pub(crate) struct Purge<'a> {
    /// The table.
    pub(crate) table: &'a TableName,
    /// Returns the key columns of old rows, at most `batch_rows`.
    pub(crate) select: &'a str,
    /// The values of `select`.
    pub(crate) cutoff: &'a [Value],
    /// The columns of the key, with which an index begins.
    pub(crate) key: &'a [&'a str],
    pub(crate) batch_rows: usize,
    pub(crate) max_batches: u32,
}

impl Purge<'_> {
    /// Returns the number of deleted rows.
    pub(crate) async fn run<S: Session>(&self, session: &mut S) -> Result<u64, Error> {
        let delete = self.delete(session).await?;
        let mut deleted = 0;
        for _ in 0..self.max_batches {
            let rows = session.query(self.select, self.cutoff).await?;
            for keys in rows.chunks(KEYS_PER_STATEMENT) {
                let values: Vec<Value> = keys.iter().flatten().flatten().map(|key| Value::Text(key.clone())).collect();
                deleted += session.execute(&delete.of(keys.len()), &values).await?;
            }
            if rows.len() < self.batch_rows {
                break;
            }
        }
        Ok(deleted)
    }

    async fn delete<S: Session>(&self, session: &mut S) -> Result<Delete, Error> {
        let [database, table] = super::place(self.table);
        let first = self.key.first().copied().unwrap_or_default();
        let found = session.query(INDEX, &[database, table, first.into()]).await?;
        let Some(index) = found.into_iter().flatten().flatten().next() else {
            let reason = format!("it does not exist, or has no index that begins with {first}");
            let remedy = "make the column its primary key".into();
            return Err(Error::Table { table: self.table.to_string(), reason, remedy });
        };
        let table = self.table.quoted();
        let (names, equal): (Vec<String>, Vec<String>) = (self.key.iter().enumerate())
            .map(|(place, name)| (format!("? AS k{place}"), format!("{table}.{} = k.k{place}", quoted(name))))
            .unzip();
        Ok(Delete {
            // By its name: MySQL looks for an alias in the session's current database, and there may be none.
            key: format!("SELECT {}", names.join(", ")),
            rest: format!(") AS k STRAIGHT_JOIN {table} FORCE INDEX ({}) ON {}", quoted(&index), equal.join(" AND ")),
            table,
        })
    }
}

/// The statement, but for the number of its keys.
struct Delete {
    table: String,
    key: String,
    rest: String,
}

impl Delete {
    fn of(&self, key_count: usize) -> String {
        let keys = vec![self.key.as_str(); key_count].join(" UNION ALL ");
        format!("DELETE {} FROM ({keys}{}", self.table, self.rest)
    }
}
