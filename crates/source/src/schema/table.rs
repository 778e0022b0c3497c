//! Describes a table from its `SHOW CREATE TABLE`. The scanner that reads the statements of the log reads this one too,
//! so a table has the same description however it became known.

use super::unprintable;
use crate::ddl::{Catalog, SqlMode, Table, scan};
use crate::wire::Connection;
use crate::{Error, TableName};

/// Returns the table that the statement creates, completed by asking the server for what the statement cannot print.
/// `None` if the statement creates no table.
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
