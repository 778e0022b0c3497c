//! Makes the schema-change topic's records for a statement, and for the tables of a snapshot.
//!
//! The records follow Debezium: one record for each table of a `DROP TABLE` and for each pair of a `RENAME TABLE`, with
//! a text of its own; one record with the text as logged for every other statement. Transactions, row changes,
//! maintenance (`ANALYZE`, `OPTIMIZE`) and temporary tables have no record; in the 3.6 form views, routines, triggers
//! and `TRUNCATE TABLE` have none either. A statement that changes no table (`FLUSH TABLES`, `CREATE EVENT`) has a
//! record without table changes. Statements on accounts never have a record, because their text may hold password
//! hashes.
//!
//! Deliberate differences from Debezium: the records of `CREATE INDEX` and `DROP INDEX` hold the table, and so does the
//! record of a rename whose new name a later pair of the same statement renames again; the names in `source.table` are
//! in alphabetical order.

use std::collections::BTreeSet;

use super::catalog::{Catalog, TableChange, TableChangeKind};
use super::facts::{CharsetChoice, Facts, Shape, Statement, Temporary};
use super::scan::scan;
use super::token::SqlMode;
use crate::filter::Filter;
use crate::{TableName, quoted};

/// The version of Debezium whose records are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordForm {
    /// 1.9: `TRUNCATE` has a record, and the record of a dropped table has no table change.
    V1_9,
    /// 3.6.
    #[default]
    V3_6,
}

/// One record of the schema-change topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DdlRecord {
    /// `databaseName`, and the key.
    pub database: String,
    /// `source.table`: the tables of the statement, comma-separated.
    pub table: Option<String>,
    /// `ddl`.
    pub ddl: String,
    /// `tableChanges`.
    pub changes: Vec<TableChange>,
}

/// Applies a query event to the catalog and returns its records.
///
/// `facts` come from [`scan`] of the same `sql` and `database`. Only databases that the filter captures have records,
/// but the catalog follows the tables of all databases.
pub fn records(
    sql: &str,
    database: &str,
    facts: &Facts,
    catalog: &mut Catalog,
    filter: &Filter,
    form: RecordForm,
) -> Vec<DdlRecord> {
    let mut records = Vec::new();
    for statement in &facts.statements {
        let changes = catalog.apply_statement(statement, facts);
        of_statement(sql, database, statement, changes, form, &mut records);
    }
    // The statements of one event share its text, so two of them may give the same record.
    records.dedup();
    records.retain(|record| record.database.is_empty() || filter.database(&record.database));
    records
}

fn of_statement(
    sql: &str,
    database: &str,
    statement: &Statement,
    changes: Vec<TableChange>,
    form: RecordForm,
    records: &mut Vec<DdlRecord>,
) {
    let whole = |database: &str, table: Option<String>, changes: Vec<TableChange>| DdlRecord {
        database: database.to_owned(),
        table,
        ddl: sql.to_owned(),
        changes,
    };
    match statement {
        Statement::Empty
        | Statement::Transaction
        | Statement::Rows { .. }
        | Statement::Account
        | Statement::Maintenance
        | Statement::DropTable { temporary: Temporary::Yes, .. } => {}
        Statement::CreateTable(create) if create.temporary == Temporary::Yes => {}
        Statement::CreateTable(create) => {
            let known = known(changes);
            let table = if known.is_empty() && !matches!(create.shape, Shape::Select(_)) {
                String::new()
            } else {
                create.name.table.clone()
            };
            records.push(whole(&create.name.database, Some(table), known));
        }
        Statement::AlterTable(alter) => {
            let known = known(changes);
            let id = known.first().map_or(&alter.name, |change| &change.id).clone();
            records.push(whole(&id.database, Some(id.table), known));
        }
        Statement::TruncateTable(name) => {
            if form == RecordForm::V1_9 {
                records.push(whole(&name.database, Some(name.table.clone()), Vec::new()));
            }
        }
        Statement::DropTable { prefix, .. } => {
            for change in &changes {
                let id = &change.id;
                records.push(DdlRecord {
                    database: id.database.clone(),
                    table: Some(joined(&changes, &id.database)),
                    ddl: format!("{prefix}{}.{}", quoted(&id.database), quoted(&id.table)),
                    changes: if form == RecordForm::V1_9 { Vec::new() } else { vec![change.clone()] },
                });
            }
        }
        Statement::RenameTable { renames, prefix } => {
            for (change, rename) in changes.iter().zip(renames) {
                records.push(DdlRecord {
                    database: change.id.database.clone(),
                    table: Some(joined(&changes, &change.id.database)),
                    ddl: format!("{prefix}{}", rename.text),
                    changes: known(vec![change.clone()]),
                });
            }
        }
        Statement::CreateDatabase { name, .. } | Statement::DropDatabase { name } | Statement::Use { name } => {
            records.push(whole(name, None, Vec::new()));
        }
        Statement::AlterDatabase { name, .. } => records.push(whole(name, Some(String::new()), Vec::new())),
        Statement::Set => records.push(whole(database, None, Vec::new())),
        Statement::Other { what } if form == RecordForm::V3_6 && is_unrecorded(what) => {}
        Statement::Other { .. } => records.push(whole(database, Some(String::new()), Vec::new())),
    }
}

/// Returns whether Debezium 3.6 leaves out the statement: its default `ddl.filter` names views, routines and triggers,
/// and its parsers find nothing to record in `FLUSH PRIVILEGES`.
fn is_unrecorded(what: &str) -> bool {
    match what.split_once(' ') {
        Some(("CREATE" | "ALTER" | "DROP", kind)) => matches!(kind, "VIEW" | "FUNCTION" | "PROCEDURE" | "TRIGGER"),
        flushed => flushed == Some(("FLUSH", "PRIVILEGES")),
    }
}

/// Returns the changes that a record can show: drops, and changes whose table is known.
fn known(changes: Vec<TableChange>) -> Vec<TableChange> {
    changes.into_iter().filter(|change| change.table.is_some() || change.kind == TableChangeKind::Drop).collect()
}

/// Returns the names of one database's tables, comma-separated in alphabetical order.
fn joined(changes: &[TableChange], database: &str) -> String {
    let names: BTreeSet<&str> =
        changes.iter().filter(|change| change.id.database == database).map(|change| change.id.table.as_str()).collect();
    names.into_iter().collect::<Vec<_>>().join(",")
}

/// A database of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotDatabase {
    /// Name.
    pub name: String,
    /// Default character set and collation.
    pub charset: CharsetChoice,
    /// Name and `SHOW CREATE TABLE` of each table, in the order of the snapshot.
    pub tables: Vec<(String, String)>,
}

/// Returns the records that announce the tables of a snapshot, and adds the tables to the catalog.
///
/// The order is Debezium's: `SET` of the server's character set; `DROP TABLE` for each table; then for each database
/// `DROP DATABASE`, `CREATE DATABASE`, `USE` and the `CREATE TABLE` of each table as the server prints it.
pub fn snapshot_records(
    catalog: &mut Catalog,
    server: &CharsetChoice,
    databases: &[SnapshotDatabase],
    form: RecordForm,
) -> Vec<DdlRecord> {
    let option = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut records = vec![DdlRecord {
        database: String::new(),
        table: None,
        ddl: format!(
            "SET character_set_server={}, collation_server={}",
            option(&server.charset),
            option(&server.collation)
        ),
        changes: Vec::new(),
    }];
    for database in databases {
        for (table, _) in &database.tables {
            let id = TableName::new(&database.name, table);
            let change = TableChange { kind: TableChangeKind::Drop, id, previous_id: None, table: None };
            records.push(DdlRecord {
                database: database.name.clone(),
                table: Some(table.clone()),
                ddl: format!("DROP TABLE IF EXISTS {}.{}", quoted(&database.name), quoted(table)),
                changes: if form == RecordForm::V1_9 { Vec::new() } else { vec![change] },
            });
        }
    }
    for database in databases {
        let name = quoted(&database.name);
        let mut create = format!("CREATE DATABASE {name}");
        if let Some(charset) = &database.charset.charset {
            create.push_str(&format!(" CHARSET {charset}"));
        }
        if let Some(collation) = &database.charset.collation {
            create.push_str(&format!(" COLLATE {collation}"));
        }
        for ddl in [format!("DROP DATABASE IF EXISTS {name}"), create, format!("USE {name}")] {
            records.push(DdlRecord { database: database.name.clone(), table: None, ddl, changes: Vec::new() });
        }
        catalog.set_database_charset(&database.name, database.charset.clone());
        for (table, text) in &database.tables {
            let facts = scan(text, &database.name, SqlMode::default());
            let changes = known(catalog.apply(&facts));
            records.push(DdlRecord {
                database: database.name.clone(),
                table: Some(table.clone()),
                ddl: text.clone(),
                changes,
            });
        }
    }
    records
}
