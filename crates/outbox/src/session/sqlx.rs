//! Sessions of sqlx.

use ::sqlx::mysql::{MySql, MySqlArguments, MySqlConnection, MySqlDatabaseError};
use ::sqlx::query::Query;
use ::sqlx::{AssertSqlSafe, Row, Transaction};

use super::Session;
use crate::{Error, Value};

impl Session for MySqlConnection {
    async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        let done = bound(sql, values).execute(&mut *self).await;
        done.map(|done| done.rows_affected()).map_err(|source| refused(sql, source))
    }

    async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Option<String>>>, Error> {
        let rows = bound(sql, values).fetch_all(&mut *self).await.map_err(|source| refused(sql, source))?;
        let texts = |row: &::sqlx::mysql::MySqlRow| {
            // Unchecked: the servers flag some columns of information_schema as binary although they hold text.
            (0..row.len()).map(|index| row.try_get_unchecked(index)).collect::<Result<Vec<Option<String>>, _>>()
        };
        rows.iter().map(texts).collect::<Result<_, _>>().map_err(|source| refused(sql, source))
    }
}

impl Session for Transaction<'_, MySql> {
    async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        Session::execute(&mut **self, sql, values).await
    }

    async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Option<String>>>, Error> {
        Session::query(&mut **self, sql, values).await
    }
}

/// The statements of this crate hold checked names and placeholders only, never a value: that is what is asserted here.
fn bound<'q>(sql: &str, values: &'q [Value]) -> Query<'q, MySql, MySqlArguments> {
    let query = ::sqlx::query(AssertSqlSafe(sql.to_owned()));
    values.iter().fold(query, |query, value| match value {
        Value::Null => query.bind(None::<&str>),
        Value::Text(text) => query.bind(text.as_str()),
        Value::Bytes(bytes) => query.bind(bytes.as_slice()),
        Value::Integer(number) => query.bind(*number),
    })
}

fn refused(sql: &str, source: ::sqlx::Error) -> Error {
    let server = source.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    let code = server.map(MySqlDatabaseError::number);
    Error::Database { statement: sql.to_owned(), code, source: Box::new(source) }
}
