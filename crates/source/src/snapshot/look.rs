//! Asks for the server's present state on a session outside the snapshot's view.
//!
//! Inside a transaction MySQL answers questions about `information_schema` as of the transaction's view: a table that
//! was renamed since is still listed, with its old creation time, although its rows come from the table that has the
//! name now. So such questions have a session of their own.

use std::collections::{BTreeSet, HashMap};

use crate::wire::Connection;
use crate::{Error, Filter, ServerConfig, TableName, schema};

/// A session for questions about the present. It is opened at the first question, and again if the server has ended it.
#[derive(Debug)]
pub(super) struct Look {
    config: ServerConfig,
    session: Option<Connection>,
}

impl Look {
    pub(super) fn new(config: &ServerConfig) -> Look {
        Look { config: config.clone(), session: None }
    }

    /// Returns the captured tables.
    pub(super) async fn list_tables(&mut self, filter: &Filter) -> Result<Vec<TableName>, Error> {
        schema::list_tables(self.session().await?, filter).await
    }

    /// Returns the creation times of all tables in the databases of `tables`.
    pub(super) async fn creation_times(&mut self, tables: &[TableName]) -> Result<HashMap<TableName, String>, Error> {
        creation_times(self.session().await?, tables).await
    }

    /// Returns the creation time of a table; `None` if it does not exist.
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
            // The session was idle while a table was read, which may be longer than the server's limit for idle
            // sessions.
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

/// Returns the creation times of all tables in the databases of `tables`.
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
