//! Questions about the server's present state, on a session outside the snapshot's view.
//!
//! MySQL answers questions about `information_schema` inside a transaction as of its view: a table that was renamed
//! since is still there, with its old creation time, while its rows come from the table that has the name now. So such
//! questions have a session of their own.

use std::collections::{BTreeSet, HashMap};

use crate::wire::Connection;
use crate::{Error, Filter, ServerConfig, TableName, schema};

/// A session for questions about the present; it is opened when it is needed, and again when the server has ended it.
#[derive(Debug)]
pub(super) struct Look {
    config: ServerConfig,
    session: Option<Connection>,
}

impl Look {
    pub(super) fn new(config: &ServerConfig) -> Look {
        Look { config: config.clone(), session: None }
    }

    /// Lists the captured tables.
    pub(super) async fn list_tables(&mut self, filter: &Filter) -> Result<Vec<TableName>, Error> {
        schema::list_tables(self.session().await?, filter).await
    }

    /// Returns when these tables were made, of those that are there.
    pub(super) async fn creation_times(&mut self, tables: &[TableName]) -> Result<HashMap<TableName, String>, Error> {
        creation_times(self.session().await?, tables).await
    }

    /// Returns when a table was made.
    pub(super) async fn creation_time(&mut self, name: &TableName) -> Result<Option<String>, Error> {
        let sql = format!(
            "SELECT TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
            schema::literal(&name.database),
            schema::literal(&name.table)
        );
        let found = self.session().await?.query(&sql).await?;
        // MariaDB compares the names without case: the answer may have other tables too.
        let row = found.rows().find(|row| row.text(0) == Some(&name.table));
        Ok(row.and_then(|row| row.text(1).map(str::to_owned)))
    }

    async fn session(&mut self) -> Result<&mut Connection, Error> {
        let live = match self.session.take() {
            // It may have been idle for as long as the largest table took.
            Some(mut session) => session.execute("DO 0").await.is_ok().then_some(session),
            None => None,
        };
        let session = match live {
            Some(session) => session,
            None => Connection::open(&self.config).await?,
        };
        Ok(self.session.insert(session))
    }
}

/// Asks when the tables were made.
pub(super) async fn creation_times(
    connection: &mut Connection,
    tables: &[TableName],
) -> Result<HashMap<TableName, String>, Error> {
    let databases: BTreeSet<String> = tables.iter().map(|name| schema::literal(&name.database)).collect();
    if databases.is_empty() {
        return Ok(HashMap::new());
    }
    let list = databases.into_iter().collect::<Vec<_>>().join(", ");
    let answer = connection
        .query(&format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ({list})"
        ))
        .await?;
    Ok(answer
        .rows()
        .filter_map(|row| Some((TableName::new(row.text(0)?, row.text(1)?), row.text(2)?.to_owned())))
        .collect())
}
