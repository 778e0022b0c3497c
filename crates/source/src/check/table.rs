//! Are there tables to capture, can the account read them, and do they have a primary key?

use std::collections::{HashMap, HashSet};

use super::privilege::Privileges;
use super::{CheckName, CheckOptions, Report, Severity, SnapshotPlanned};
use crate::schema;
use crate::snapshot::has_view;
use crate::wire::Connection;
use crate::{Error, ErrorClass, Filter, TableName, quoted};

/// Most tables that the check tries to read, one statement each; more would make the check slow.
const TRIED: usize = 500;

/// Checks the captured tables.
pub(super) async fn check(
    connection: &mut Connection,
    options: &CheckOptions,
    privileges: &Privileges,
    report: &mut Report,
) -> Result<(), Error> {
    let tables = schema::list_tables(connection, &options.filter).await?;
    if let Some(failure) = options.filter.failure() {
        report.add(
            CheckName::Filter,
            Severity::Failure,
            format!("The expression {} of the filter lists cannot be used", failure.pattern),
            &failure.reason,
        );
        return Ok(());
    }
    if tables.is_empty() {
        report.add(
            CheckName::Tables,
            Severity::Warning,
            "No table is captured: no table that the account can see matches the filter lists",
            "Compare database.include.list and table.include.list with the server's tables, and the account's \
            privileges on them",
        );
        return Ok(());
    }
    report.tables.clone_from(&tables);
    report.ok(CheckName::Tables, captured(tables.len()));
    keys(connection, &tables, &options.filter, report).await?;
    if options.snapshot == SnapshotPlanned::Yes {
        engines(connection, &tables, privileges, report).await?;
        if !privileges.global(&["SELECT"]) {
            readable(connection, &tables, report).await?;
        }
    }
    Ok(())
}

fn captured(count: usize) -> String {
    if count == 1 { "1 table is captured".to_owned() } else { format!("{count} tables are captured") }
}

/// Reports the tables that a consistent view does not cover.
async fn engines(
    connection: &mut Connection,
    tables: &[TableName],
    privileges: &Privileges,
    report: &mut Report,
) -> Result<(), Error> {
    let found = connection.query("SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES").await?;
    let engines: HashMap<(&str, &str), &str> =
        found.rows().filter_map(|row| Some(((row.text(0)?, row.text(1)?), row.text(2)?))).collect();
    let uncovered: Vec<String> = tables
        .iter()
        .filter_map(|name| {
            let engine = engines.get(&(name.database.as_str(), name.table.as_str()))?;
            (!has_view(engine)).then(|| format!("{name} ({engine})"))
        })
        .collect();
    if uncovered.is_empty() {
        return Ok(());
    }
    let list = format!("engines without a consistent view ({}): {}", uncovered.len(), shown(&uncovered));
    if privileges.may_lock_tables() {
        report.add(
            CheckName::Engines,
            Severity::Warning,
            format!("Captured tables of {list}; they are locked against writes while the snapshot reads them"),
            "Convert them to InnoDB, or take the snapshot when nobody writes to them",
        );
    } else {
        report.add(
            CheckName::Engines,
            Severity::Failure,
            format!("The account lacks LOCK TABLES, which the snapshot needs for captured tables of {list}"),
            "GRANT LOCK TABLES on their databases to the account, convert them to InnoDB, or exclude them",
        );
    }
    Ok(())
}

async fn keys(
    connection: &mut Connection,
    tables: &[TableName],
    filter: &Filter,
    report: &mut Report,
) -> Result<(), Error> {
    // TABLE_CONSTRAINTS has the keys too, but MariaDB hides it from an account that may only SELECT. The statement has
    // no DISTINCT, because MariaDB would then merge names that differ only in case.
    let parts = connection
        .query(
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, NULLABLE FROM information_schema.STATISTICS \
             WHERE NON_UNIQUE = 0",
        )
        .await?;
    // The server uses a unique key in place of a primary key if no part of it is an expression or may be NULL.
    let mut keys: HashMap<(&str, &str, &str), bool> = HashMap::new();
    for row in parts.rows() {
        let (Some(database), Some(table), Some(index)) = (row.text(0), row.text(1), row.text(2)) else { continue };
        if filter.database(database) {
            let is_whole = row.text(3).is_some() && row.text(4) != Some("YES");
            *keys.entry((database, table, index)).or_insert(true) &= is_whole;
        }
    }
    let keyed: HashSet<(&str, &str)> =
        keys.iter().filter(|(_, is_whole)| **is_whole).map(|((database, table, _), _)| (*database, *table)).collect();
    let without: Vec<String> = tables
        .iter()
        .filter(|table| !keyed.contains(&(table.database.as_str(), table.table.as_str())))
        .map(TableName::to_string)
        .collect();
    if !without.is_empty() {
        report.add(
            CheckName::PrimaryKey,
            Severity::Warning,
            format!(
                "Captured tables without a primary key have messages without a key ({}): {}",
                without.len(),
                shown(&without)
            ),
            "Add a primary key where consumers need one",
        );
    }
    Ok(())
}

async fn readable(connection: &mut Connection, tables: &[TableName], report: &mut Report) -> Result<(), Error> {
    let mut refused = Vec::new();
    for table in tables.iter().take(TRIED) {
        let sql = format!("SELECT 1 FROM {}.{} LIMIT 0", quoted(&table.database), quoted(&table.table));
        match connection.execute(&sql).await {
            Ok(()) => {}
            Err(error) if error.server_code().is_some() && error.class() == ErrorClass::FixConfiguration => {
                refused.push(table.to_string());
            }
            // The table was dropped after it was listed.
            Err(error) if error.is_table_gone() => {}
            Err(error) => return Err(error),
        }
    }
    if refused.is_empty() {
        report.ok(CheckName::Privileges, "The account may read the captured tables");
    } else {
        report.add(
            CheckName::Privileges,
            Severity::Failure,
            format!("The account may not read {} captured tables: {}", refused.len(), shown(&refused)),
            "GRANT SELECT on these tables to the account, or exclude them",
        );
    }
    Ok(())
}

fn shown(names: &[String]) -> String {
    let mut text = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        text.push_str(", …");
    }
    text
}
