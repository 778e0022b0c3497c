//! Reads positions of the log as the servers print them.

use bitacora_binlog::gtid::GtidSet;

use crate::wire::{Connection, Row};
use crate::{Error, Position, ServerVersion};

/// Returns the statement by which MySQL names the end of its log.
pub(super) fn status_statement(version: &ServerVersion) -> &'static str {
    if version.at_least(8, 2, 0) { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" }
}

/// Reads the answer to [`status_statement`].
pub(super) fn mysql_position(
    connection: &Connection,
    row: Option<Row<'_>>,
    gtid_mode: Option<&str>,
) -> Result<Position, Error> {
    let row = row.ok_or_else(no_position)?;
    let file = row.named("File").unwrap_or_default().to_owned();
    let offset = row.named("Position").and_then(|text| text.parse().ok()).ok_or_else(no_position)?;
    let executed = row.named("Executed_Gtid_Set").unwrap_or_default();
    Ok(Position { file, offset, gtid: mysql_gtids(connection, gtid_mode, executed)? })
}

/// Returns the position at which the oldest log file of the server begins.
pub(super) async fn oldest(connection: &mut Connection) -> Result<Position, Error> {
    let logs = connection.query("SHOW BINARY LOGS").await?;
    let file = logs.first().and_then(|row| row.text(0)).ok_or_else(no_position)?.to_owned();
    let gtid = if connection.version().is_mariadb() {
        mariadb_gtids_at(connection, &file, 4).await?
    } else {
        let answer = connection.query("SELECT @@global.gtid_mode, @@global.gtid_purged").await?;
        let row = answer.first();
        let purged = row.as_ref().and_then(|row| row.text(1)).unwrap_or_default();
        mysql_gtids(connection, row.as_ref().and_then(|row| row.text(0)), purged)?
    };
    Ok(Position { file, offset: 4, gtid })
}

/// Returns the GTIDs of a position; `None` if the server does not give every transaction a GTID.
fn mysql_gtids(connection: &Connection, mode: Option<&str>, set: &str) -> Result<Option<GtidSet>, Error> {
    if mode != Some("ON") {
        return Ok(None);
    }
    let set = set.replace(['\n', ' '], "");
    Ok(Some(GtidSet::Mysql(set.parse().map_err(|_| connection.malformed("GTID set"))?)))
}

/// Asks MariaDB for the GTIDs before an offset of its log.
pub(super) async fn mariadb_gtids_at(
    connection: &mut Connection,
    file: &str,
    offset: u64,
) -> Result<Option<GtidSet>, Error> {
    let quoted_file = file.replace('\\', "\\\\").replace('\'', "''");
    let answer = connection.query(&format!("SELECT BINLOG_GTID_POS('{quoted_file}', {offset})")).await?;
    answer
        .first()
        .and_then(|row| row.text(0))
        .map(|text| Ok(GtidSet::Mariadb(text.parse().map_err(|_| connection.malformed("GTID position"))?)))
        .transpose()
}

pub(super) fn no_position() -> Error {
    Error::Snapshot {
        reason: "the server names no position of its binlog".into(),
        remedy: "Start the server with log_bin".into(),
    }
}
