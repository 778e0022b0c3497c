//! Captured tables of which nothing was said yet, because they were not captured before.

use super::list::{list_tables, show_create_table};
use crate::wire::Connection;
use crate::{Error, Filter, ServerConfig, TableName};

/// Gives name and creating statement of each captured table that is not known. A table that vanishes meanwhile is left out.
///
/// # Errors
/// Those of the connection, and the server's refusals.
pub async fn missing_tables(
    config: &ServerConfig,
    filter: &Filter,
    is_known: impl Fn(&TableName) -> bool,
) -> Result<Vec<(TableName, String)>, Error> {
    let mut connection = Connection::open(config).await?;
    let mut missing = Vec::new();
    for name in list_tables(&mut connection, filter).await? {
        if is_known(&name) {
            continue;
        }
        match show_create_table(&mut connection, &name).await {
            Ok(statement) => missing.push((name, statement)),
            Err(error) if error.is_table_gone() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}
