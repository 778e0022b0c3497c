//! How a server compares the names of databases and tables (`lower_case_table_names`; MySQL manual, "Identifier Case
//! Sensitivity").
//!
//! The case of column and key names never matters.

use serde::{Deserialize, Serialize};

use crate::TableName;

/// How names of databases and tables are compared and stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameCase {
    /// 0: names that differ in case belong to different tables.
    #[default]
    Sensitive,
    /// 1: stored in lower case, whatever case a statement writes.
    Lowered,
    /// 2: stored as written, compared in lower case.
    Insensitive,
}

impl NameCase {
    /// Returns the rule of a server's `lower_case_table_names`.
    pub fn of_setting(lower_case_table_names: u8) -> NameCase {
        match lower_case_table_names {
            0 => NameCase::Sensitive,
            1 => NameCase::Lowered,
            _ => NameCase::Insensitive,
        }
    }

    /// Returns whether two names are the same to the server.
    pub(super) fn is_same(self, a: &str, b: &str) -> bool {
        a == b || self != NameCase::Sensitive && is_same_in_lower_case(a, b)
    }

    /// Returns the name as the server stores it.
    pub(super) fn kept(self, name: &str) -> String {
        if self == NameCase::Lowered { lower_case(name).collect() } else { name.to_owned() }
    }

    /// Returns the table's name as the server stores it.
    pub(super) fn kept_table(self, name: &TableName) -> TableName {
        TableName::new(self.kept(&name.database), self.kept(&name.table))
    }
}

/// Returns whether two names differ at most in case.
pub(super) fn is_same_in_lower_case(a: &str, b: &str) -> bool {
    a == b || lower_case(a).eq(lower_case(b))
}

/// Lowers letter by letter, as the servers do. `str::to_lowercase` would turn a capital sigma at the end of a word into
/// a final sigma.
fn lower_case(name: &str) -> impl Iterator<Item = char> {
    name.chars().flat_map(char::to_lowercase)
}
