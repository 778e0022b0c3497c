//! What the scanner finds in a statement.

use bitacora_change::StoredDefault;
use serde::{Deserialize, Serialize};

use super::name_case::NameCase;
use crate::TableName;

/// Everything found in the text of one query event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The statements in the order of the text; nearly always one.
    pub statements: Vec<Statement>,
    /// What was not understood and skipped, one clause each.
    pub warnings: Vec<String>,
}

impl Facts {
    /// Returns whether the text may have changed the columns or keys of a table, or which table has its name.
    pub fn may_reshape(&self, name: &TableName, names: NameCase) -> bool {
        let is_it = |other: &TableName| {
            names.is_same(&other.database, &name.database) && names.is_same(&other.table, &name.table)
        };
        self.statements.iter().any(|statement| match statement {
            Statement::CreateTable(create) => create.temporary == Temporary::No && is_it(&create.name),
            Statement::AlterTable(alter) => {
                let renamed = |clause: &AlterClause| matches!(clause, AlterClause::RenameTo(to) if is_it(to));
                alter.clauses.iter().any(renamed)
                    || is_it(&alter.name) && (!self.warnings.is_empty() || alter.clauses.iter().any(reshapes))
            }
            Statement::DropTable { tables, temporary, .. } => *temporary == Temporary::No && tables.iter().any(is_it),
            Statement::RenameTable { renames, .. } => {
                renames.iter().any(|rename| is_it(&rename.from) || is_it(&rename.to))
            }
            Statement::DropDatabase { name: database } => names.is_same(database, &name.database),
            Statement::Other { what } => is_of_tables(what),
            _ => false,
        })
    }
}

/// Returns whether a clause changes columns or keys.
fn reshapes(clause: &AlterClause) -> bool {
    !matches!(
        clause,
        AlterClause::Irrelevant(_)
            | AlterClause::Comment(_)
            | AlterClause::RenameKey { .. }
            | AlterClause::DefaultCharset(_)
            | AlterClause::SetVisibility { .. }
    )
}

/// Returns whether a statement that could not be read, of which the first keywords are known, changes tables.
pub(super) fn is_of_tables(what: &str) -> bool {
    let mut words = what.split(' ');
    match (words.next(), words.next()) {
        (Some("CREATE" | "ALTER" | "DROP"), Some(kind)) => {
            matches!(
                kind,
                "TABLE" | "TABLES" | "ONLINE" | "OFFLINE" | "IGNORE" | "TEMPORARY" | "OR" | "UNIQUE" | "INDEX"
            )
        }
        (Some("RENAME"), Some(kind)) => kind != "USER",
        _ => false,
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// `CREATE TABLE`.
    CreateTable(CreateTable),
    /// `ALTER TABLE`; also `CREATE INDEX` and `DROP INDEX`, as clauses of an `ALTER TABLE`.
    AlterTable(AlterTable),
    /// `DROP TABLE`.
    DropTable {
        /// The tables.
        tables: Vec<TableName>,
        /// Whether the tables are temporary.
        temporary: Temporary,
        /// The text before the first table, as written.
        prefix: String,
    },
    /// `RENAME TABLE`.
    RenameTable {
        /// The pairs of names.
        renames: Vec<Rename>,
        /// The text before the first pair, as written.
        prefix: String,
    },
    /// `TRUNCATE TABLE`.
    TruncateTable(TableName),
    /// `CREATE DATABASE`.
    CreateDatabase {
        /// The database.
        name: String,
        /// Character set and collation, if given.
        charset: CharsetChoice,
    },
    /// `ALTER DATABASE`.
    AlterDatabase {
        /// The database.
        name: String,
        /// Character set and collation, if given.
        charset: CharsetChoice,
    },
    /// `DROP DATABASE`.
    DropDatabase {
        /// The database.
        name: String,
    },
    /// `USE`.
    Use {
        /// The database.
        name: String,
    },
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT`, `XA …`.
    Transaction,
    /// A statement that changes rows: `INSERT`, `UPDATE`, `DELETE`, `REPLACE`, `LOAD DATA`, `CALL` and others.
    Rows {
        /// The tables whose rows the statement changes. `None` if the text does not name them (`CALL`) or could not be
        /// read.
        targets: Option<Vec<TableName>>,
    },
    /// A statement on accounts or privileges; its text may hold password hashes.
    Account,
    /// `ANALYZE`, `OPTIMIZE`, `REPAIR`, `CHECK`, `CHECKSUM`: no table or row changes.
    Maintenance,
    /// `SET`.
    Set,
    /// Any other statement (views, routines, triggers, events, `FLUSH`); no table changes.
    Other {
        /// The first keywords in upper case, such as `CREATE VIEW`.
        what: String,
    },
    /// Only comments and blanks.
    Empty,
}

/// Whether a table exists only in its session. Temporary tables never appear in row events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporary {
    /// An ordinary table.
    #[default]
    No,
    /// A temporary table.
    Yes,
}

/// One pair of names in a `RENAME TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Old name.
    pub from: TableName,
    /// New name.
    pub to: TableName,
    /// The pair as written, such as `a TO b`.
    pub text: String,
}

/// Character set and collation, each if the text names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CharsetChoice {
    /// Character set.
    pub charset: Option<String>,
    /// Collation.
    pub collation: Option<String>,
}

impl CharsetChoice {
    /// Returns the named character set, or else that of the named collation.
    pub fn resolved(&self) -> Option<&str> {
        self.charset.as_deref().or_else(|| self.collation.as_deref().map(charset_of_collation))
    }
}

/// Returns the character set of a collation, with which the collation's name starts (`utf8mb4_bin`; `binary` is both).
pub(super) fn charset_of_collation(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTable {
    /// The table.
    pub name: TableName,
    /// Whether the table is temporary.
    pub temporary: Temporary,
    /// What happens if the table exists already.
    pub existing: IfExisting,
    /// Where its columns come from.
    pub shape: Shape,
}

/// What `CREATE TABLE` does with a table of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfExisting {
    /// The server refuses the statement, which then is not in the log.
    #[default]
    Fail,
    /// `IF NOT EXISTS`: the existing table stays.
    Keep,
    /// MariaDB's `OR REPLACE`: the new table replaces the existing one.
    Replace,
}

/// Where the columns of a new table come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The statement lists all of them.
    Columns(TableDefinition),
    /// `LIKE`: the columns of another table.
    Like(TableName),
    /// `SELECT`: the query may add columns to the listed ones, so the text does not tell all columns.
    Select(TableDefinition),
}

/// What a `CREATE TABLE` defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDefinition {
    /// Columns.
    pub columns: Vec<ColumnDefinition>,
    /// Primary and unique keys, also those that a column's attributes declare. No event depends on other keys.
    pub keys: Vec<Key>,
    /// Default character set of the table.
    pub charset: CharsetChoice,
    /// Comment of the table.
    pub comment: Option<String>,
}

/// A primary or unique key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Name; `None` for the primary key, and if the server chooses the name.
    pub name: Option<String>,
    /// Kind.
    pub kind: KeyKind,
    /// Columns in the key's order.
    pub columns: Vec<String>,
}

/// Kind of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// Primary key.
    Primary,
    /// Unique key.
    Unique,
}

/// A column as a statement defines it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDefinition {
    /// Name.
    pub name: String,
    /// Type in upper case without its parentheses, such as `INT UNSIGNED` or `DOUBLE PRECISION`. `SERIAL` is replaced
    /// by what it stands for, `BIGINT UNSIGNED`.
    pub type_name: String,
    /// First number in parentheses: length, precision, display width or fraction digits; 1 for `BIT`, 10 for `DECIMAL`
    /// without one.
    pub length: Option<u32>,
    /// Second number in parentheses; 0 for `DECIMAL` without one.
    pub scale: Option<u32>,
    /// Labels of `ENUM` and `SET`.
    pub labels: Vec<String>,
    /// Character set and collation. In a [`super::Table`] the table's own fill the gap if the type has a character set.
    pub charset: CharsetChoice,
    /// Whether NULL is allowed; `None` if the text does not say.
    pub nullable: Option<bool>,
    /// Default.
    pub default: Option<DefaultValue>,
    /// The value that the server stores for the default, if it differs from the literal.
    #[serde(default)]
    pub stored_default: Option<StoredDefault>,
    /// `AUTO_INCREMENT`.
    pub auto_increment: bool,
    /// `ON UPDATE CURRENT_TIMESTAMP`.
    pub on_update_now: bool,
    /// Expression of a generated column.
    pub generated: Option<String>,
    /// Comment.
    pub comment: Option<String>,
    /// The key that the column's own attributes declare.
    pub key: Option<KeyKind>,
    /// `INVISIBLE`.
    pub invisible: bool,
}

/// The default of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefaultValue {
    /// `NULL`.
    Null,
    /// The value of a string, with escapes resolved.
    Text(String),
    /// A number with its sign; `TRUE` and `FALSE` are 1 and 0.
    Number(String),
    /// The digits of `b'…'`.
    Bits(String),
    /// The digits of `x'…'`.
    Hex(String),
    /// `CURRENT_TIMESTAMP` and its synonyms.
    Now,
    /// Any other expression, as written.
    Expression(String),
}

/// `ALTER TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterTable {
    /// The table.
    pub name: TableName,
    /// What changes, in the order of the text.
    pub clauses: Vec<AlterClause>,
}

/// The position of a column that a clause adds or changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ColumnPosition {
    /// Not named: a new column comes last, a changed one stays in its place.
    #[default]
    Unsaid,
    /// `FIRST`.
    First,
    /// `AFTER` a column.
    After(String),
}

/// Whether a clause is skipped if its object exists already, or does not exist (MariaDB's `IF NOT EXISTS` and
/// `IF EXISTS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// No condition: the server refuses the statement.
    #[default]
    Always,
    /// The clause is skipped.
    IfFits,
}

/// One clause of `ALTER TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlterClause {
    /// `ADD COLUMN`.
    AddColumn {
        /// The new column.
        column: Box<ColumnDefinition>,
        /// Its position.
        position: ColumnPosition,
        /// Whether the clause has `IF NOT EXISTS`.
        condition: Condition,
    },
    /// `MODIFY COLUMN` (same name) and `CHANGE COLUMN`.
    ChangeColumn {
        /// Old name.
        old: String,
        /// The column after the change.
        column: Box<ColumnDefinition>,
        /// Its position.
        position: ColumnPosition,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        name: String,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// `ALTER COLUMN … SET DEFAULT` or `DROP DEFAULT`.
    SetDefault {
        /// The column.
        column: String,
        /// The new default; `None` for `DROP DEFAULT`.
        default: Option<DefaultValue>,
    },
    /// `ALTER COLUMN … SET VISIBLE` or `SET INVISIBLE`.
    SetVisibility {
        /// The column.
        column: String,
        /// Whether it becomes invisible.
        invisible: bool,
    },
    /// `ADD PRIMARY KEY`, `ADD UNIQUE`.
    AddKey(Key),
    /// `DROP PRIMARY KEY`.
    DropPrimaryKey,
    /// `DROP INDEX`.
    DropKey {
        /// The key.
        name: String,
    },
    /// `RENAME INDEX`.
    RenameKey {
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// `RENAME TO`.
    RenameTo(TableName),
    /// `CONVERT TO CHARACTER SET`.
    ConvertCharset(CharsetChoice),
    /// `DEFAULT CHARACTER SET`, `COLLATE`: the default of columns that are added later.
    DefaultCharset(CharsetChoice),
    /// `COMMENT`.
    Comment(String),
    /// A clause that does not change events, named by its first keywords.
    Irrelevant(String),
}
