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
    /// `ER_NO_SUCH_TABLE`.
    const GONE: u16 = 1146;
    let mut connection = Connection::open(config).await?;
    connection.execute("SET NAMES utf8mb4").await?;
    connection.execute("SET SESSION sql_mode = ''").await?;
    let mut missing = Vec::new();
    for name in list_tables(&mut connection, filter).await? {
        if is_known(&name) {
            continue;
        }
        match show_create_table(&mut connection, &name).await {
            Ok(statement) => missing.push((name, statement)),
            Err(Error::Server { code: GONE, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}
