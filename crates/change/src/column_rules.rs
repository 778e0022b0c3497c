//! Which columns of the captured tables are printed, and which of them masked or cut.
//!
//! The lists name columns as `database.table.column`. Of several rules that match a column the first one applies: masks
//! in their order, then truncations. (Debezium applies truncations first, which prints the beginning of a text that a
//! mask should hide.)

use crate::hash::SaltedHash;
use crate::pattern::{PatternError, PatternList};

/// What is printed in place of a text.
#[derive(Debug, Clone)]
pub enum Mask {
    /// This many asterisks, for NULL too.
    Asterisks(u32),
    /// The hash of the text, cut to the column's length; NULL stays NULL.
    Hash(SaltedHash),
}

/// Which columns are printed.
#[derive(Debug, Clone, Default)]
pub enum ColumnSelection {
    /// All.
    #[default]
    All,
    /// Those that a list matches.
    Include(PatternList),
    /// Those that a list does not match.
    Exclude(PatternList),
}

/// The rules of a source for its columns.
#[derive(Debug, Clone, Default)]
pub struct ColumnRules {
    /// Which columns are printed; those of a key stay in the key.
    pub selection: ColumnSelection,
    /// Columns that are masked.
    pub masks: Vec<(PatternList, Mask)>,
    /// Columns that are cut, each with the number of characters that stay.
    pub truncations: Vec<(PatternList, u32)>,
}

/// How a column's values are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Treatment<'r> {
    Plain,
    Mask(&'r Mask),
    Truncate(u32),
}

impl ColumnRules {
    /// Returns whether there is no rule.
    pub fn is_empty(&self) -> bool {
        matches!(self.selection, ColumnSelection::All) && self.masks.is_empty() && self.truncations.is_empty()
    }

    /// Returns the entry of a list that took too long to match a column, if one did.
    pub fn failure(&self) -> Option<&PatternError> {
        let selection = match &self.selection {
            ColumnSelection::All => None,
            ColumnSelection::Include(list) | ColumnSelection::Exclude(list) => Some(list),
        };
        let masks = self.masks.iter().map(|(list, _)| list);
        let truncations = self.truncations.iter().map(|(list, _)| list);
        selection.into_iter().chain(masks).chain(truncations).find_map(PatternList::failure)
    }

    /// Returns whether a column is printed in images of rows.
    pub fn prints(&self, database: &str, table: &str, column: &str) -> bool {
        match &self.selection {
            ColumnSelection::All => true,
            ColumnSelection::Include(list) => list.matches(&format!("{database}.{table}.{column}")),
            ColumnSelection::Exclude(list) => !list.matches(&format!("{database}.{table}.{column}")),
        }
    }

    pub(crate) fn treatment(&self, database: &str, table: &str, column: &str) -> Treatment<'_> {
        if self.masks.is_empty() && self.truncations.is_empty() {
            return Treatment::Plain;
        }
        let name = format!("{database}.{table}.{column}");
        if let Some((_, mask)) = self.masks.iter().find(|(list, _)| list.matches(&name)) {
            return Treatment::Mask(mask);
        }
        match self.truncations.iter().find(|(list, _)| list.matches(&name)) {
            Some((_, characters)) => Treatment::Truncate(*characters),
            None => Treatment::Plain,
        }
    }

    /// Returns the entries of the lists that match none of the columns (`database.table.column`), each with its
    /// purpose. Such an entry is most likely misspelt, and then a column that should be hidden is printed.
    pub fn unmatched(&self, columns: &[String]) -> Vec<(&'static str, &str)> {
        let selection = match &self.selection {
            ColumnSelection::All => None,
            ColumnSelection::Include(list) => Some(("include", list)),
            ColumnSelection::Exclude(list) => Some(("exclude", list)),
        };
        let masks = self.masks.iter().map(|(list, _)| ("mask", list));
        let truncations = self.truncations.iter().map(|(list, _)| ("truncate", list));
        let mut found = Vec::new();
        for (rule, list) in selection.into_iter().chain(masks).chain(truncations) {
            let missed = list.entries().filter(|(_, matches)| !columns.iter().any(|column| matches(column)));
            found.extend(missed.map(|(entry, _)| (rule, entry)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list(text: &str) -> PatternList {
        PatternList::parse(text).unwrap()
    }

    #[test]
    fn a_mask_goes_before_a_truncation() {
        let rules = ColumnRules {
            truncations: vec![(list("a\\.b\\..*"), 3)],
            masks: vec![(list("A.B.pin"), Mask::Asterisks(4)), (list("a.b.pi."), Mask::Asterisks(5))],
            ..ColumnRules::default()
        };
        assert!(matches!(rules.treatment("a", "b", "pin"), Treatment::Mask(Mask::Asterisks(4))));
        assert!(matches!(rules.treatment("a", "b", "pix"), Treatment::Mask(Mask::Asterisks(5))));
        assert!(matches!(rules.treatment("a", "b", "name"), Treatment::Truncate(3)));
        assert!(matches!(rules.treatment("a", "c", "name"), Treatment::Plain));
    }

    #[test]
    fn columns_are_selected_by_one_list() {
        let exclude = ColumnRules { selection: ColumnSelection::Exclude(list("a.b.pin")), ..ColumnRules::default() };
        assert!(!exclude.prints("a", "b", "PIN") && exclude.prints("a", "b", "name"));
        let include = ColumnRules { selection: ColumnSelection::Include(list("a.b.pin")), ..ColumnRules::default() };
        assert!(include.prints("a", "b", "PIN") && !include.prints("a", "b", "name"));
    }

    #[test]
    fn an_entry_that_matches_nothing_is_named() {
        let rules = ColumnRules {
            selection: ColumnSelection::Exclude(list("a.b.c,a.b.cc")),
            masks: vec![(list("a.b.pin"), Mask::Asterisks(1)), (list("a.b.pun"), Mask::Asterisks(1))],
            truncations: vec![(list("x.*"), 1)],
        };
        let columns = ["a.b.c", "a.b.pin"].map(str::to_owned);
        assert_eq!(rules.unmatched(&columns), [("exclude", "a.b.cc"), ("mask", "a.b.pun"), ("truncate", "x.*")]);
    }
}
