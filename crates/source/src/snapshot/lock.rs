//! Takes locks with a bounded wait.
//!
//! A session that waits for a lock already blocks every session that comes after it. So the wait has a limit: a second
//! session cancels the statement, and the caller tries again after a pause. `lock_wait_timeout` alone is not enough: it
//! counts in whole seconds, and separately for each lock that a statement waits for. It is set nevertheless, because it
//! ends the wait if this process dies.

use std::pin::pin;
use std::time::Duration;

use super::options::SnapshotOptions;
use super::session::session;
use crate::wire::{Connection, Table};
use crate::{Error, ServerConfig, TableName, quoted};

/// Whether a lock was given within its limit.
#[derive(Debug)]
pub(super) enum LockOutcome<T> {
    Given(T),
    /// The lock was not given; the reason is a clause of a longer sentence.
    NotGiven(String),
}

/// `ER_LOCK_WAIT_TIMEOUT`, `ER_LOCK_DEADLOCK`, `ER_QUERY_INTERRUPTED`.
const NOT_IN_TIME: [u16; 3] = [1205, 1213, 1317];

/// Runs `statements` in one packet and cancels them after `limit`. The caller must release what they locked, also after
/// [`LockOutcome::NotGiven`].
pub(super) async fn in_time(
    session: &mut Connection,
    canceller: &mut Connection,
    statements: &[&str],
    limit: Duration,
) -> Result<LockOutcome<Vec<Table>>, Error> {
    let id = session.connection_id();
    let whole_seconds = limit.as_millis().div_ceil(1000).clamp(1, 31_536_000);
    session.execute(&format!("SET SESSION lock_wait_timeout = {whole_seconds}")).await?;
    let mut answer = pin!(session.query_batch(statements));
    let answer = tokio::select! {
        answer = &mut answer => answer,
        () = tokio::time::sleep(limit) => {
            match canceller.execute(&format!("KILL QUERY {id}")).await {
                // Behind some proxies the session has another number at the server. Then `lock_wait_timeout` ends the
                // wait.
                Ok(()) | Err(Error::Server { .. }) => {}
                Err(error) => return Err(error),
            }
            answer.await
        }
    };
    match answer {
        Ok(answers) => Ok(LockOutcome::Given(answers)),
        Err(Error::Server { code, .. }) if NOT_IN_TIME.contains(&code) => Ok(LockOutcome::NotGiven(format!(
            "other sessions kept a read lock from being given within {} ms",
            limit.as_millis()
        ))),
        Err(error) => Err(error),
    }
}

/// Releases every lock of a session, even one that was given just before its statement was cancelled.
pub(super) async fn unlock(session: &mut Connection) -> Result<(), Error> {
    match session.execute("UNLOCK TABLES").await {
        // A KILL QUERY that comes too late for its statement ends the next one, which is this: send it again.
        Err(Error::Server { code, .. }) if NOT_IN_TIME.contains(&code) => session.execute("UNLOCK TABLES").await,
        done => done,
    }
}

/// A session that holds read locks on some tables, and a second session that cancels its waits.
#[derive(Debug)]
pub(super) struct TableLock {
    session: Connection,
    canceller: Connection,
    statement: String,
}

impl TableLock {
    /// Opens the two sessions; nothing is locked yet.
    pub(super) async fn open<'a>(
        config: &ServerConfig,
        options: &SnapshotOptions,
        tables: impl Iterator<Item = &'a TableName>,
    ) -> Result<TableLock, Error> {
        let list: Vec<String> =
            tables.map(|name| format!("{}.{} READ", quoted(&name.database), quoted(&name.table))).collect();
        Ok(TableLock {
            session: session(config, options).await?,
            canceller: Connection::open(config).await?,
            statement: format!("LOCK TABLES {}", list.join(", ")),
        })
    }

    /// Takes the locks. A transaction that wrote to one of the tables holds the table's metadata lock until the log has
    /// the transaction. So while the locks are held, no change of these tables is between engine and log.
    pub(super) async fn take(&mut self, limit: Duration) -> Result<LockOutcome<()>, Error> {
        Ok(match in_time(&mut self.session, &mut self.canceller, &[&self.statement], limit).await? {
            LockOutcome::Given(_) => LockOutcome::Given(()),
            LockOutcome::NotGiven(reason) => {
                self.release().await?;
                LockOutcome::NotGiven(reason)
            }
        })
    }

    /// Releases the locks.
    pub(super) async fn release(&mut self) -> Result<(), Error> {
        unlock(&mut self.session).await
    }

    /// Returns the session that holds the locks. It must also read the tables: any other session would have to wait
    /// behind sessions that want to change a table.
    pub(super) fn session(&mut self) -> &mut Connection {
        &mut self.session
    }
}
