//! Reads the list of tables, the statements that create them, and the server's defaults.

use crate::wire::Connection;
use crate::{Error, Filter, TableName, quoted};

/// Returns a string literal that means the same in every SQL mode and session character set. In a comparison with a
/// column it takes the column's collation, unlike the result of a `CONVERT`. So names that differ only in case stay
/// different if the server treats them as different.
pub(crate) fn literal(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("_utf8mb4 0x{hex}")
}

/// Returns the captured tables that the account can see, in Debezium's order: by `database.table` as one text, so that
/// `a-2.t` comes before `a.t`. Views, sequences and temporary tables are left out.
pub async fn list_tables(connection: &mut Connection, filter: &Filter) -> Result<Vec<TableName>, Error> {
    let found = connection
        .query(
            "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES \
             WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
        )
        .await?;
    let mut tables: Vec<TableName> = found
        .rows()
        .filter_map(|row| Some(TableName::new(row.text(0)?, row.text(1)?)))
        .filter(|name| filter.table(&name.database, &name.table))
        .collect();
    sort_tables(&mut tables, |name| name);
    Ok(tables)
}

/// Sorts items by the names of their tables, in the order of [`list_tables`].
pub(crate) fn sort_tables<T>(items: &mut [T], name: impl Fn(&T) -> &TableName) {
    // Debezium is written in Java, which compares texts by their UTF-16 units.
    items.sort_by_cached_key(|item| name(item).to_string().encode_utf16().collect::<Vec<u16>>());
}

/// Returns the statement that creates a table, as the server prints it.
pub async fn show_create_table(connection: &mut Connection, name: &TableName) -> Result<String, Error> {
    let sql = format!("SHOW CREATE TABLE {}.{}", quoted(&name.database), quoted(&name.table));
    let answer = connection.query(&sql).await?;
    let text = answer.first().and_then(|row| row.bytes(1)).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    text.ok_or_else(|| connection.malformed("answer to SHOW CREATE TABLE"))
}

/// The defaults for statements that name no character set, and how the server compares names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerDefaults {
    /// `character_set_server`.
    pub charset: String,
    /// `collation_server`.
    pub collation: String,
    /// Whether names are stored and compared in lower case (`lower_case_table_names`: 0, 1 or 2).
    pub lower_case_table_names: u8,
    /// Databases with their default character set and collation.
    pub databases: Vec<(String, String, String)>,
}

/// Reads the defaults from the server.
pub async fn server_defaults(connection: &mut Connection) -> Result<ServerDefaults, Error> {
    let own = connection
        .query("SELECT @@global.character_set_server, @@global.collation_server, @@global.lower_case_table_names")
        .await?;
    let own = own.first();
    let text = |index| own.and_then(|row| row.text(index)).unwrap_or_default();
    let mut defaults = ServerDefaults {
        charset: text(0).to_owned(),
        collation: text(1).to_owned(),
        lower_case_table_names: text(2).parse().unwrap_or_default(),
        databases: Vec::new(),
    };
    let databases = connection
        .query(
            "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA",
        )
        .await?;
    defaults.databases = databases
        .rows()
        .filter_map(|row| Some((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(2)?.to_owned())))
        .collect();
    Ok(defaults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_are_quoted() {
        assert_eq!(quoted("a`b"), "`a``b`");
        assert_eq!(literal("a'b"), "_utf8mb4 0x612762");
        assert_eq!(literal(""), "''");
    }
}
