//! What DDL says about a table and the log does not: type names, display widths, defaults, comments, unique keys.
//!
//! A description comes from `information_schema` or from the DDL scanner and is kept with the checkpoint. It only adds
//! to what a table map says; [`LoggedTable`](crate::LoggedTable) finds which column of the map is which of the
//! description.

use serde::{Deserialize, Serialize};

/// A table as its DDL describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDescription {
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Columns in their order, hidden ones of the server left out.
    pub columns: Vec<ColumnDescription>,
    /// Names of the primary key's columns, in key order; empty without one.
    pub primary_key: Vec<String>,
    /// Names of the columns of each unique key, in order of definition.
    pub unique_keys: Vec<Vec<String>>,
    /// Character set of columns that name none.
    pub default_charset: Option<String>,
    /// Comment of the table.
    pub comment: Option<String>,
}

/// A column as its DDL describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDescription {
    /// Name.
    pub name: String,
    /// Type without its parameters, in upper case and in Debezium's spelling: `BIGINT UNSIGNED`, `VARCHAR`, `ENUM`,
    /// `UUID`.
    pub type_name: String,
    /// First parameter of the type: characters, bytes, bits, digits, display width or fractional digits.
    pub length: Option<u32>,
    /// Second parameter of the type: digits behind the point.
    pub scale: Option<u32>,
    /// Character set of a character column.
    pub charset: Option<String>,
    /// Collation of a character column.
    pub collation: Option<String>,
    /// Whether NULL is allowed.
    pub is_nullable: bool,
    /// The DEFAULT clause.
    pub default: ColumnDefault,
    /// The value that the server stores for a literal default, where it differs from the literal.
    #[serde(default)]
    pub stored_default: Option<StoredDefault>,
    /// Whether the server numbers the rows.
    pub is_auto_increment: bool,
    /// Whether every update sets it to the time (`ON UPDATE CURRENT_TIMESTAMP`).
    #[serde(default)]
    pub is_updated_to_now: bool,
    /// Whether the value is computed.
    pub is_generated: bool,
    /// Comment.
    pub comment: Option<String>,
    /// Labels of an ENUM or SET.
    pub labels: Vec<String>,
}

/// A DEFAULT clause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnDefault {
    /// There is none.
    #[default]
    Absent,
    /// `DEFAULT NULL`.
    Null,
    /// A literal, without quotes and escapes: `hola`, `7`, `b'101'`.
    Literal(String),
    /// An expression that the server evaluates: `CURRENT_TIMESTAMP`, `(uuid())`.
    Expression(String),
}

/// The value of a default as a column stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoredDefault {
    /// As the server prints the value: with the digits that the column has, a year with four.
    Text(String),
    /// Of a column of bytes.
    Bytes(Vec<u8>),
}

impl TableDescription {
    /// Returns the column of that name; names of columns do not depend on case.
    pub fn column(&self, name: &str) -> Option<&ColumnDescription> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|column| is_same_column(&column.name, name)))
    }
}

/// Returns whether the servers take two names for the same column: names of columns never depend on case.
pub(crate) fn is_same_column(a: &str, b: &str) -> bool {
    // Letter by letter: `str::to_lowercase` writes the last sigma of a word in another way.
    let lower_case = |name: &str| name.chars().flat_map(char::to_lowercase).collect::<String>();
    a == b || lower_case(a) == lower_case(b)
}
