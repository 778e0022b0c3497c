//! Captured tables of which nothing was said yet, because they were not captured before.

use super::list::{list_tables, server_defaults, show_create_table};
use crate::ddl::NameCase;
use crate::wire::Connection;
use crate::{Error, Filter, ServerConfig, TableName};

/// Returns how the server compares names, and name and creating statement of each captured table that is not known. A table that
/// vanishes meanwhile is left out.
///
/// # Errors
/// Those of the connection, and the server's refusals.
pub async fn missing_tables(
    config: &ServerConfig,
    filter: &Filter,
    is_known: impl Fn(&TableName, NameCase) -> bool,
) -> Result<(NameCase, Vec<(TableName, String)>), Error> {
    let mut connection = Connection::open(config).await?;
    let names = NameCase::of_setting(server_defaults(&mut connection).await?.lower_case_table_names);
    let mut missing = Vec::new();
    for name in list_tables(&mut connection, filter).await? {
        if is_known(&name, names) {
            continue;
        }
        match show_create_table(&mut connection, &name).await {
            Ok(statement) => missing.push((name, statement)),
            Err(error) if error.is_table_gone() => {}
            Err(error) => return Err(error),
        }
    }
    Ok((names, missing))
}
