//! Begins a snapshot: shapes, then view and position, then the plan of each table's reading.

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
    /// [`Error::Snapshot`] with a remedy where binlog or privileges are missing; [`Error::SnapshotAgain`] where a lock
    /// is not given, or a table changes before it is read; those of the connection.
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
            // From here on their definitions stay as they are.
            for table in shapes.tables.iter().take(uncovered_count) {
                hold(lock.session(), &mut look, table).await?;
            }
        }
        shape::refuse_unknown(&mut connection, &mut look, filter, &names, release).await?;
        // From here on only rows are read, and they come in each column's own character set.
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

/// Switches the binlog off for MariaDB's session, so that savepoints, which free each table after it is read, are not
/// logged. MySQL does not log them. An account without the privilege keeps all tables until the end of the snapshot.
async fn write_nothing(connection: &mut Connection) -> Result<Release, Error> {
    if !connection.version().is_mariadb() {
        return Ok(Release::EachTable);
    }
    match connection.execute("SET SESSION sql_log_bin = 0").await {
        Err(Error::Server { code, .. }) if NOT_ALLOWED.contains(&code) => {
            tracing::info!(
                "a change of a table waits until the whole snapshot is read, because the account lacks BINLOG ADMIN"
            );
            Ok(Release::Together)
        }
        done => done.map(|()| Release::EachTable),
    }
}

/// Pause before the view is opened again while prepared XA transactions wait for COMMIT or ROLLBACK, and the longest
/// time that the snapshot waits for them.
const XA_PAUSE: Duration = Duration::from_millis(100);
const XA_PATIENCE: Duration = Duration::from_secs(10);
/// How often a lock is tried; the pauses in between grow from the wait's own limit to the longest one.
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
            "the snapshot's view is tried again: {reason}");
        tokio::time::sleep(pause).await;
    }
}

async fn hold(session: &mut Connection, look: &mut Look, table: &Shape) -> Result<(), Error> {
    // The lock on the table keeps its definition until it is given back.
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

/// Names the first tables.
fn listed(tables: &[TableName]) -> String {
    let shown: Vec<String> = tables.iter().take(5).map(TableName::to_string).collect();
    let more = tables.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
