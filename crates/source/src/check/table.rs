//! Are there tables to capture, can they be read, do they have a key?

use super::privilege::Privileges;
use super::{CheckOptions, Report, Severity, SnapshotPlanned};
use crate::schema;
use crate::wire::Connection;
use crate::{Error, ErrorClass, Filter, TableName, quoted};

/// Tables that are tried one by one; more of them would make the check slow.
const TRIED: usize = 500;

/// Checks the captured tables.
pub async fn check(
    connection: &mut Connection,
    options: &CheckOptions,
    privileges: &Privileges,
    report: &mut Report,
) -> Result<(), Error> {
    let tables = schema::list_tables(connection, &options.filter).await?;
    if let Some(failure) = options.filter.failure() {
        report.add(
            "filter",
            Severity::Failure,
            format!("The expression {} of the filter lists cannot be used", failure.pattern),
            &failure.reason,
        );
        return Ok(());
    }
    if tables.is_empty() {
        report.add(
            "tables",
            Severity::Warning,
            "No table is captured: none that the account can see matches the filter lists",
            "Compare database.include.list and table.include.list with the server's tables, and the account's privileges on them",
        );
        return Ok(());
    }
    report.tables.clone_from(&tables);
    report.ok("tables", format!("{} tables are captured", tables.len()));
    keys(connection, &tables, &options.filter, report).await?;
    if options.snapshot == SnapshotPlanned::Yes && !privileges.global(&["SELECT"]) {
        readable(connection, &tables, report).await?;
    }
    Ok(())
}

async fn keys(
    connection: &mut Connection,
    tables: &[TableName],
    filter: &Filter,
    report: &mut Report,
) -> Result<(), Error> {
    // TABLE_CONSTRAINTS would be the plain place, but MariaDB hides it from an account that may only SELECT.
    let keyed = connection
        .query("SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.COLUMNS WHERE COLUMN_KEY = 'PRI'")
        .await?;
    let keyed: std::collections::HashSet<(&str, &str)> =
        keyed.rows().filter_map(|row| Some((row.text(0)?, row.text(1)?))).filter(|(d, _)| filter.database(d)).collect();
    let without: Vec<String> = tables
        .iter()
        .filter(|table| !keyed.contains(&(table.database.as_str(), table.table.as_str())))
        .map(TableName::to_string)
        .collect();
    if !without.is_empty() {
        report.add(
            "primary_key",
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
            // It was dropped after it was listed.
            Err(error) if error.is_table_gone() => {}
            Err(error) => return Err(error),
        }
    }
    if refused.is_empty() {
        report.ok("privileges", "The account may read the captured tables");
    } else {
        report.add(
            "privileges",
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
