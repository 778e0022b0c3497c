//! Tables by name, kept current by the statements of the stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::{
    AlterClause, AlterTable, CharsetChoice, CreateTable, Facts, IfExisting, Rename, Shape, Statement, Temporary,
};
use super::table::Table;
use crate::TableName;

/// What happened to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableChangeKind {
    /// It is new.
    Create,
    /// It looks different, or has another name.
    Alter,
    /// It is gone.
    Drop,
}

/// A change of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange {
    /// What happened.
    pub kind: TableChangeKind,
    /// The table; its new name after a rename.
    pub id: TableName,
    /// Its name before a rename.
    pub previous_id: Option<TableName>,
    /// The table after the change. `None` if it is gone, or if its shape does not follow from the text (`LIKE` an unknown
    /// table, `SELECT`, a change of a table that is not in the catalog): ask the server.
    pub table: Option<Table>,
}

/// All tables that are known, by database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    server_charset: CharsetChoice,
    databases: BTreeMap<String, Database>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Database {
    charset: CharsetChoice,
    tables: BTreeMap<String, Table>,
}

impl Catalog {
    /// Makes an empty catalog of a server with this default character set (`character_set_server`, `collation_server`).
    pub fn new(server_charset: CharsetChoice) -> Catalog {
        Catalog { server_charset, databases: BTreeMap::new() }
    }

    /// Finds a table by its exact name, or else by a name in other case (`lower_case_table_names`).
    pub fn table(&self, database: &str, table: &str) -> Option<&Table> {
        let exact = self.databases.get(database).and_then(|inner| inner.tables.get(table));
        exact.or_else(|| {
            let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
            let databases = self.databases.iter().filter(|(name, _)| same(name, database));
            let mut tables = databases.flat_map(|(_, inner)| inner.tables.iter()).filter(|(name, _)| same(name, table));
            tables.next().map(|(_, table)| table)
        })
    }

    /// All tables, by database and name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.databases.values().flat_map(|database| database.tables.values())
    }

    /// Puts a table in, in place of one of the same name.
    pub fn insert(&mut self, table: Table) {
        let database = self.databases.entry(table.name.database.clone()).or_default();
        database.tables.insert(table.name.table.clone(), table);
    }

    /// Says a database's default character set.
    pub fn set_database_charset(&mut self, database: &str, charset: CharsetChoice) {
        self.databases.entry(database.to_owned()).or_default().charset = charset;
    }

    /// Applies everything that a text did.
    pub fn apply(&mut self, facts: &Facts) -> Vec<TableChange> {
        facts.statements.iter().flat_map(|statement| self.apply_statement(statement)).collect()
    }

    /// Applies one statement.
    pub fn apply_statement(&mut self, statement: &Statement) -> Vec<TableChange> {
        match statement {
            Statement::CreateTable(create) => self.create(create).into_iter().collect(),
            Statement::AlterTable(alter) => vec![self.alter(alter)],
            Statement::DropTable { tables, temporary: Temporary::No, .. } => {
                tables.iter().map(|name| self.drop(name)).collect()
            }
            Statement::RenameTable { renames, .. } => {
                renames.iter().map(|Rename { from, to, .. }| self.rename(from, to)).collect()
            }
            Statement::CreateDatabase { name, charset } => {
                let charset = self.database_charset_of(charset);
                self.databases.entry(name.clone()).or_default().charset = charset;
                Vec::new()
            }
            Statement::AlterDatabase { name, charset } => {
                if *charset != CharsetChoice::default() {
                    let charset = self.database_charset_of(charset);
                    self.databases.entry(name.clone()).or_default().charset = charset;
                }
                Vec::new()
            }
            Statement::DropDatabase { name } => {
                let gone = self.databases.remove(name).unwrap_or_default();
                gone.tables.into_values().map(|table| dropped(table.name)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn database_charset_of(&self, choice: &CharsetChoice) -> CharsetChoice {
        match choice.resolved() {
            Some(charset) => CharsetChoice { charset: Some(charset.to_owned()), collation: choice.collation.clone() },
            None => self.server_charset.clone(),
        }
    }

    fn inherited_charset(&self, database: &str) -> CharsetChoice {
        let known = self.databases.get(database).map(|database| &database.charset);
        known.filter(|charset| charset.resolved().is_some()).unwrap_or(&self.server_charset).clone()
    }

    fn create(&mut self, create: &CreateTable) -> Option<TableChange> {
        let exists = self.table(&create.name.database, &create.name.table).is_some();
        if create.temporary == Temporary::Yes || (create.existing == IfExisting::Keep && exists) {
            return None;
        }
        let table = match &create.shape {
            Shape::Columns(definition) => {
                Some(Table::new(create.name.clone(), definition, &self.inherited_charset(&create.name.database)))
            }
            Shape::Like(other) => self
                .table(&other.database, &other.table)
                .map(|other| Table { name: create.name.clone(), ..other.clone() }),
            Shape::Select(_) => None,
        };
        self.remove(&create.name);
        if let Some(table) = &table {
            self.insert(table.clone());
        }
        Some(TableChange { kind: TableChangeKind::Create, id: create.name.clone(), previous_id: None, table })
    }

    fn alter(&mut self, alter: &AlterTable) -> TableChange {
        let new_name = alter.clauses.iter().rev().find_map(|clause| match clause {
            AlterClause::RenameTo(name) => Some(name.clone()),
            _ => None,
        });
        let inherited = self.inherited_charset(&alter.name.database);
        let table = self.remove(&alter.name).map(|mut table| {
            table.alter(&alter.clauses, &inherited);
            table.name = new_name.clone().unwrap_or(table.name);
            table
        });
        if let Some(table) = &table {
            self.insert(table.clone());
        }
        let id =
            table.as_ref().map(|table| table.name.clone()).or(new_name.clone()).unwrap_or_else(|| alter.name.clone());
        let previous_id = new_name.is_some().then(|| alter.name.clone());
        TableChange { kind: TableChangeKind::Alter, id, previous_id, table }
    }

    fn rename(&mut self, from: &TableName, to: &TableName) -> TableChange {
        let table = self.remove(from).map(|table| Table { name: to.clone(), ..table });
        if let Some(table) = &table {
            self.insert(table.clone());
        }
        TableChange { kind: TableChangeKind::Alter, id: to.clone(), previous_id: Some(from.clone()), table }
    }

    fn drop(&mut self, name: &TableName) -> TableChange {
        self.remove(name);
        dropped(name.clone())
    }

    fn remove(&mut self, name: &TableName) -> Option<Table> {
        let found = self.table(&name.database, &name.table)?.name.clone();
        self.databases.get_mut(&found.database)?.tables.remove(&found.table)
    }
}

fn dropped(id: TableName) -> TableChange {
    TableChange { kind: TableChangeKind::Drop, id, previous_id: None, table: None }
}
