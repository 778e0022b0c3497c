//! A table as its statements define it, and what `ALTER TABLE` does to it.

use serde::{Deserialize, Serialize};

use super::arrange::{Arranged, arrange};
use super::column::has_charset;
use super::facts::{
    AlterClause, CharsetChoice, ColumnDefinition, DefaultValue, Key, KeyKind, TableDefinition, charset_of_collation,
};
use super::name_case::is_same_in_lower_case as same;
use super::stored::{Fractions, stored_default};
use crate::TableName;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Name.
    pub name: TableName,
    /// Columns in their order. Each has its nullability and, if its type has one, its character set.
    pub columns: Vec<ColumnDefinition>,
    /// Primary key first, then unique keys in the order of their definition.
    pub keys: Vec<Key>,
    /// Default character set of columns that are added later.
    pub charset: CharsetChoice,
    /// Comment.
    pub comment: Option<String>,
}

impl Table {
    /// Creates a table from its definition; `inherited` is the database's character set.
    pub(super) fn new(
        name: TableName,
        definition: &TableDefinition,
        inherited: &CharsetChoice,
        fractions: Fractions,
    ) -> Table {
        let mut table = Table {
            name,
            columns: definition.columns.clone(),
            keys: definition.keys.clone(),
            charset: completed(&definition.charset, inherited),
            comment: definition.comment.clone(),
        };
        table.settle(fractions);
        table
    }

    /// Returns the columns of the primary key; empty if there is none.
    pub fn primary_key(&self) -> &[String] {
        self.keys.iter().find(|key| key.kind == KeyKind::Primary).map_or(&[], |key| &key.columns)
    }

    /// Returns the columns that identify a row, as Debezium chooses them: the primary key, or else the first unique key
    /// whose columns are all NOT NULL; empty if there is neither.
    pub fn identifying_columns(&self) -> &[String] {
        let not_null = |name: &String| self.column(name).is_some_and(|column| column.nullable == Some(false));
        let primary = self.primary_key();
        if !primary.is_empty() {
            return primary;
        }
        let unique = self.keys.iter().filter(|key| key.kind == KeyKind::Unique);
        unique.map(|key| key.columns.as_slice()).find(|columns| columns.iter().all(not_null)).unwrap_or_default()
    }

    /// Sets the default of a column.
    pub(crate) fn set_default(&mut self, name: &str, default: DefaultValue) {
        if let Some(column) = self.columns.iter_mut().find(|column| same(&column.name, name)) {
            column.default = Some(default);
            column.stored_default = stored_default(column, Fractions::default());
        }
    }

    /// Returns the column of that name, in any case.
    pub fn column(&self, name: &str) -> Option<&ColumnDefinition> {
        self.columns.iter().find(|column| same(&column.name, name))
    }

    /// Applies the clauses of an `ALTER TABLE`. A `RENAME TO` among them is left to the catalog.
    pub(super) fn alter(&mut self, clauses: &[AlterClause], database: &CharsetChoice, fractions: Fractions) {
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
        let arranged = arrange(std::mem::take(&mut self.columns), clauses);
        self.follow_columns(&arranged);
        self.columns = arranged.into_iter().map(|arranged| arranged.column).collect();
        for clause in clauses {
            match clause {
                AlterClause::AddKey(key) => self.add_key(key.clone()),
                AlterClause::ConvertCharset(choice) => self.convert(choice, database),
                // CONVERT sets the table's default too, so the clauses are applied again in their order: the last one
                // decides.
                AlterClause::DefaultCharset(choice) => self.charset = completed(choice, database),
                _ => {}
            }
        }
        self.settle(fractions);
    }

    /// Renames the columns of keys as the table's columns were renamed. A dropped column leaves its keys, and a key
    /// without columns is dropped.
    fn follow_columns(&mut self, arranged: &[Arranged]) {
        for key in &mut self.keys {
            let followed = key.columns.iter().filter_map(|part| {
                let column = arranged.iter().find(|arranged| same(&arranged.was, part))?;
                Some(column.column.name.clone())
            });
            key.columns = followed.collect();
        }
        self.keys.retain(|key| !key.columns.is_empty());
    }

    fn add_key(&mut self, key: Key) {
        if key.kind == KeyKind::Primary {
            self.keys.retain(|key| key.kind != KeyKind::Primary);
            self.keys.insert(0, key);
        } else {
            self.keys.push(key);
        }
    }

    /// Drops the key of that name. A key without a name is named by its first column.
    fn drop_key(&mut self, name: &str) {
        if let Some(at) = self.keys.iter().position(|key| key_is(key, name)) {
            self.keys.remove(at);
        }
    }

    fn convert(&mut self, choice: &CharsetChoice, database: &CharsetChoice) {
        self.charset = completed(choice, database);
        for column in self.columns.iter_mut().filter(|column| has_charset(&column.type_name)) {
            if let (Some(old), Some(new)) = (column.charset.resolved(), self.charset.resolved()) {
                let wider =
                    wider_text(&column.type_name, column.length, bytes_per_character(old), bytes_per_character(new));
                if let Some(wider) = wider {
                    column.type_name = wider.to_owned();
                    column.length = None;
                }
            }
            column.charset = self.charset.clone();
        }
    }

    /// Completes what a definition leaves open: nullability, character sets, stored defaults, spelling of key columns.
    fn settle(&mut self, fractions: Fractions) {
        for column in &mut self.columns {
            column.nullable.get_or_insert(true);
            if has_charset(&column.type_name) {
                column.charset = completed(&column.charset, &self.charset);
            } else {
                column.charset = CharsetChoice::default();
            }
            column.stored_default = stored_default(column, fractions);
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

/// Returns `choice` with its character set, or `outer` if `choice` names nothing.
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

/// Returns the type that a text column becomes if its characters need more bytes than it can hold after a conversion;
/// `None` if it stays.
fn wider_text(type_name: &str, length: Option<u32>, old: u64, new: u64) -> Option<&'static str> {
    const TYPES: [(&str, u64); 4] =
        [("TINYTEXT", 255), ("TEXT", 65_535), ("MEDIUMTEXT", 16_777_215), ("LONGTEXT", 4_294_967_295)];
    let smallest = |bytes: u64| TYPES.iter().find(|(_, capacity)| bytes <= *capacity);
    // TEXT with a length is the smallest type that holds so many characters.
    let (_, capacity) = match length {
        Some(characters) if type_name == "TEXT" => smallest(u64::from(characters) * old)?,
        _ => TYPES.iter().find(|(name, _)| *name == type_name)?,
    };
    let bytes = capacity / old * new;
    if bytes <= *capacity { None } else { smallest(bytes).or(TYPES.last()).map(|(name, _)| *name) }
}

/// Returns the most bytes that a character takes (`MAXLEN` of `information_schema.CHARACTER_SETS`).
fn bytes_per_character(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8" | "utf8mb3" | "ujis" | "eucjpms" => 3,
        "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" | "ucs2" => 2,
        _ => 1,
    }
}

fn key_is(key: &Key, name: &str) -> bool {
    match &key.name {
        Some(own) => same(own, name),
        None => key.kind == KeyKind::Unique && key.columns.first().is_some_and(|column| same(column, name)),
    }
}
