//! Opens the consistent view and finds its position.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitacora_binlog::gtid::GtidSet;
use bitacora_binlog::table::TableMap;
use bitacora_change::TableDescription;

use super::column::{self, Treatment};
use super::reader::Reading;
use crate::ddl::Table;
use crate::identity::server_identity;
use crate::schema::{self, ServerDefaults, TableFacts};
use crate::wire::Connection;
use crate::{Error, Filter, Position, ServerConfig, TableName, quoted};

/// How a snapshot is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Longest wait for a lock (`snapshot.lock.timeout.ms`).
    pub lock_timeout_ms: u64,
    /// Size at which a chunk is given to the caller.
    pub chunk_bytes: usize,
    /// Longest time that the server waits for a slow caller.
    pub write_timeout_ms: u64,
}

impl Default for SnapshotOptions {
    fn default() -> SnapshotOptions {
        SnapshotOptions { lock_timeout_ms: 10_000, chunk_bytes: 1 << 20, write_timeout_ms: 24 * 3_600_000 }
    }
}

/// How view and position were made to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The server itself names the position of the view (MariaDB); no lock.
    ServerPosition,
    /// A global read lock for a moment.
    GlobalLock,
    /// Read locks on the captured tables for a moment.
    TableLocks,
}

/// A table of the snapshot.
#[derive(Debug)]
pub struct SnapshotTable {
    /// Columns as in the binlog.
    pub map: Arc<TableMap>,
    /// What `information_schema` says.
    pub facts: TableFacts,
    /// What `SHOW CREATE TABLE` says, completed with what it cannot print; `None` if it could not be read.
    pub table: Option<Table>,
    /// The same in the terms of plans.
    pub description: TableDescription,
    /// Statement that creates the table.
    pub create_statement: String,
    pub(super) select: String,
    pub(super) treatments: Vec<Treatment>,
}

/// An open snapshot.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) connection: Connection,
    pub(super) reading: Reading,
    pub(super) tables: Vec<SnapshotTable>,
    server: String,
    position: Position,
    defaults: ServerDefaults,
    exactness: Exactness,
}

struct View {
    position: Position,
    facts: Vec<TableFacts>,
    creates: Vec<String>,
    defaults: ServerDefaults,
    exactness: Exactness,
    /// XA transactions that are prepared and not decided: their rows lie before the position, and the view does not have them.
    undecided: usize,
}

impl Snapshot {
    /// Opens the view of the captured tables and reads their shapes.
    ///
    /// # Errors
    /// [`Error::Snapshot`] with a remedy where binlog or privileges are missing or a lock is not given in time; those
    /// of the connection.
    pub async fn begin(config: &ServerConfig, filter: &Filter, options: &SnapshotOptions) -> Result<Snapshot, Error> {
        let mut connection = session(config, options).await?;
        let server = server_identity(&mut connection).await?;
        let patience = Instant::now() + Duration::from_millis(options.lock_timeout_ms);
        let view = loop {
            let view = open_view(config, &mut connection, filter, options).await?;
            if view.undecided == 0 {
                break view;
            }
            if Instant::now() >= patience {
                tracing::warn!(server = %config.address(), transactions = view.undecided, "XA transactions are prepared and not decided (XA RECOVER lists them); if one of them commits after this snapshot, the source stops, because its rows are in neither snapshot nor stream");
                break view;
            }
            connection.execute("ROLLBACK").await?;
            tokio::time::sleep(XA_PAUSE).await;
        };
        let flavor = connection.version().flavor;
        let mut tables = Vec::with_capacity(view.facts.len());
        for (mut facts, create_statement) in view.facts.into_iter().zip(view.creates) {
            let table = schema::table(&mut connection, &facts.name, &create_statement).await?;
            facts.take_labels(table.as_ref());
            let planned = column::plan(&facts, flavor)?;
            tables.push(SnapshotTable {
                map: Arc::new(planned.map),
                select: planned.select,
                treatments: planned.treatments,
                description: table.as_ref().map(Table::description).unwrap_or_default(),
                table,
                facts,
                create_statement,
            });
        }
        // From here on only rows are read, and they come in each column's own character set.
        connection.execute("SET SESSION character_set_results = NULL").await?;
        Ok(Snapshot {
            connection,
            reading: Reading::new(options.chunk_bytes),
            tables,
            server,
            position: view.position,
            defaults: view.defaults,
            exactness: view.exactness,
        })
    }

    /// Tells which server the rows are of.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Gives the position that the rows are as of; the stream goes on from here.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Finds where the log begins that the server still has.
    ///
    /// # Errors
    /// [`Error::Snapshot`] where the server has no binlog; those of the connection.
    pub async fn oldest_position(&mut self) -> Result<Position, Error> {
        let connection = &mut self.connection;
        let logs = connection.query("SHOW BINARY LOGS").await?;
        let file = logs.first().and_then(|row| row.text(0)).ok_or_else(no_position)?.to_owned();
        let gtid = if connection.version().is_mariadb() {
            let quoted_file = file.replace('\\', "\\\\").replace('\'', "''");
            let answer = connection.query(&format!("SELECT BINLOG_GTID_POS('{quoted_file}', 4)")).await?;
            mariadb_gtids(connection, answer.first().and_then(|row| row.text(0)))?
        } else {
            let answer = connection.query("SELECT @@global.gtid_mode, @@global.gtid_purged").await?;
            let row = answer.first();
            let purged = row.as_ref().and_then(|row| row.text(1)).unwrap_or_default();
            mysql_gtids(connection, row.as_ref().and_then(|row| row.text(0)), purged)?
        };
        Ok(Position { file, offset: 4, gtid })
    }

    /// Gives the tables in the order in which they are read.
    pub fn tables(&self) -> &[SnapshotTable] {
        &self.tables
    }

    /// Gives the server's default character sets.
    pub fn defaults(&self) -> &ServerDefaults {
        &self.defaults
    }

    /// Tells how view and position were made to agree.
    pub fn exactness(&self) -> Exactness {
        self.exactness
    }
}

/// Opens a session with the snapshot's own limits.
async fn session(config: &ServerConfig, options: &SnapshotOptions) -> Result<Connection, Error> {
    let mut connection = Connection::open(config).await?;
    let lock_s = options.lock_timeout_ms.div_ceil(1000).clamp(1, 31_536_000);
    let write_s = options.write_timeout_ms.div_ceil(1000).clamp(1, 31_536_000);
    let limits = format!("SET SESSION lock_wait_timeout = {lock_s}, net_write_timeout = {write_s}");
    connection.execute(&limits).await?;
    Ok(connection)
}

/// Pause before the view is opened again while XA transactions wait for their decision.
const XA_PAUSE: Duration = Duration::from_millis(100);

async fn open_view(
    config: &ServerConfig,
    connection: &mut Connection,
    filter: &Filter,
    options: &SnapshotOptions,
) -> Result<View, Error> {
    if connection.version().is_mariadb() {
        return mariadb_view(connection, filter).await;
    }
    match global_lock_view(connection, filter).await {
        Err(Error::Server { code: 1045 | 1227, .. }) => table_lock_view(config, connection, filter, options).await,
        other => other,
    }
}

/// Counts the XA transactions that wait for their decision; 0 where the account may not ask (MySQL: `XA_RECOVER_ADMIN`).
async fn undecided_count(connection: &mut Connection) -> Result<usize, Error> {
    match connection.query("XA RECOVER").await {
        Ok(list) => Ok(list.rows().count()),
        Err(Error::Server { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

const OPEN_VIEW: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

async fn mariadb_view(connection: &mut Connection, filter: &Filter) -> Result<View, Error> {
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
    let quoted_file = file.replace('\\', "\\\\").replace('\'', "''");
    let gtid = connection.query(&format!("SELECT BINLOG_GTID_POS('{quoted_file}', {offset})")).await?;
    let gtid = mariadb_gtids(connection, gtid.first().and_then(|row| row.text(0)))?;
    let undecided = undecided_count(connection).await?;
    let (facts, creates, defaults) = shapes(connection, filter).await?;
    Ok(View {
        position: Position { file, offset, gtid },
        facts,
        creates,
        defaults,
        exactness: Exactness::ServerPosition,
        undecided,
    })
}

async fn global_lock_view(connection: &mut Connection, filter: &Filter) -> Result<View, Error> {
    connection.execute("FLUSH TABLES WITH READ LOCK").await.map_err(lock_error)?;
    // Whatever fails from here on, the lock goes away with the connection.
    connection.execute(OPEN_VIEW).await?;
    let position = mysql_position(connection).await?;
    let undecided = undecided_count(connection).await?;
    let (facts, creates, defaults) = shapes(connection, filter).await?;
    connection.execute("UNLOCK TABLES").await?;
    Ok(View { position, facts, creates, defaults, exactness: Exactness::GlobalLock, undecided })
}

async fn table_lock_view(
    config: &ServerConfig,
    connection: &mut Connection,
    filter: &Filter,
    options: &SnapshotOptions,
) -> Result<View, Error> {
    let names = schema::list_tables(connection, filter).await?;
    let mut locker = session(config, options).await?;
    if !names.is_empty() {
        locker.execute(&format!("LOCK TABLES {}", lock_list(&names))).await.map_err(|error| match error {
            Error::Server { code: 1044 | 1045 | 1142 | 1227, message, .. } => Error::Snapshot {
                reason: format!("the account may lock neither the server nor the captured tables ({message})"),
                remedy: "GRANT RELOAD ON *.* TO the account, or GRANT SELECT, LOCK TABLES on the captured databases"
                    .into(),
            },
            other => lock_error(other),
        })?;
    }
    connection.execute(OPEN_VIEW).await?;
    let position = mysql_position(connection).await?;
    let undecided = undecided_count(connection).await?;
    let (facts, creates, defaults) = shapes(connection, filter).await?;
    locker.execute("UNLOCK TABLES").await?;
    // A table that was made after the list was read has not been locked; it is new, and the stream has all of it.
    let (facts, creates) = facts.into_iter().zip(creates).filter(|(facts, _)| names.contains(&facts.name)).unzip();
    Ok(View { position, facts, creates, defaults, exactness: Exactness::TableLocks, undecided })
}

fn lock_list(names: &[TableName]) -> String {
    names
        .iter()
        .map(|name| format!("{}.{} READ", quoted(&name.database), quoted(&name.table)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn lock_error(error: Error) -> Error {
    match error {
        Error::Server { code: 1205, .. } => Error::Snapshot {
            reason: "other sessions did not give way to the read lock in time".into(),
            remedy: "End long statements and open transactions, or raise snapshot.lock.timeout.ms".into(),
        },
        other => other,
    }
}

fn no_position() -> Error {
    Error::Snapshot {
        reason: "the server names no position of its binlog".into(),
        remedy: "Start the server with log_bin".into(),
    }
}

async fn mysql_position(connection: &mut Connection) -> Result<Position, Error> {
    let statement =
        if connection.version().at_least(8, 2, 0) { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
    let status = connection.query(statement).await?;
    let row = status.first().ok_or_else(no_position)?;
    let file = row.named("File").unwrap_or_default().to_owned();
    let offset = row.named("Position").and_then(|text| text.parse().ok()).ok_or_else(no_position)?;
    let executed = row.named("Executed_Gtid_Set").unwrap_or_default().to_owned();
    let mode = connection.query("SELECT @@global.gtid_mode").await?;
    let gtid = mysql_gtids(connection, mode.first().and_then(|row| row.text(0)), &executed)?;
    Ok(Position { file, offset, gtid })
}

/// The GTIDs of a position; `None` where the server does not give every transaction one.
fn mysql_gtids(connection: &Connection, mode: Option<&str>, set: &str) -> Result<Option<GtidSet>, Error> {
    if mode != Some("ON") {
        return Ok(None);
    }
    let set = set.replace(['\n', ' '], "");
    Ok(Some(GtidSet::Mysql(set.parse().map_err(|_| connection.malformed("GTID set"))?)))
}

fn mariadb_gtids(connection: &Connection, position: Option<&str>) -> Result<Option<GtidSet>, Error> {
    position
        .map(|text| Ok(GtidSet::Mariadb(text.parse().map_err(|_| connection.malformed("GTID position"))?)))
        .transpose()
}

async fn shapes(
    connection: &mut Connection,
    filter: &Filter,
) -> Result<(Vec<TableFacts>, Vec<String>, ServerDefaults), Error> {
    let names = schema::list_tables(connection, filter).await?;
    let facts = schema::describe(connection, &names).await?;
    let mut creates = Vec::with_capacity(facts.len());
    for table in &facts {
        creates.push(schema::show_create_table(connection, &table.name).await?);
    }
    let defaults = schema::server_defaults(connection).await?;
    Ok((facts, creates, defaults))
}
