//! Lists of names: Debezium's include and exclude lists, and those of its column options.
//!
//! A list is comma-separated; each entry is a regular expression that must match the whole name, in any case. `\,` is a comma
//! inside an expression.

use regex::Regex;

/// A compiled list.
#[derive(Debug, Clone, Default)]
pub struct PatternList {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    text: String,
    regex: Regex,
}

/// An entry that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The entry.
    pub pattern: String,
    /// What the compiler says, on one line.
    pub reason: String,
}

impl PatternList {
    /// Compiles a list.
    ///
    /// # Errors
    /// An entry is no regular expression.
    pub fn parse(list: &str) -> Result<PatternList, PatternError> {
        let entries = split(list).into_iter().map(|text| {
            let failed =
                |error: regex::Error| PatternError { pattern: text.clone(), reason: last_line(&error.to_string()) };
            // The entry alone must be valid: `a)(b` would otherwise compile inside the anchors.
            Regex::new(&text).map_err(failed)?;
            let regex = Regex::new(&format!("^(?i:{text})$")).map_err(failed)?;
            Ok(Entry { text, regex })
        });
        Ok(PatternList { entries: entries.collect::<Result<_, _>>()? })
    }

    /// Whether the list has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an entry matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.regex.is_match(name))
    }

    /// The entries as they are written, each with whether it matches a name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, impl Fn(&str) -> bool)> {
        self.entries.iter().map(|entry| (entry.text.as_str(), move |name: &str| entry.regex.is_match(name)))
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
    entries.into_iter().map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
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

    #[test]
    fn a_broken_expression_is_named() {
        for list in ["b, a(", "a)|(b"] {
            let error = PatternList::parse(list).unwrap_err();
            assert!(list.ends_with(&error.pattern) && !error.reason.is_empty(), "{error:?}");
        }
    }
}
