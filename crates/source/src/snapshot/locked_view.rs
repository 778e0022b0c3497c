//! Opens the view under a lock, for a MySQL that is never quiet or does not report its transactions. The lock is held
//! only while the view is opened and the position is read.
//!
//! `FLUSH TABLES WITH READ LOCK` is not sent while a statement has run for a second or more: MySQL would mark the
//! tables of that statement as flushed, and every session that wants them would wait until the statement ends, even
//! after this session gave up the lock. In that case, and if the account lacks RELOAD, read locks on the captured
//! tables are taken instead. They do not wait for readers.

use std::time::Duration;

use super::lock::{LockOutcome, TableLock, in_time, unlock};
use super::position::{mysql_position, no_position, status_statement};
use super::view::{Attempt, Exactness, OPEN_VIEW, View};
use crate::Error;
use crate::wire::{Connection, Table};

/// Most tables that are locked one by one. With more, the first tables would stay locked too long while the server
/// opens the last ones.
const TABLES_LOCKED_MAX: usize = 1000;

/// `ER_DBACCESS_DENIED_ERROR`, `ER_ACCESS_DENIED_ERROR`, `ER_TABLEACCESS_DENIED_ERROR`,
/// `ER_SPECIFIC_ACCESS_DENIED_ERROR`.
pub(super) const NOT_ALLOWED: [u16; 4] = [1044, 1045, 1142, 1227];

/// Opens the view under the first lock that is allowed and given.
pub(super) async fn open(
    attempt: &Attempt<'_>,
    connection: &mut Connection,
    mut uncovered: Option<&mut TableLock>,
) -> Result<LockOutcome<View>, Error> {
    let mut reasons = vec!["the server was never quiet".to_owned()];
    if long_statements(connection).await? {
        reasons.push("a long statement prevents the global read lock".to_owned());
    } else {
        match under_global_lock(attempt, connection, uncovered.as_deref_mut()).await {
            Err(Error::Server { code, message, .. }) if NOT_ALLOWED.contains(&code) => reasons.push(message),
            outcome => return outcome,
        }
    }
    match under_table_locks(attempt, connection, uncovered).await {
        Err(Error::Server { code, message, .. }) if NOT_ALLOWED.contains(&code) => reasons.push(message),
        Ok(LockOutcome::NotGiven(reason)) => reasons.push(reason),
        outcome => return outcome,
    }
    Ok(LockOutcome::NotGiven(reasons.join("; ")))
}

/// Returns whether a statement of another session has run for a second or more; false if the account may not ask.
async fn long_statements(connection: &mut Connection) -> Result<bool, Error> {
    const LONG: &str = "SELECT 1 FROM performance_schema.threads WHERE TYPE = 'FOREGROUND' AND PROCESSLIST_TIME >= 1 \
                        AND PROCESSLIST_COMMAND IN ('Query', 'Execute') AND PROCESSLIST_ID <> CONNECTION_ID() LIMIT 1";
    match connection.query(LONG).await {
        Ok(found) => Ok(!found.is_empty()),
        Err(error) if error.is_refusal() || error.is_table_gone() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn under_global_lock(
    attempt: &Attempt<'_>,
    connection: &mut Connection,
    uncovered: Option<&mut TableLock>,
) -> Result<LockOutcome<View>, Error> {
    const LOCK: &str = "FLUSH TABLES WITH READ LOCK";
    let limit = attempt.lock_limit();
    let mut canceller = Connection::open(attempt.config).await?;
    let moment = Moment::new(attempt, connection);
    let outcome = match uncovered {
        None => {
            let mut statements = vec![LOCK];
            statements.extend(&moment.statements);
            statements.push("UNLOCK TABLES");
            in_time(connection, &mut canceller, &statements, limit).await
        }
        Some(tables) => match in_time(connection, &mut canceller, &[LOCK], limit).await {
            Ok(LockOutcome::Given(mut answers)) => match tables.take(limit).await {
                Ok(LockOutcome::Given(())) => connection.query_batch(&moment.statements).await.map(|moment| {
                    answers.extend(moment);
                    LockOutcome::Given(answers)
                }),
                Ok(LockOutcome::NotGiven(reason)) => Ok(LockOutcome::NotGiven(reason)),
                Err(error) => Err(error),
            },
            outcome => outcome,
        },
    };
    unlock(connection).await?;
    match outcome? {
        LockOutcome::Given(answers) => moment.view(connection, answers.get(1..), Exactness::GlobalLock),
        LockOutcome::NotGiven(reason) => Ok(LockOutcome::NotGiven(reason)),
    }
}

async fn under_table_locks(
    attempt: &Attempt<'_>,
    connection: &mut Connection,
    uncovered: Option<&mut TableLock>,
) -> Result<LockOutcome<View>, Error> {
    let limit: Duration = attempt.lock_limit();
    if attempt.covered.len() > TABLES_LOCKED_MAX {
        return Ok(LockOutcome::NotGiven(format!("there are more than {TABLES_LOCKED_MAX} tables to lock one by one")));
    }
    if let Some(lock) = uncovered
        && let LockOutcome::NotGiven(reason) = lock.take(limit).await?
    {
        return Ok(LockOutcome::NotGiven(reason));
    }
    let mut lock = None;
    if !attempt.covered.is_empty() {
        let lock = lock.insert(TableLock::open(attempt.config, attempt.options, attempt.covered.iter()).await?);
        if let LockOutcome::NotGiven(reason) = lock.take(limit).await? {
            return Ok(LockOutcome::NotGiven(reason));
        }
    }
    let moment = Moment::new(attempt, connection);
    let answers = connection.query_batch(&moment.statements).await?;
    if let Some(lock) = &mut lock {
        lock.release().await?;
    }
    moment.view(connection, Some(&answers), Exactness::TableLocks)
}

/// The statements that are sent while a lock is held.
struct Moment<'a> {
    attempt: &'a Attempt<'a>,
    statements: Vec<&'static str>,
}

impl<'a> Moment<'a> {
    fn new(attempt: &'a Attempt<'a>, connection: &Connection) -> Moment<'a> {
        let mut statements = vec![OPEN_VIEW, status_statement(connection.version()), "SELECT @@GLOBAL.gtid_mode"];
        statements.extend(attempt.undecided.statement());
        Moment { attempt, statements }
    }

    fn view(
        &self,
        connection: &Connection,
        answers: Option<&[Table]>,
        exactness: Exactness,
    ) -> Result<LockOutcome<View>, Error> {
        let Some([_view, status, mode, rest @ ..]) = answers else { return Err(no_position()) };
        let gtid_mode = mode.first().and_then(|row| row.text(0));
        let position = mysql_position(connection, status.first(), gtid_mode)?;
        Ok(LockOutcome::Given(View { position, exactness, undecided: self.attempt.undecided.count(rest) }))
    }
}
