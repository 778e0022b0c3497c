//! What the scanner finds out about a statement.

use bitacora_change::StoredDefault;
use serde::{Deserialize, Serialize};

use super::name_case::NameCase;
use crate::TableName;

/// Everything found in the text of one query event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The statements in their order; nearly always one.
    pub statements: Vec<Statement>,
    /// What was not understood and skipped; each one sentence.
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
    /// `ALTER TABLE`, and `CREATE INDEX` and `DROP INDEX` in the form of its clauses.
    AlterTable(AlterTable),
    /// `DROP TABLE`.
    DropTable {
        /// The tables.
        tables: Vec<TableName>,
        /// Whether they are temporary ones.
        temporary: Temporary,
        /// The text before the first table, as written.
        prefix: String,
    },
    /// `RENAME TABLE`.
    RenameTable {
        /// Old name, new name, and the pair as written.
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
        /// Character set and collation, where given.
        charset: CharsetChoice,
    },
    /// `ALTER DATABASE`.
    AlterDatabase {
        /// The database.
        name: String,
        /// Character set and collation, where given.
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
        /// The tables whose rows it changes. `None` if the text does not say, as with `CALL`, or cannot be read.
        targets: Option<Vec<TableName>>,
    },
    /// Accounts and privileges; the text may hold password hashes.
    Account,
    /// `ANALYZE`, `OPTIMIZE`, `REPAIR`, `CHECK`, `CHECKSUM`: nothing changes.
    Maintenance,
    /// `SET`.
    Set,
    /// Anything else; tables keep their shape. Views, routines, triggers, events, `FLUSH`.
    Other {
        /// The first keywords in upper case, `CREATE VIEW`.
        what: String,
    },
    /// Only comments and blanks.
    Empty,
}

/// Whether a table lives only in its session. Temporary tables never appear in row events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporary {
    /// An ordinary table.
    #[default]
    No,
    /// A temporary one.
    Yes,
}

/// One pair of a rename.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Name before.
    pub from: TableName,
    /// Name after.
    pub to: TableName,
    /// The pair as written, `a TO b`.
    pub text: String,
}

/// Character set and collation as far as a text names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CharsetChoice {
    /// Character set.
    pub charset: Option<String>,
    /// Collation.
    pub collation: Option<String>,
}

impl CharsetChoice {
    /// The character set: named, or the one that the collation belongs to.
    pub fn resolved(&self) -> Option<&str> {
        self.charset.as_deref().or_else(|| self.collation.as_deref().map(charset_of_collation))
    }
}

/// A collation's name starts with its character set (`utf8mb4_bin`); `binary` is both.
pub(super) fn charset_of_collation(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTable {
    /// The table.
    pub name: TableName,
    /// Whether it is a temporary one.
    pub temporary: Temporary,
    /// What happens if the table is there already.
    pub existing: IfExisting,
    /// Where its columns come from.
    pub shape: Shape,
}

/// What `CREATE TABLE` does with a table of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfExisting {
    /// An error; such a statement is not in the log.
    #[default]
    Fail,
    /// `IF NOT EXISTS`: nothing.
    Keep,
    /// MariaDB's `OR REPLACE`.
    Replace,
}

/// Where the columns of a new table come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The statement lists all of them.
    Columns(TableDefinition),
    /// `LIKE` another table.
    Like(TableName),
    /// `SELECT`: more columns than listed, the shape is not known from the text.
    Select(TableDefinition),
}

/// The inside of a `CREATE TABLE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDefinition {
    /// Columns.
    pub columns: Vec<ColumnDefinition>,
    /// Primary and unique keys beside the columns; other keys do not matter to events.
    pub keys: Vec<Key>,
    /// Default character set of the table.
    pub charset: CharsetChoice,
    /// Comment of the table.
    pub comment: Option<String>,
}

/// A primary or unique key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Name; `None` for the primary key and where the server makes one up.
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
    /// Type in upper case without its parentheses, `INT UNSIGNED`, `DOUBLE PRECISION`. `SERIAL` is what it stands for.
    pub type_name: String,
    /// First number in parentheses: length, precision, display width or fraction digits; 1 for `BIT`, 10 for `DECIMAL`
    /// without one.
    pub length: Option<u32>,
    /// Second number in parentheses; 0 for `DECIMAL` without one.
    pub scale: Option<u32>,
    /// Labels of `ENUM` and `SET`.
    pub labels: Vec<String>,
    /// Character set and collation; completed with the table's where the type has them.
    pub charset: CharsetChoice,
    /// Whether NULL is allowed; `None` where the text does not say.
    pub nullable: Option<bool>,
    /// Default.
    pub default: Option<DefaultValue>,
    /// The value that the server makes of it, where that is another one.
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
    /// Whether the definition makes it a key by itself.
    pub key: Option<KeyKind>,
    /// `INVISIBLE`.
    pub invisible: bool,
}

/// A column's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefaultValue {
    /// `NULL`.
    Null,
    /// A string; its value with escapes resolved.
    Text(String),
    /// A number with its sign, or `TRUE` and `FALSE` as 1 and 0.
    Number(String),
    /// `b'…'`; the digits.
    Bits(String),
    /// `x'…'`; the digits.
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

/// Where a column goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ColumnPosition {
    /// At the end for a new column, where it is for a changed one.
    #[default]
    Unsaid,
    /// `FIRST`.
    First,
    /// `AFTER` a column.
    After(String),
}

/// What a clause does if its object is there already, or is missing (MariaDB's `IF NOT EXISTS`, `IF EXISTS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// No condition.
    #[default]
    Always,
    /// Only if it fits; otherwise nothing.
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
        /// Where it goes.
        position: ColumnPosition,
        /// `IF NOT EXISTS`.
        condition: Condition,
    },
    /// `MODIFY COLUMN` (same name) and `CHANGE COLUMN`.
    ChangeColumn {
        /// Name before.
        old: String,
        /// The column as it becomes.
        column: Box<ColumnDefinition>,
        /// Where it goes.
        position: ColumnPosition,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        name: String,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// Name before.
        from: String,
        /// Name after.
        to: String,
    },
    /// `ALTER COLUMN … SET DEFAULT` or `DROP DEFAULT`.
    SetDefault {
        /// The column.
        column: String,
        /// The new default; `None` if it is dropped.
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
        /// Name before.
        from: String,
        /// Name after.
        to: String,
    },
    /// `RENAME TO`.
    RenameTo(TableName),
    /// `CONVERT TO CHARACTER SET`.
    ConvertCharset(CharsetChoice),
    /// `DEFAULT CHARACTER SET`, `COLLATE`: for columns to come.
    DefaultCharset(CharsetChoice),
    /// `COMMENT`.
    Comment(String),
    /// A clause that does not change what events look like; its first keyword.
    Irrelevant(String),
}
