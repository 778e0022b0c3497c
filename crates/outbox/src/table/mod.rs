//! Tables on a server: created, read from `information_schema`, held against what a layout needs.

mod fit;
mod purge;

use crate::layout::TableName;
use crate::{Error, Session, Value};

pub(crate) use fit::Needs;
use fit::{Existing, ExistingColumn};
pub(crate) use purge::Purge;

const COLUMNS: &str = "SELECT COLUMN_NAME, LOWER(DATA_TYPE), CAST(CHARACTER_MAXIMUM_LENGTH AS CHAR), \
     CAST(DATETIME_PRECISION AS CHAR), IF(IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL, 'yes', 'no'), LOWER(EXTRA) \
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? \
     ORDER BY ORDINAL_POSITION";
const ENGINE: &str = "SELECT t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t \
     LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
     WHERE t.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND t.TABLE_NAME = ?";
const INDEXES: &str = "SELECT INDEX_NAME, COLUMN_NAME, CAST(NON_UNIQUE AS CHAR) FROM information_schema.STATISTICS \
     WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX";
const BINLOG: &str = "SELECT CAST(@@global.log_bin AS CHAR), CAST(@@session.sql_log_bin AS CHAR), \
     CAST(@@session.binlog_format AS CHAR)";

/// Returns a CREATE TABLE of lines. Text compares by code point, so that ids that differ in case only stay apart.
pub(crate) fn create(table: &TableName, lines: &[String], engine: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (\n  {}\n) ENGINE = {engine} DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        table.quoted(),
        lines.join(",\n  ")
    )
}

/// Returns whether there is a table of this name.
pub(crate) async fn exists<S: Session>(session: &mut S, table: &TableName) -> Result<bool, Error> {
    Ok(!session.query(ENGINE, &place(table)).await?.is_empty())
}

/// Verifies an existing table.
pub(crate) async fn verify<S: Session>(session: &mut S, table: &TableName, needs: &Needs<'_>) -> Result<(), Error> {
    let place = place(table);
    let Some(engine) = session.query(ENGINE, &place).await?.into_iter().next() else {
        let remedy = "create it with migrate(), or select its database".into();
        return Err(Error::Table { table: table.to_string(), reason: "it does not exist".into(), remedy });
    };
    let mut engine = engine.into_iter();
    let mut existing = Existing {
        engine: engine.next().flatten().unwrap_or_default(),
        transactional: engine.next().flatten().is_some_and(|text| text.eq_ignore_ascii_case("YES")),
        ..Existing::default()
    };
    for row in session.query(COLUMNS, &place).await? {
        let mut cells = row.into_iter();
        let mut cell = || cells.next().flatten().unwrap_or_default();
        existing.columns.push(ExistingColumn {
            name: cell(),
            data_type: cell(),
            length: cell().parse().ok(),
            fraction: cell().parse().ok(),
            without_default: cell() == "yes",
            extra: cell(),
        });
    }
    for row in session.query(INDEXES, &place).await? {
        let mut cells = row.into_iter();
        let mut cell = || cells.next().flatten().unwrap_or_default();
        existing.add_index_column(cell(), cell(), cell() == "0");
    }
    needs.check(&existing).map_err(|(reason, remedy)| Error::Table { table: table.to_string(), reason, remedy })
}

/// Verifies that this session's rows go to the binlog as rows.
pub(crate) async fn verify_binlog<S: Session>(session: &mut S, table: &TableName) -> Result<(), Error> {
    let row = session.query(BINLOG, &[]).await?.into_iter().next().unwrap_or_default();
    let mut cells = row.into_iter();
    let mut cell = || cells.next().flatten().unwrap_or_default();
    let lost = |reason: String, remedy| Err(Error::Server { table: table.to_string(), reason, remedy });
    match (cell().as_str(), cell().as_str(), cell().as_str()) {
        ("0" | "OFF", _, _) => lost("it writes no binlog".into(), "start it with log_bin"),
        (_, "0" | "OFF", _) => lost("sql_log_bin is off in this session".into(), "leave it on"),
        (_, _, "ROW") => Ok(()),
        (_, _, format) => lost(format!("binlog_format is {format}"), "set binlog_format to ROW"),
    }
}

fn place(table: &TableName) -> [Value; 2] {
    let database = table.database.as_ref().map_or(Value::Null, |database| Value::Text(database.clone()));
    [database, Value::Text(table.table.clone())]
}
