//! A table as its own `SHOW CREATE TABLE` describes it: the one way in which tables are described, as statements of the
//! log are read in the same way.

use super::unprintable;
use crate::ddl::{Catalog, SqlMode, Table, scan};
use crate::wire::Connection;
use crate::{Error, TableName};

/// Reads the statement that creates a table, and asks the server for what it cannot print. `None` if the statement
/// describes no table.
pub(crate) async fn table(
    connection: &mut Connection,
    name: &TableName,
    statement: &str,
) -> Result<Option<Table>, Error> {
    let mut catalog = Catalog::default();
    catalog.apply(&scan(statement, &name.database, SqlMode::default()));
    let Some(table) = catalog.table(&name.database, &name.table) else { return Ok(None) };
    let mut table = table.clone();
    unprintable::complete(connection, &mut table).await?;
    Ok(Some(table))
}
