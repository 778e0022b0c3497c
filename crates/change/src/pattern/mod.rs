//! Lists of names: Debezium's include and exclude lists, and those of its column options.
//!
//! Each entry is a regular expression of Java's that must match the whole name, in any case. A list is written as one
//! text with commas in between, where `\,` is a comma inside an expression, or entry by entry, where a comma is a
//! comma.

pub(crate) mod java;

use std::sync::{Arc, OnceLock};

use fancy_regex::Regex;

use self::java::{Case, Extent};

/// A list as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameList {
    /// Entries with commas between them.
    Text(String),
    /// One by one.
    Entries(Vec<String>),
}

impl NameList {
    /// Returns the entries; blanks around them and empty ones do not count.
    pub fn entries(&self) -> Vec<String> {
        let all = match self {
            NameList::Text(text) => split(text),
            NameList::Entries(entries) => entries.clone(),
        };
        all.into_iter().map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
    }
}

impl From<&str> for NameList {
    fn from(text: &str) -> Self {
        NameList::Text(text.to_owned())
    }
}

impl From<String> for NameList {
    fn from(text: String) -> Self {
        NameList::Text(text)
    }
}

/// A compiled list.
#[derive(Debug, Clone, Default)]
pub struct PatternList {
    entries: Vec<Entry>,
    /// The first entry that could not be matched against a name. A question whether a name matches needs an answer at
    /// once, so the failure is kept for all clones until [`PatternList::failure`] is called.
    failure: Arc<OnceLock<PatternError>>,
}

#[derive(Debug, Clone)]
struct Entry {
    text: String,
    regex: Regex,
}

/// An entry that is not a regular expression, or that takes too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The entry.
    pub pattern: String,
    /// What the compiler says, on one line.
    pub reason: String,
}

impl PatternList {
    /// Compiles a list that is written as one text.
    ///
    /// # Errors
    /// An entry is no regular expression.
    pub fn parse(list: &str) -> Result<PatternList, PatternError> {
        PatternList::compile(&list.into())
    }

    /// Compiles a list.
    ///
    /// # Errors
    /// An entry is no regular expression.
    pub fn compile(list: &NameList) -> Result<PatternList, PatternError> {
        let entries =
            list.entries().into_iter().map(|text| match java::compile(&text, Case::Insensitive, Extent::Whole) {
                Ok(regex) => Ok(Entry { text, regex }),
                Err(reason) => Err(PatternError { pattern: text, reason }),
            });
        Ok(PatternList { entries: entries.collect::<Result<_, _>>()?, failure: Arc::default() })
    }

    /// Returns whether the list has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns whether an entry matches the whole name. An entry that takes too long does not; [`PatternList::failure`]
    /// names it from then on.
    pub fn matches(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| self.entry_matches(entry, name))
    }

    /// Returns the entry that took too long to match a name, if one did. No answer of the list counts then.
    pub fn failure(&self) -> Option<&PatternError> {
        self.failure.get()
    }

    /// Returns the entries as they are written, each with whether it matches a name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, impl Fn(&str) -> bool)> {
        self.entries.iter().map(move |entry| (entry.text.as_str(), move |name: &str| self.entry_matches(entry, name)))
    }

    fn entry_matches(&self, entry: &Entry, name: &str) -> bool {
        entry.regex.is_match(name).unwrap_or_else(|_| {
            let reason = format!("it takes too long to match {name}; write it without nested repetitions");
            self.failure.get_or_init(|| PatternError { pattern: entry.text.clone(), reason });
            false
        })
    }
}

/// Splits at commas; `\,` is a comma inside an expression.
fn split(list: &str) -> Vec<String> {
    let mut entries = vec![String::new()];
    let mut escaped = false;
    for c in list.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (false, ',') => entries.push(String::new()),
            (_, c) => {
                if let Some(entry) = entries.last_mut() {
                    if escaped && c != ',' {
                        entry.push('\\');
                    }
                    entry.push(c);
                }
                escaped = false;
            }
        }
    }
    if escaped && let Some(entry) = entries.last_mut() {
        entry.push('\\');
    }
    entries
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(list: &str, matched: &[&str], other: &[&str]) {
        let list = PatternList::parse(list).unwrap();
        for name in matched {
            assert!(list.matches(name), "{name}");
        }
        for name in other {
            assert!(!list.matches(name), "{name}");
        }
    }

    #[test]
    fn an_entry_matches_the_whole_name_in_any_case() {
        check(
            "shop\\.orders, shop\\.item.*",
            &["shop.orders", "SHOP.Orders", "shop.items"],
            &["shop.orders2", "myshop.orders", "shop.it"],
        );
        check("", &[], &["", "a"]);
    }

    #[test]
    fn an_escaped_comma_belongs_to_the_expression() {
        assert_eq!(split("a\\,b,c\\.d"), ["a,b", "c\\.d"]);
        check("a{1\\,2}", &["a", "aa"], &["aaa"]);
    }

    /// The entries of an array were joined with commas and split again: `t\d{1` was the first of them.
    #[test]
    fn a_comma_in_an_entry_of_its_own_is_a_comma() {
        let list = NameList::Entries(vec![r"rx\.t\d{1,2}".to_owned(), "  ".to_owned(), r"rx\.a\,b".to_owned()]);
        let list = PatternList::compile(&list).unwrap();
        assert!(list.matches("rx.t12") && list.matches("rx.a,b") && !list.matches("rx.t"));
    }

    #[test]
    fn an_expression_that_takes_too_long_is_named() {
        let list = PatternList::parse(r"(?!x)(?:a|aa)+(?<!c)$").unwrap();
        let clone = list.clone();
        assert!(list.failure().is_none() && !list.matches(&format!("{}cb", "a".repeat(60))));
        assert_eq!(clone.failure().map(|failure| failure.pattern.as_str()), Some(r"(?!x)(?:a|aa)+(?<!c)$"));
    }

    #[test]
    fn a_broken_expression_is_named() {
        for list in ["b, a(", "a)|(b"] {
            let error = PatternList::parse(list).unwrap_err();
            assert!(list.ends_with(&error.pattern) && !error.reason.is_empty(), "{error:?}");
        }
    }
}
