//! Names of databases, tables and columns: checked once, quoted wherever they stand in a statement.
//!
//! Rules: MySQL manual, "Schema Object Names" and "Identifier Length Limits".

use std::fmt;

use crate::Error;

const LONGEST: usize = 64;

/// Checks a name; the error says what no server takes.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.chars().count() > LONGEST {
        "it has more than 64 characters"
    } else if name.contains('\0') {
        "it has a NUL character"
    } else if name.chars().any(|character| u32::from(character) > 0xFFFF) {
        "it has a character beyond the Basic Multilingual Plane"
    } else if name.ends_with(' ') {
        "it ends with a space"
    } else {
        return Ok(());
    };
    Err(Error::Name { name: name.to_owned(), reason })
}

/// Quotes a name for a statement; valid in every `sql_mode`.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A table, with its database where one is named. Displayed for people; [`TableName::quoted`] is for statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) database: Option<String>,
    pub(crate) table: String,
}

impl TableName {
    pub(crate) fn new(database: Option<String>, table: String) -> Result<TableName, Error> {
        if let Some(database) = &database {
            check(database)?;
        }
        check(&table)?;
        Ok(TableName { database, table })
    }

    pub(crate) fn quoted(&self) -> String {
        match &self.database {
            Some(database) => format!("{}.{}", quoted(database), quoted(&self.table)),
            None => quoted(&self.table),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(database) => write!(to, "{database}.{}", self.table),
            None => to.write_str(&self.table),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_limited() {
        let table = TableName::new(Some("re`servas".into()), "eventos; DROP".into()).unwrap();
        assert_eq!(table.quoted(), "`re``servas`.`eventos; DROP`");
        assert_eq!(table.to_string(), "re`servas.eventos; DROP");
        assert!(check(&"ñ".repeat(64)).is_ok());
        assert!(check(&"ñ".repeat(65)).is_err());
        assert!(check("💥").is_err());
    }
}
