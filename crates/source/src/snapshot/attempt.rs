//! One attempt to open the view with its position, on either server: without a lock if possible, else under a lock.

use std::time::Duration;

use super::lock::{LockOutcome, TableLock};
use super::position::{mariadb_gtids_at, no_position};
use super::view::{Attempt, Exactness, OPEN_VIEW, Undecided, View};
use super::{bracket, locked_view};
use crate::wire::Connection;
use crate::{Error, Position};

impl Attempt<'_> {
    /// Tries once to open the view, and waits for each lock no longer than the limit. If this returns a view,
    /// `uncovered` holds the locks on the tables that no view covers.
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
        // Lock order: the global lock first, table locks second. FLUSH TABLES WITH READ LOCK waits for tables that any
        // other session has locked, even the snapshot's own lock session.
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
