//! Begins a snapshot: reads the shapes, opens the view with its position, and plans how each table is read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::column;
use super::lock::{LockOutcome, TableLock};
use super::locked_view::NOT_ALLOWED;
use super::look::Look;
use super::options::{SnapshotContent, SnapshotOptions};
use super::session::{READ_WAIT_S, session};
use super::shape::{self, Held, Release, Shape, Shapes};
use super::state::{Reading, Snapshot, SnapshotTable};
use super::uncovered;
use super::view::{Attempt, Undecided, View};
use crate::ddl::Table;
use crate::identity::server_identity;
use crate::wire::Connection;
use crate::{Error, Filter, ServerConfig, TableName};

impl Snapshot {
    /// Reads the shapes of the captured tables and opens a view of their rows.
    ///
    /// # Errors
    /// [`Error::Snapshot`] with a remedy if the binlog or a privilege is missing; [`Error::SnapshotAgain`] if a lock is
    /// not given, or a table changes before it is read; those of the connection.
    pub async fn begin(config: &ServerConfig, filter: &Filter, options: &SnapshotOptions) -> Result<Snapshot, Error> {
        let mut connection = session(config, options).await?;
        let server = server_identity(&mut connection).await?;
        let mut shapes = Shapes::read(&mut connection, filter).await?;
        let uncovered_count = match options.content {
            SnapshotContent::Rows => uncovered::put_first(&mut shapes.tables),
            SnapshotContent::Shapes => 0,
        };
        let names: Vec<TableName> = shapes.tables.iter().map(|table| table.facts.name.clone()).collect();
        let (locked, covered) = names.split_at(uncovered_count);
        let mut uncovered = match locked {
            [] => None,
            tables => {
                tracing::warn!(server = %config.address(), tables = %listed(tables),
                    "tables of engines without a consistent view are locked against writes while their rows are read");
                Some(TableLock::open(config, options, tables.iter()).await?)
            }
        };
        let release = write_nothing(&mut connection).await?;
        let undecided = Undecided::ask(&mut connection).await?;
        let attempt = Attempt { config, options, undecided, covered };
        let view = open_view(&attempt, &mut connection, uncovered.as_mut())
            .await
            .map_err(|error| lock_refused(error, locked))?;
        let mut look = Look::new(config);
        if let Some(lock) = &mut uncovered {
            // The locks protect the definitions of these tables too, so one comparison is enough for them.
            for table in shapes.tables.iter().take(uncovered_count) {
                hold(lock.session(), &mut look, table).await?;
            }
        }
        shape::refuse_unknown(&mut connection, &mut look, filter, &names, release).await?;
        // From here on the session only reads rows. The server must send them in each column's own character set, as
        // the binlog has them.
        connection
            .execute(&format!("SET SESSION character_set_results = NULL, lock_wait_timeout = {READ_WAIT_S}"))
            .await?;
        let flavor = connection.version().flavor;
        let mut tables = Vec::with_capacity(shapes.tables.len());
        for Shape { facts, described, create_statement, created } in shapes.tables {
            let planned = column::plan(&facts, flavor)?;
            tables.push(SnapshotTable {
                map: Arc::new(planned.map),
                select: planned.select,
                treatments: planned.treatments,
                description: described.as_ref().map(Table::description).unwrap_or_default(),
                table: described,
                facts,
                create_statement,
                created,
            });
        }
        Ok(Snapshot {
            connection,
            look,
            uncovered,
            uncovered_count,
            release,
            ahead: VecDeque::new(),
            reading: Reading::new(options.chunk_bytes),
            tables,
            filter: filter.clone(),
            server,
            position: view.position,
            defaults: shapes.defaults,
            exactness: view.exactness,
        })
    }
}

/// Switches the binlog off for a session of MariaDB, which would otherwise log the savepoints that release each table
/// after it was read. MySQL does not log them. If the account lacks the privilege, no table is released before the end
/// of the snapshot.
async fn write_nothing(connection: &mut Connection) -> Result<Release, Error> {
    if !connection.version().is_mariadb() {
        return Ok(Release::EachTable);
    }
    match connection.execute("SET SESSION sql_log_bin = 0").await {
        Err(Error::Server { code, .. }) if NOT_ALLOWED.contains(&code) => {
            tracing::info!(
                "changes of table definitions wait until the whole snapshot is read, because the account lacks BINLOG \
                ADMIN"
            );
            Ok(Release::Together)
        }
        done => done.map(|()| Release::EachTable),
    }
}

/// Pause before the view is opened again while prepared XA transactions wait for COMMIT or ROLLBACK.
const XA_PAUSE: Duration = Duration::from_millis(100);
/// Longest time that the snapshot waits for prepared XA transactions.
const XA_PATIENCE: Duration = Duration::from_secs(10);
/// Most attempts to get a lock. The pauses between them double from `snapshot.lock.timeout.ms` to [`LONGEST_PAUSE`], so
/// that other sessions can finish in between.
const LOCK_ATTEMPTS: u32 = 6;
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

async fn open_view(
    attempt: &Attempt<'_>,
    connection: &mut Connection,
    mut uncovered: Option<&mut TableLock>,
) -> Result<View, Error> {
    let patience = Instant::now() + XA_PATIENCE;
    let mut tried = 0;
    loop {
        let reason = match attempt.open(connection, uncovered.as_deref_mut()).await? {
            LockOutcome::Given(view) if view.undecided == 0 => return Ok(view),
            LockOutcome::Given(view) if Instant::now() >= patience => {
                tracing::warn!(server = %attempt.config.address(), transactions = view.undecided,
                    "XA transactions are prepared and not decided (XA RECOVER lists them); if one of them commits \
                    after this snapshot, the source stops, because its rows are in neither snapshot nor stream");
                return Ok(view);
            }
            LockOutcome::Given(_) => None,
            LockOutcome::NotGiven(reason) => Some(reason),
        };
        connection.execute("ROLLBACK").await?;
        if let Some(lock) = uncovered.as_deref_mut() {
            lock.release().await?;
        }
        let Some(reason) = reason else {
            tokio::time::sleep(XA_PAUSE).await;
            continue;
        };
        let pause = LONGEST_PAUSE.min(attempt.lock_limit() * 2_u32.pow(tried));
        tried += 1;
        if tried == LOCK_ATTEMPTS {
            return Err(Error::SnapshotAgain {
                reason,
                remedy:
                    "End long statements and open transactions, GRANT RELOAD ON *.* or LOCK TABLES on the captured \
                    databases to the account where it has neither, or raise snapshot.lock.timeout.ms"
                        .into(),
            });
        }
        tracing::info!(server = %attempt.config.address(), pause_ms = %pause.as_millis(),
            "the snapshot tries again to open its view after a pause: {reason}");
        tokio::time::sleep(pause).await;
    }
}

async fn hold(session: &mut Connection, look: &mut Look, table: &Shape) -> Result<(), Error> {
    // The table's own lock keeps its definition, so no savepoint has to release anything: `Release::Together`.
    let Shape { facts, create_statement, created, .. } = table;
    match shape::hold(session, look, &facts.name, create_statement, created.as_deref(), Release::Together).await? {
        Held::Yes => Ok(()),
        Held::Gone => Err(shape::gone(&facts.name)),
    }
}

fn lock_refused(error: Error, tables: &[TableName]) -> Error {
    match error {
        Error::Server { code, message, .. } if NOT_ALLOWED.contains(&code) && !tables.is_empty() => Error::Snapshot {
            reason: format!(
                "the account may not lock tables of engines without a consistent view, {} ({message})",
                listed(tables)
            ),
            remedy: "GRANT LOCK TABLES on their databases to the account, convert them to InnoDB, or exclude them"
                .into(),
        },
        other => other,
    }
}

/// Returns the names of the first five tables and the number of the others.
fn listed(tables: &[TableName]) -> String {
    let shown: Vec<String> = tables.iter().take(5).map(TableName::to_string).collect();
    let more = tables.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
