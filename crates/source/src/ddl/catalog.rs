//! The known tables by name; statements of the stream keep them current.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::doubt::{Doubt, Doubts, StatementPlace};
use super::facts::{
    AlterClause, AlterTable, CharsetChoice, CreateTable, Facts, IfExisting, Rename, Shape, Statement, Temporary,
    is_of_tables,
};
use super::name_case::NameCase;
use super::stored::Fractions;
use super::table::Table;
use crate::TableName;

/// What happened to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableChangeKind {
    /// The table was created.
    Create,
    /// The table was altered or renamed.
    Alter,
    /// The table was dropped.
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
    /// The table after the change. `None` if it was dropped, or if the text does not tell its columns (`LIKE` an
    /// unknown table, `SELECT`, a change of a table that is not in the catalog): then ask the server.
    pub table: Option<Table>,
}

/// The known tables by database and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    server_charset: CharsetChoice,
    #[serde(default)]
    names: NameCase,
    #[serde(default)]
    fractions: Fractions,
    databases: BTreeMap<String, Database>,
    #[serde(default)]
    doubts: Doubts,
    /// Where the statement stands that is applied now.
    #[serde(skip)]
    place: Option<StatementPlace>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Database {
    charset: CharsetChoice,
    tables: BTreeMap<String, Table>,
}

impl Catalog {
    /// Creates an empty catalog of a server with this default character set (`character_set_server`,
    /// `collation_server`).
    pub fn new(server_charset: CharsetChoice) -> Catalog {
        Catalog { server_charset, ..Catalog::default() }
    }

    /// Sets whether the server rounds or cuts fractional digits of a second that a column does not store.
    pub fn set_fractions(&mut self, fractions: Fractions) {
        self.fractions = fractions;
    }

    /// Returns how the server compares names.
    pub fn name_case(&self) -> NameCase {
        self.names
    }

    /// Sets how the server compares names.
    pub fn set_name_case(&mut self, names: NameCase) {
        self.names = names;
    }

    /// Sets where the statements stand that are applied next.
    pub fn set_place(&mut self, place: StatementPlace) {
        self.place = Some(place);
    }

    /// Returns why the shape of a table is not known, if it is not. A table that is not in the catalog may be in doubt
    /// too.
    pub fn doubt(&self, database: &str, table: &str) -> Option<&Doubt> {
        self.doubts.get(&TableName::new(database, table), self.names)
    }

    /// Takes in a table that the server described after the place where the source reads: its shape there is not known.
    pub fn insert_later(&mut self, table: Table) {
        self.doubts.set(&table.name, described_later(), self.names);
        self.insert(table);
    }

    /// Says that the server described all tables after the place where the source reads.
    pub fn doubt_all(&mut self) {
        self.doubts.set_all(self.names_of_tables(), &described_later());
    }

    fn names_of_tables(&self) -> Vec<TableName> {
        self.tables().map(|table| table.name.clone()).collect()
    }

    /// Takes in a table whose shape is known at the place where the source reads, and ends the doubt about it.
    pub fn insert_proven(&mut self, table: Table) {
        self.doubts.take(&table.name, self.names);
        self.insert(table);
    }

    fn doubt_from_here(&mut self, name: &TableName, reason: &str) {
        self.doubts.set(name, self.doubt_since_here(reason), self.names);
    }

    fn doubt_since_here(&self, reason: &str) -> Doubt {
        Doubt { since: self.place.clone(), reason: reason.to_owned() }
    }

    /// Returns the table that the server would find by these names.
    pub fn table(&self, database: &str, table: &str) -> Option<&Table> {
        let (_, database) = entry(&self.databases, database, self.names)?;
        entry(&database.tables, table, self.names).map(|(_, table)| table)
    }

    /// Returns all tables, ordered by database and name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.databases.values().flat_map(|database| database.tables.values())
    }

    /// Inserts a table, or replaces the one of the same name.
    pub fn insert(&mut self, table: Table) {
        self.remove(&table.name);
        let table = Table { name: self.names.kept_table(&table.name), ..table };
        self.database_mut(&table.name.database).tables.insert(table.name.table.clone(), table);
    }

    /// Returns the database of that name, which is created if it is not known.
    fn database_mut(&mut self, name: &str) -> &mut Database {
        let known = entry(&self.databases, name, self.names).map(|(known, _)| known.clone());
        self.databases.entry(known.unwrap_or_else(|| self.names.kept(name))).or_default()
    }

    /// Sets a database's default character set.
    pub fn set_database_charset(&mut self, database: &str, charset: CharsetChoice) {
        self.database_mut(database).charset = charset;
    }

    /// Applies all statements of a text and returns what changed.
    pub fn apply(&mut self, facts: &Facts) -> Vec<TableChange> {
        facts.statements.iter().flat_map(|statement| self.apply_statement(statement, facts)).collect()
    }

    /// Applies one statement of a text. The tables that it changed are in doubt if the text was understood in part.
    pub(super) fn apply_statement(&mut self, statement: &Statement, facts: &Facts) -> Vec<TableChange> {
        let changes = self.follow(statement);
        if let Some(warning) = facts.warnings.first() {
            for change in changes.iter().filter(|change| change.kind != TableChangeKind::Drop) {
                self.doubt_from_here(&change.id, &format!("a statement was understood in part: {warning}"));
            }
        }
        changes
    }

    fn follow(&mut self, statement: &Statement) -> Vec<TableChange> {
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
                self.database_mut(name).charset = charset;
                Vec::new()
            }
            Statement::AlterDatabase { name, charset } => {
                if *charset != CharsetChoice::default() {
                    let charset = self.database_charset_of(charset);
                    self.database_mut(name).charset = charset;
                }
                Vec::new()
            }
            Statement::DropDatabase { name } => {
                let known = entry(&self.databases, name, self.names).map(|(known, _)| known.clone());
                self.doubts.drop_database(name, self.names);
                let gone = known.and_then(|known| self.databases.remove(&known)).unwrap_or_default();
                gone.tables.into_values().map(|table| dropped(table.name)).collect()
            }
            Statement::Other { what } if is_of_tables(what) => {
                let doubt = self.doubt_since_here("a statement on tables cannot be read");
                self.doubts.set_all(self.names_of_tables(), &doubt);
                Vec::new()
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
        let known = entry(&self.databases, database, self.names).map(|(_, database)| &database.charset);
        known.filter(|charset| charset.resolved().is_some()).unwrap_or(&self.server_charset).clone()
    }

    fn create(&mut self, create: &CreateTable) -> Option<TableChange> {
        let exists = self.table(&create.name.database, &create.name.table).is_some()
            || self.doubt(&create.name.database, &create.name.table).is_some();
        if create.temporary == Temporary::Yes || (create.existing == IfExisting::Keep && exists) {
            return None;
        }
        let name = self.names.kept_table(&create.name);
        let table = match &create.shape {
            Shape::Columns(definition) => Some(Table::new(
                name.clone(),
                definition,
                &self.inherited_charset(&create.name.database),
                self.fractions,
            )),
            Shape::Like(other) => {
                self.table(&other.database, &other.table).map(|other| Table { name: name.clone(), ..other.clone() })
            }
            Shape::Select(_) => None,
        };
        self.remove(&name);
        let doubt = match &create.shape {
            Shape::Like(other) => self.doubts.get(other, self.names).map(|doubt| doubt.reason.clone()),
            _ => None,
        };
        match (&table, doubt) {
            (_, Some(reason)) => self.doubt_from_here(&name, &reason),
            (None, None) => self.doubt_from_here(&name, "its columns do not follow from the text that creates it"),
            (Some(_), None) => {
                self.doubts.take(&name, self.names);
            }
        }
        if let Some(table) = &table {
            self.insert(table.clone());
        }
        Some(TableChange { kind: TableChangeKind::Create, id: name, previous_id: None, table })
    }

    fn alter(&mut self, alter: &AlterTable) -> TableChange {
        let new_name = alter.clauses.iter().rev().find_map(|clause| match clause {
            AlterClause::RenameTo(name) => Some(self.names.kept_table(name)),
            _ => None,
        });
        let inherited = self.inherited_charset(&alter.name.database);
        let fractions = self.fractions;
        let table = self.remove(&alter.name).map(|mut table| {
            table.alter(&alter.clauses, &inherited, fractions);
            table.name = new_name.clone().unwrap_or(table.name);
            table
        });
        if let Some(table) = &table {
            self.insert(table.clone());
        }
        let id = table
            .as_ref()
            .map(|table| table.name.clone())
            .or(new_name.clone())
            .unwrap_or_else(|| self.names.kept_table(&alter.name));
        let previous_id = new_name.is_some().then(|| self.names.kept_table(&alter.name));
        self.follow_doubt(&alter.name, &id, table.is_some());
        TableChange { kind: TableChangeKind::Alter, id, previous_id, table }
    }

    fn rename(&mut self, from: &TableName, to: &TableName) -> TableChange {
        let (from, to) = (self.names.kept_table(from), self.names.kept_table(to));
        let table = self.remove(&from).map(|table| Table { name: to.clone(), ..table });
        if let Some(table) = &table {
            self.insert(table.clone());
        }
        self.follow_doubt(&from, &to, table.is_some());
        TableChange { kind: TableChangeKind::Alter, id: to, previous_id: Some(from), table }
    }

    /// Moves a doubt to a table's new name. A table that was not known stays so.
    fn follow_doubt(&mut self, from: &TableName, to: &TableName, is_known: bool) {
        match self.doubts.take(from, self.names) {
            Some(doubt) => self.doubts.set(to, doubt, self.names),
            None if is_known => {
                self.doubts.take(to, self.names);
            }
            None => self.doubt_from_here(to, "the table was not known when a statement changed it"),
        }
    }

    fn drop(&mut self, name: &TableName) -> TableChange {
        self.doubts.take(name, self.names);
        self.remove(name);
        dropped(self.names.kept_table(name))
    }

    fn remove(&mut self, name: &TableName) -> Option<Table> {
        let names = self.names;
        let database = entry(&self.databases, &name.database, names)?.0.clone();
        let tables = &mut self.databases.get_mut(&database)?.tables;
        let table = entry(tables, &name.table, names)?.0.clone();
        tables.remove(&table)
    }
}

/// Returns the entry that the server would find by a name: the one with exactly this name if there is one, else one
/// that differs in case, where the server ignores case.
fn entry<'a, T>(map: &'a BTreeMap<String, T>, name: &str, names: NameCase) -> Option<(&'a String, &'a T)> {
    let exact = map.get_key_value(name);
    exact
        .or_else(|| (names != NameCase::Sensitive).then(|| map.iter().find(|(known, _)| names.is_same(known, name)))?)
}

fn described_later() -> Doubt {
    Doubt { since: None, reason: "the server described it later than it wrote these rows".to_owned() }
}

fn dropped(id: TableName) -> TableChange {
    TableChange { kind: TableChangeKind::Drop, id, previous_id: None, table: None }
}
