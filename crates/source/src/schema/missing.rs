//! Captured tables that the schema-change topic does not know yet, because they were not captured before.

use super::list::{list_tables, server_defaults, show_create_table};
use super::table::table;
use crate::ddl::{NameCase, Table};
use crate::wire::Connection;
use crate::{Error, Filter, ServerConfig, TableName};

/// The captured tables that a server has and a catalog lacks.
#[derive(Debug)]
pub struct MissingTables {
    /// How the server compares names.
    pub names: NameCase,
    /// The tables.
    pub tables: Vec<Table>,
}

/// Returns each captured table for which `is_known` is false. A table that is dropped meanwhile is left out.
///
/// # Errors
/// Those of the connection, and [`Error::Server`] if the server refuses a statement.
pub async fn missing_tables(
    config: &ServerConfig,
    filter: &Filter,
    is_known: impl Fn(&TableName, NameCase) -> bool,
) -> Result<MissingTables, Error> {
    let mut connection = Connection::open(config).await?;
    let names = NameCase::of_setting(server_defaults(&mut connection).await?.lower_case_table_names);
    let mut missing = MissingTables { names, tables: Vec::new() };
    for name in list_tables(&mut connection, filter).await? {
        if is_known(&name, names) {
            continue;
        }
        missing.tables.extend(described(&mut connection, &name).await?);
    }
    Ok(missing)
}

/// Describes a table as it is now; `None` if it does not exist, or is a sequence.
///
/// # Errors
/// Those of the connection, and the server's refusals.
pub(crate) async fn described(connection: &mut Connection, name: &TableName) -> Result<Option<Table>, Error> {
    let found = match show_create_table(connection, name).await {
        Ok(statement) => table(connection, name, &statement).await,
        Err(error) => Err(error),
    };
    match found {
        Err(error) if error.is_table_gone() => Ok(None),
        found => found,
    }
}
