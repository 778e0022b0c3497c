//! Decides which databases and tables are captured, by Debezium's include and exclude lists.
//!
//! Each entry of a list is a regular expression that must match the whole name, in any case. Databases are matched by
//! name, tables by `database.table`. An include list and an exclude list of the same kind cannot be combined. The
//! server's own databases are left out by default.

use bitacora_change::{NameList, PatternError, PatternList};

use crate::Error;

/// The four lists, as written in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterOptions {
    /// `database.include.list`.
    pub database_include_list: Option<NameList>,
    /// `database.exclude.list`.
    pub database_exclude_list: Option<NameList>,
    /// `table.include.list`.
    pub table_include_list: Option<NameList>,
    /// `table.exclude.list`.
    pub table_exclude_list: Option<NameList>,
    /// `table.ignore.builtin`: whether the server's own databases are captured like any other.
    pub builtin: BuiltinDatabases,
}

/// How the filter treats `mysql`, `sys`, `information_schema` and `performance_schema`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuiltinDatabases {
    /// Never captured.
    #[default]
    Ignore,
    /// Captured as the lists say.
    Capture,
}

/// The compiled lists; cheap to match and to clone.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    databases: Lists,
    tables: Lists,
    builtin: BuiltinDatabases,
}

#[derive(Clone, Debug, Default)]
struct Lists {
    include: Option<PatternList>,
    exclude: PatternList,
}

impl Filter {
    /// Compiles the lists.
    ///
    /// # Errors
    /// [`Error::Filter`] for an invalid expression, and if both lists of a kind are given.
    pub fn new(options: &FilterOptions) -> Result<Filter, Error> {
        Ok(Filter {
            databases: Lists::new(
                options.database_include_list.as_ref(),
                options.database_exclude_list.as_ref(),
                ["database.include.list", "database.exclude.list"],
            )?,
            tables: Lists::new(
                options.table_include_list.as_ref(),
                options.table_exclude_list.as_ref(),
                ["table.include.list", "table.exclude.list"],
            )?,
            builtin: options.builtin,
        })
    }

    /// Returns whether the lists of databases let tables of this database be captured.
    pub fn database(&self, database: &str) -> bool {
        if self.builtin == BuiltinDatabases::Ignore && is_builtin(database) {
            return false;
        }
        self.databases.allow(database)
    }

    /// Returns an expression whose match took too long, if there was one. The answers of the filter cannot be trusted
    /// then, and the caller must stop.
    pub fn failure(&self) -> Option<&PatternError> {
        [&self.databases, &self.tables].into_iter().find_map(Lists::failure)
    }

    /// Returns whether the table is captured.
    pub fn table(&self, database: &str, table: &str) -> bool {
        self.database(database) && self.tables.allow(&format!("{database}.{table}"))
    }
}

impl Lists {
    fn new(include: Option<&NameList>, exclude: Option<&NameList>, names: [&'static str; 2]) -> Result<Lists, Error> {
        let [include_name, exclude_name] = names;
        let include = compile(include, include_name)?;
        let exclude = compile(exclude, exclude_name)?;
        if !include.is_empty() && !exclude.is_empty() {
            return Err(Error::Filter {
                pattern: exclude.entries().next().map(|(text, _)| text.to_owned()).unwrap_or_default(),
                list: exclude_name,
                reason: format!("{include_name} is given too; give one of the two"),
            });
        }
        Ok(Lists { include: (!include.is_empty()).then_some(include), exclude })
    }

    fn failure(&self) -> Option<&PatternError> {
        self.include.as_ref().and_then(PatternList::failure).or_else(|| self.exclude.failure())
    }

    fn allow(&self, name: &str) -> bool {
        match &self.include {
            Some(include) => include.matches(name),
            None => !self.exclude.matches(name),
        }
    }
}

fn compile(list: Option<&NameList>, name: &'static str) -> Result<PatternList, Error> {
    let Some(list) = list else { return Ok(PatternList::default()) };
    PatternList::compile(list).map_err(|error| Error::Filter {
        pattern: error.pattern,
        list: name,
        reason: error.reason,
    })
}

/// Returns whether a database belongs to the server itself.
pub(crate) fn is_builtin(database: &str) -> bool {
    ["mysql", "sys", "information_schema", "performance_schema"].iter().any(|name| name.eq_ignore_ascii_case(database))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(options: FilterOptions, captured: &[(&str, &str)], ignored: &[(&str, &str)]) {
        let filter = Filter::new(&options).unwrap();
        for (database, table) in captured {
            assert!(filter.table(database, table), "{database}.{table} should be captured");
        }
        for (database, table) in ignored {
            assert!(!filter.table(database, table), "{database}.{table} should be ignored");
        }
    }

    #[test]
    fn without_lists_all_but_the_servers_own() {
        check(FilterOptions::default(), &[("shop", "orders"), ("a.b", "c")], &[("mysql", "user"), ("SYS", "x")]);
    }

    #[test]
    fn expressions_match_the_whole_name_in_any_case() {
        check(
            FilterOptions { table_include_list: Some("shop\\.orders, shop\\.item.*".into()), ..Default::default() },
            &[("shop", "orders"), ("SHOP", "Orders"), ("shop", "items")],
            &[("shop", "orders2"), ("myshop", "orders"), ("shop", "it")],
        );
    }

    #[test]
    fn excludes_of_both_kinds_apply_together() {
        check(
            FilterOptions {
                database_exclude_list: Some("test".into()),
                table_exclude_list: Some(".*\\._.*_gho".into()),
                ..Default::default()
            },
            &[("shop", "orders")],
            &[("test", "orders"), ("shop", "_orders_gho")],
        );
    }

    #[test]
    fn both_lists_of_a_kind_are_refused() {
        let options = FilterOptions {
            table_include_list: Some("a.b".into()),
            table_exclude_list: Some("c.d".into()),
            ..Default::default()
        };
        assert!(Filter::new(&options).unwrap_err().to_string().contains("table.include.list is given too"));
    }

    #[test]
    fn a_broken_expression_is_named() {
        let options = FilterOptions { database_include_list: Some("a(".into()), ..Default::default() };
        let text = Filter::new(&options).unwrap_err().to_string();
        assert!(text.contains("`a(` in database.include.list"), "{text}");
        let options = FilterOptions { database_include_list: Some("a)|(b".into()), ..Default::default() };
        assert!(Filter::new(&options).is_err());
    }
}
