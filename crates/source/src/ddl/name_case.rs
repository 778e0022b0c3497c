//! How a server compares the names of databases and tables (`lower_case_table_names`; MySQL manual, "Identifier Case
//! Sensitivity").
//!
//! Names of columns and keys never depend on case.

use serde::{Deserialize, Serialize};

use crate::TableName;

/// How names of databases and tables are compared and kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameCase {
    /// 0: names that differ in case are of two tables.
    #[default]
    Sensitive,
    /// 1: kept in lower case, whatever case a statement writes.
    Lowered,
    /// 2: kept as written, compared in lower case.
    Insensitive,
}

impl NameCase {
    /// Takes the server's `lower_case_table_names`.
    pub fn of_setting(lower_case_table_names: u8) -> NameCase {
        match lower_case_table_names {
            0 => NameCase::Sensitive,
            1 => NameCase::Lowered,
            _ => NameCase::Insensitive,
        }
    }

    /// Whether two names are the same.
    pub(super) fn is_same(self, a: &str, b: &str) -> bool {
        a == b || self != NameCase::Sensitive && is_same_in_lower_case(a, b)
    }

    /// The name as the server keeps it.
    pub(super) fn kept(self, name: &str) -> String {
        if self == NameCase::Lowered { lower_case(name).collect() } else { name.to_owned() }
    }

    /// The table's name as the server keeps it.
    pub(super) fn kept_table(self, name: &TableName) -> TableName {
        TableName::new(self.kept(&name.database), self.kept(&name.table))
    }
}

/// Whether two names differ at most in case.
pub(super) fn is_same_in_lower_case(a: &str, b: &str) -> bool {
    a == b || lower_case(a).eq(lower_case(b))
}

/// Letter by letter, as the servers do it; `str::to_lowercase` would write the last sigma of a word in another way.
fn lower_case(name: &str) -> impl Iterator<Item = char> {
    name.chars().flat_map(char::to_lowercase)
}
