//! Which databases and tables are captured: Debezium's include and exclude lists.
//!
//! A list is a set of patterns, separated by commas (`\,` is a comma inside a pattern). A pattern is a regular
//! expression that must match the whole name, in any case of letters: `database` for databases, `database.table` for
//! tables. Look-around and back-references of Java's dialect do not exist here; such a pattern is an error.

use regex::{Regex, RegexBuilder};

/// Databases of the server itself.
const BUILT_IN: [&str; 4] = ["mysql", "performance_schema", "sys", "information_schema"];

/// A list of patterns as written and compiled.
#[derive(Debug, Clone, Default)]
pub struct PatternList {
    patterns: Vec<Regex>,
    text: String,
}

impl PatternList {
    /// Compiles the patterns; the error names the first one that is wrong.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for pattern in texts.iter().flat_map(|text| split(text)) {
            let compiled = RegexBuilder::new(&format!("^(?:{pattern})$"))
                .case_insensitive(true)
                .build()
                .map_err(|error| format!("{pattern} is not a usable regular expression ({})", reason(&error)))?;
            patterns.push(compiled);
        }
        Ok(PatternList { patterns, text: texts.join(",") })
    }

    /// Whether one of the patterns matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(name))
    }

    /// Whether the list has no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The list as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Include and exclude list of one level; at most one of them is filled.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// If filled, only what matches passes.
    pub include: PatternList,
    /// What matches does not pass.
    pub exclude: PatternList,
}

impl Filter {
    /// Whether the name passes.
    pub fn passes(&self, name: &str) -> bool {
        (self.include.is_empty() || self.include.matches(name)) && !self.exclude.matches(name)
    }
}

/// Which databases and tables are captured.
#[derive(Debug, Clone, Default)]
pub struct CaptureFilter {
    /// By database name.
    pub databases: Filter,
    /// By `database.table`.
    pub tables: Filter,
    /// Whether the server's own databases may be captured (`table.ignore.builtin=false`).
    pub capture_built_in: bool,
}

impl CaptureFilter {
    /// Whether tables of this database may be captured, and its schema changes are published.
    pub fn captures_database(&self, database: &str) -> bool {
        let built_in = BUILT_IN.iter().any(|name| name.eq_ignore_ascii_case(database));
        (self.capture_built_in || !built_in) && self.databases.passes(database)
    }

    /// Whether changes of this table are published.
    pub fn captures_table(&self, database: &str, table: &str) -> bool {
        self.captures_database(database) && self.tables.passes(&format!("{database}.{table}"))
    }
}

/// Splits at commas that have no backslash before them; blanks around a pattern do not belong to it.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            ',' => parts.push(String::new()),
            '\\' if characters.peek() == Some(&',') => {
                characters.next();
                if let Some(part) = parts.last_mut() {
                    part.push(',');
                }
            }
            '\\' => {
                if let Some(part) = parts.last_mut() {
                    part.push('\\');
                    part.extend(characters.next());
                }
            }
            other => {
                if let Some(part) = parts.last_mut() {
                    part.push(other);
                }
            }
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The last line of the library's message, which says why; the lines before draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn list(text: &str) -> PatternList {
        PatternList::parse(&[text.to_owned()]).unwrap()
    }

    #[test]
    fn whole_name_in_any_case() {
        let tables = list("shop\\.order(s|_items), shop\\.c.*");
        for (name, expected) in [
            ("shop.orders", true),
            ("SHOP.Order_Items", true),
            ("shop.customers", true),
            ("xshop.orders", false),
            ("shop.orders2", false),
        ] {
            assert_eq!(tables.matches(name), expected, "{name}");
        }
    }

    #[test]
    fn escaped_comma_is_part_of_the_pattern() {
        assert_eq!(split("a\\,b, c\\.d ,"), ["a,b", "c\\.d"]);
        assert_eq!(split("x{1\\,2}\\"), ["x{1,2}\\"]);
    }

    #[test]
    fn wrong_pattern_is_named() {
        let error = PatternList::parse(&["ok,a(b,c".to_owned()]).unwrap_err();
        assert!(error.starts_with("a(b is not"), "{error}");
        assert!(PatternList::parse(&["(?!sys).*".to_owned()]).unwrap_err().contains("look-around"));
    }

    #[test]
    fn databases_and_tables_together() {
        let filter = CaptureFilter {
            databases: Filter { include: list("reservas,mysql"), ..Filter::default() },
            tables: Filter { exclude: list("reservas\\.tmp_.*"), ..Filter::default() },
            capture_built_in: false,
        };
        for (database, table, expected) in [
            ("reservas", "usuarios", true),
            ("reservas", "tmp_1", false),
            ("otra", "usuarios", false),
            ("mysql", "user", false),
        ] {
            assert_eq!(filter.captures_table(database, table), expected, "{database}.{table}");
        }
        assert!(CaptureFilter { capture_built_in: true, ..filter }.captures_table("mysql", "user"));
        assert!(CaptureFilter::default().captures_table("any", "table"));
    }
}
