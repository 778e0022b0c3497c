//! The consistent view and its position, on either server.

use std::time::Duration;

use super::lock::{LockOutcome, TableLock};
use super::position::{mariadb_gtids_at, no_position};
use super::{SnapshotOptions, bracket, locked_view};
use crate::wire::{Connection, Table};
use crate::{Error, Position, ServerConfig, TableName};

pub(super) const OPEN_VIEW: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

/// How view and position were made to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The server itself names the position of the view (MariaDB); no lock.
    ServerPosition,
    /// Nothing was between log and engine when the view was opened (MySQL); no lock.
    QuietMoment,
    /// A global read lock for a moment, because the server was never quiet.
    GlobalLock,
    /// Read locks on the captured tables for a moment, because the server was never quiet.
    TableLocks,
}

/// A view that is open in the snapshot's session.
#[derive(Debug)]
pub(super) struct View {
    pub(super) position: Position,
    pub(super) exactness: Exactness,
    /// XA transactions that are prepared and not decided: their rows lie before the position, and the view does not have them.
    pub(super) undecided: usize,
}

/// Whether the account may list the XA transactions that wait for their decision (MySQL: `XA_RECOVER_ADMIN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecided {
    Listed,
    NotTold,
}

impl Undecided {
    pub(super) async fn ask(connection: &mut Connection) -> Result<Undecided, Error> {
        match connection.query(XA_RECOVER).await {
            Ok(_) => Ok(Undecided::Listed),
            Err(error) if error.is_refusal() => Ok(Undecided::NotTold),
            Err(error) => Err(error),
        }
    }

    /// Returns the statement that lists them, where it may be asked.
    pub(super) fn statement(self) -> Option<&'static str> {
        (self == Undecided::Listed).then_some(XA_RECOVER)
    }

    /// Counts the rows of the first answer, which is that to [`Undecided::statement`]; 0 where it was not asked.
    pub(super) fn count(self, answers: &[Table]) -> usize {
        answers.first().filter(|_| self == Undecided::Listed).map_or(0, Table::len)
    }
}

const XA_RECOVER: &str = "XA RECOVER";

/// What an attempt needs.
pub(super) struct Attempt<'a> {
    pub(super) config: &'a ServerConfig,
    pub(super) options: &'a SnapshotOptions,
    pub(super) undecided: Undecided,
    /// The captured tables that the view covers.
    pub(super) covered: &'a [TableName],
}

impl Attempt<'_> {
    pub(super) fn lock_limit(&self) -> Duration {
        Duration::from_millis(self.options.lock_timeout_ms)
    }

    /// Opens the view once; waits for a lock no longer than its limit. `uncovered` holds the lock on the tables outside of views when this
    /// returns a view.
    pub(super) async fn open(
        &self,
        connection: &mut Connection,
        mut uncovered: Option<&mut TableLock>,
    ) -> Result<LockOutcome<View>, Error> {
        if let Some(lock) = uncovered.as_deref_mut()
            && let LockOutcome::NotGiven(why) = lock.take(self.lock_limit()).await?
        {
            return Ok(LockOutcome::NotGiven(why));
        }
        if connection.version().is_mariadb() {
            return mariadb_view(connection, self.undecided).await.map(LockOutcome::Given);
        }
        let quiet = Duration::from_millis(self.options.quiet_limit_ms);
        if let Some(view) = bracket::view(connection, self.undecided, quiet).await? {
            return Ok(LockOutcome::Given(view));
        }
        // A lock on everything waits for tables that another session has locked, so those locks have to come second.
        if let Some(lock) = uncovered.as_deref_mut() {
            lock.release().await?;
        }
        connection.execute("ROLLBACK").await?;
        locked_view::open(self, connection, uncovered).await
    }
}

async fn mariadb_view(connection: &mut Connection, undecided: Undecided) -> Result<View, Error> {
    connection.execute(OPEN_VIEW).await?;
    let status = connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'").await?;
    let value = |name: &str| {
        status
            .rows()
            .find(|row| row.text(0).is_some_and(|found| found.eq_ignore_ascii_case(name)))
            .and_then(|row| row.text(1))
    };
    let file = value("Binlog_snapshot_file").unwrap_or_default().to_owned();
    let offset = value("Binlog_snapshot_position").and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    if file.is_empty() || offset == 0 {
        return Err(no_position());
    }
    let gtid = mariadb_gtids_at(connection, &file, offset).await?;
    let listed = match undecided.statement() {
        Some(statement) => vec![connection.query(statement).await?],
        None => Vec::new(),
    };
    Ok(View {
        position: Position { file, offset, gtid },
        exactness: Exactness::ServerPosition,
        undecided: undecided.count(&listed),
    })
}
