//! A table as its statements have made it, and what `ALTER TABLE` does to it.

use serde::{Deserialize, Serialize};

use super::column::has_charset;
use super::facts::{
    AlterClause, CharsetChoice, ColumnDefinition, ColumnPosition, Condition, Key, KeyKind, TableDefinition, TableName,
    charset_of_collation,
};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Columns in their order, each with nullability and, where its type has one, character set.
    pub columns: Vec<ColumnDefinition>,
    /// Primary key first, then unique keys in the order of their definition.
    pub keys: Vec<Key>,
    /// Default character set of columns to come.
    pub charset: CharsetChoice,
    /// Comment.
    pub comment: Option<String>,
}

impl Table {
    /// Makes a table from its definition; `inherited` is the database's character set.
    pub(super) fn new(name: TableName, definition: &TableDefinition, inherited: &CharsetChoice) -> Table {
        let mut table = Table {
            name,
            columns: definition.columns.clone(),
            keys: definition.keys.clone(),
            charset: completed(&definition.charset, inherited),
            comment: definition.comment.clone(),
        };
        table.settle();
        table
    }

    /// Columns of the primary key; empty if there is none.
    pub fn primary_key(&self) -> &[String] {
        self.keys.iter().find(|key| key.kind == KeyKind::Primary).map_or(&[], |key| &key.columns)
    }

    /// Columns that identify a row as Debezium chooses them: the primary key, or else the first unique key whose columns
    /// are all NOT NULL.
    pub fn identifying_columns(&self) -> &[String] {
        let not_null = |name: &String| self.column(name).is_some_and(|column| column.nullable == Some(false));
        let primary = self.primary_key();
        if !primary.is_empty() {
            return primary;
        }
        let unique = self.keys.iter().filter(|key| key.kind == KeyKind::Unique);
        unique.map(|key| key.columns.as_slice()).find(|columns| columns.iter().all(not_null)).unwrap_or_default()
    }

    /// Finds a column; names are compared without regard to case.
    pub fn column(&self, name: &str) -> Option<&ColumnDefinition> {
        self.columns.iter().find(|column| same(&column.name, name))
    }

    /// Applies the clauses of an `ALTER TABLE`; a new name is not among them.
    ///
    /// Columns go where the server puts them: first every old column is dropped, changed or kept in its place, then new
    /// columns and changed ones with a position are put in, in the order of the text.
    pub(super) fn alter(&mut self, clauses: &[AlterClause], database: &CharsetChoice) {
        for clause in clauses {
            match clause {
                AlterClause::DefaultCharset(choice) => self.charset = completed(choice, database),
                AlterClause::Comment(comment) => self.comment = Some(comment.clone()),
                AlterClause::DropPrimaryKey => self.keys.retain(|key| key.kind != KeyKind::Primary),
                AlterClause::DropKey { name } => self.drop_key(name),
                AlterClause::RenameKey { from, to } => {
                    if let Some(key) = self.keys.iter_mut().find(|key| key_is(key, from)) {
                        key.name = Some(to.clone());
                    }
                }
                _ => {}
            }
        }
        let waiting = self.change_in_place(clauses);
        self.put_in(clauses, waiting);
        for clause in clauses {
            match clause {
                AlterClause::AddKey(key) => self.add_key(key.clone()),
                AlterClause::ConvertCharset(choice) => self.convert(choice, database),
                _ => {}
            }
        }
        self.settle();
    }

    /// Walks the old columns; gives back the names of those that wait for a position.
    fn change_in_place(&mut self, clauses: &[AlterClause]) -> Vec<String> {
        let mut renames: Vec<(String, String)> = Vec::new();
        let mut waiting = Vec::new();
        let mut kept = Vec::with_capacity(self.columns.len());
        for mut column in std::mem::take(&mut self.columns) {
            let old = column.name.clone();
            let mut keep = true;
            for clause in clauses {
                match clause {
                    AlterClause::DropColumn { name } if same(name, &old) => keep = false,
                    AlterClause::RenameColumn { from, to } if same(from, &old) => {
                        renames.push((old.clone(), to.clone()));
                        column.name.clone_from(to);
                    }
                    AlterClause::SetDefault { column: name, default } if same(name, &old) => {
                        column.default.clone_from(default);
                    }
                    AlterClause::SetVisibility { column: name, invisible } if same(name, &old) => {
                        column.invisible = *invisible;
                    }
                    AlterClause::ChangeColumn { old: name, column: changed, position } if same(name, &old) => {
                        if !same(&changed.name, &old) {
                            renames.push((old.clone(), changed.name.clone()));
                        }
                        column = (**changed).clone();
                        if *position != ColumnPosition::Unsaid {
                            waiting.push(changed.name.clone());
                            keep = false;
                        }
                    }
                    _ => {}
                }
            }
            if keep {
                kept.push(column);
            } else if !waiting.contains(&column.name) {
                self.forget_column(&old);
            }
        }
        self.columns = kept;
        for column in self.keys.iter_mut().flat_map(|key| key.columns.iter_mut()) {
            if let Some((_, to)) = renames.iter().find(|(from, _)| same(from, column)) {
                column.clone_from(to);
            }
        }
        waiting
    }

    fn put_in(&mut self, clauses: &[AlterClause], waiting: Vec<String>) {
        for clause in clauses {
            let (column, position) = match clause {
                AlterClause::AddColumn { column, position, condition } => {
                    if *condition == Condition::IfFits && self.column(&column.name).is_some() {
                        continue;
                    }
                    (column, position)
                }
                AlterClause::ChangeColumn { column, position, .. } if waiting.contains(&column.name) => {
                    (column, position)
                }
                _ => continue,
            };
            let at = match position {
                ColumnPosition::First => 0,
                ColumnPosition::After(name) => self
                    .columns
                    .iter()
                    .position(|column| same(&column.name, name))
                    .map_or(self.columns.len(), |index| index + 1),
                ColumnPosition::Unsaid => self.columns.len(),
            };
            self.columns.insert(at, (**column).clone());
        }
    }

    fn add_key(&mut self, key: Key) {
        if key.kind == KeyKind::Primary {
            self.keys.retain(|key| key.kind != KeyKind::Primary);
            self.keys.insert(0, key);
        } else {
            self.keys.push(key);
        }
    }

    /// Drops a key by its name; one without a name has the name of its first column.
    fn drop_key(&mut self, name: &str) {
        if let Some(at) = self.keys.iter().position(|key| key_is(key, name)) {
            self.keys.remove(at);
        }
    }

    /// A dropped column leaves the keys; a key without columns is gone.
    fn forget_column(&mut self, name: &str) {
        for key in &mut self.keys {
            key.columns.retain(|column| !same(column, name));
        }
        self.keys.retain(|key| !key.columns.is_empty());
    }

    fn convert(&mut self, choice: &CharsetChoice, database: &CharsetChoice) {
        self.charset = completed(choice, database);
        for column in self.columns.iter_mut().filter(|column| has_charset(&column.type_name)) {
            column.charset = self.charset.clone();
        }
    }

    /// Completes what a definition leaves open: nullability, character sets, default labels of key columns.
    fn settle(&mut self) {
        for column in &mut self.columns {
            column.nullable.get_or_insert(true);
            if has_charset(&column.type_name) {
                column.charset = completed(&column.charset, &self.charset);
            } else {
                column.charset = CharsetChoice::default();
            }
        }
        let primary = self.primary_key().to_vec();
        for column in self.columns.iter_mut().filter(|column| primary.iter().any(|name| same(name, &column.name))) {
            column.nullable = Some(false);
        }
        // Keys take the spelling of their columns.
        for name in self.keys.iter_mut().flat_map(|key| key.columns.iter_mut()) {
            if let Some(column) = self.columns.iter().find(|column| same(&column.name, name)) {
                name.clone_from(&column.name);
            }
        }
    }
}

/// A choice completed from an outer one: only where it names nothing itself.
fn completed(choice: &CharsetChoice, outer: &CharsetChoice) -> CharsetChoice {
    match (&choice.charset, &choice.collation) {
        (None, None) => outer.clone(),
        (None, Some(collation)) => CharsetChoice {
            charset: Some(charset_of_collation(collation).to_owned()),
            collation: Some(collation.clone()),
        },
        (Some(_), _) => choice.clone(),
    }
}

fn key_is(key: &Key, name: &str) -> bool {
    match &key.name {
        Some(own) => same(own, name),
        None => key.kind == KeyKind::Unique && key.columns.first().is_some_and(|column| same(column, name)),
    }
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}
