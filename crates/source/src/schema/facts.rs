//! What `information_schema` says about one table, not interpreted.

use std::str::Chars;

use crate::TableName;
use crate::ddl::Table;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// Database and table.
    pub name: TableName,
    /// Storage engine.
    pub engine: String,
    /// Default collation; its character set is the text before the first underscore.
    pub collation: Option<String>,
    /// Comment.
    pub comment: String,
    /// The server's estimate of the number of rows.
    pub row_estimate: Option<u64>,
    /// Columns in their order.
    pub columns: Vec<ColumnFacts>,
    /// Columns of the primary key in key order, with the length of the prefix in characters.
    pub primary_key: Vec<(String, Option<u32>)>,
    /// Unique keys other than the primary key: name and columns.
    pub unique_keys: Vec<(String, Vec<String>)>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Name.
    pub name: String,
    /// Position from 1.
    pub position: u32,
    /// Name of the type in lower case, such as `varchar`.
    pub data_type: String,
    /// Labels of an ENUM or SET, if they are known from another place than `column_type`, which cannot print all of
    /// them.
    pub known_labels: Option<Vec<String>>,
    /// Whole type, such as `enum('a','b')` or `int(10) unsigned zerofill`.
    pub column_type: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Default as `information_schema` prints it.
    pub default: Option<String>,
    /// Length in characters, or in bytes for a binary column.
    pub character_length: Option<u64>,
    /// Length in bytes.
    pub octet_length: Option<u64>,
    /// Digits of a number.
    pub precision: Option<u8>,
    /// Digits after the point.
    pub scale: Option<u8>,
    /// Fractional digits of a second.
    pub fractional_digits: Option<u8>,
    /// Character set.
    pub charset: Option<String>,
    /// Collation.
    pub collation: Option<String>,
    /// Number of the collation.
    pub collation_id: Option<u32>,
    /// `auto_increment`, `VIRTUAL GENERATED`, `INVISIBLE` and the like.
    pub extra: String,
    /// Comment.
    pub comment: String,
    /// Expression of a generated column.
    pub generation_expression: Option<String>,
}

impl TableFacts {
    /// Takes the labels of columns from a complete description of the table.
    pub(crate) fn take_labels(&mut self, table: Option<&Table>) {
        for column in &mut self.columns {
            let described = table.and_then(|table| table.column(&column.name)).map(|described| &described.labels);
            column.known_labels =
                described.filter(|labels| labels.len() == column.labels().len() && !labels.is_empty()).cloned();
        }
    }
}

impl ColumnFacts {
    /// Returns whether the column is UNSIGNED.
    pub fn is_unsigned(&self) -> bool {
        // A label of an ENUM or SET may contain the word.
        self.labels().is_empty() && self.column_type.to_ascii_lowercase().contains(" unsigned")
    }

    /// Returns whether `EXTRA` contains a word.
    pub fn has_extra(&self, word: &str) -> bool {
        self.extra.to_ascii_uppercase().contains(word)
    }

    /// Returns whether the column is generated.
    pub fn is_generated(&self) -> bool {
        self.has_extra("STORED GENERATED")
            || self.has_extra("VIRTUAL GENERATED")
            || self.has_extra("PERSISTENT GENERATED")
    }

    /// Returns the labels of an ENUM or SET; empty for any other type.
    pub fn labels(&self) -> Vec<String> {
        match &self.known_labels {
            Some(labels) => labels.clone(),
            None if matches!(self.data_type.as_str(), "enum" | "set") => labels(&self.column_type),
            None => Vec::new(),
        }
    }
}

/// Returns the quoted labels in the text of a type.
fn labels(column_type: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut chars = column_type.chars();
    while let Some(c) = chars.next() {
        if c == '\'' {
            labels.push(quoted_text(&mut chars));
        }
    }
    labels
}

/// Reads a quoted text from after its opening quote up to the closing one. The servers print it the same way in every
/// SQL mode: a quote is doubled; backslash, NUL, newline and carriage return are escaped by a backslash; everything
/// else stays as it is.
fn quoted_text(chars: &mut Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.as_str().starts_with('\'') => text.extend(chars.next()),
            '\'' => break,
            '\\' => text.extend(chars.next().map(|escaped| match escaped {
                '0' => '\0',
                'n' => '\n',
                'r' => '\r',
                other => other,
            })),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_quotes_and_commas_are_read() {
        assert_eq!(labels("enum('a','b,c','d''e','')"), ["a", "b,c", "d'e", ""]);
        assert_eq!(labels(r"set('a\\b','c\nd\re','f\0','g\\''h\\\\n')"), ["a\\b", "c\nd\re", "f\0", "g\\'h\\\\n"]);
        assert!(labels("enum").is_empty());
    }
}
