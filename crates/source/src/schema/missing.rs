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
        match show_create_table(&mut connection, &name).await {
            Ok(statement) => match table(&mut connection, &name, &statement).await {
                Ok(found) => missing.tables.extend(found),
                Err(error) if error.is_table_gone() => {}
                Err(error) => return Err(error),
            },
            Err(error) if error.is_table_gone() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}
