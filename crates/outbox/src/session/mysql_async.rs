//! Sessions of mysql_async.

use ::mysql_async::prelude::Queryable;
use ::mysql_async::{Conn, Params, Row, Transaction, from_value_opt};

use super::Session;
use crate::{Error, Value};

impl Session for Conn {
    async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        execute(self, sql, values).await
    }

    async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Option<String>>>, Error> {
        query(self, sql, values).await
    }
}

impl Session for Transaction<'_> {
    async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        execute(self, sql, values).await
    }

    async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Option<String>>>, Error> {
        query(self, sql, values).await
    }
}

async fn execute<Q: Queryable>(session: &mut Q, sql: &str, values: &[Value]) -> Result<u64, Error> {
    let result = session.exec_iter(sql, parameters(values)).await.map_err(|source| refused(sql, source))?;
    let affected = result.affected_rows();
    result.drop_result().await.map_err(|source| refused(sql, source))?;
    Ok(affected)
}

async fn query<Q: Queryable>(session: &mut Q, sql: &str, values: &[Value]) -> Result<Vec<Vec<Option<String>>>, Error> {
    let rows: Vec<Row> = session.exec(sql, parameters(values)).await.map_err(|source| refused(sql, source))?;
    let texts = |row: Row| row.unwrap().into_iter().map(from_value_opt).collect::<Result<Vec<_>, _>>();
    rows.into_iter().map(texts).collect::<Result<_, _>>().map_err(|source| Error::Database {
        statement: sql.to_owned(),
        code: None,
        source: Box::new(source),
    })
}

fn parameters(values: &[Value]) -> Params {
    let value = |value: &Value| match value {
        Value::Null => ::mysql_async::Value::NULL,
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(bytes) => bytes.as_slice().into(),
        Value::Integer(number) => (*number).into(),
    };
    match values.is_empty() {
        true => Params::Empty,
        false => Params::Positional(values.iter().map(value).collect()),
    }
}

fn refused(sql: &str, source: ::mysql_async::Error) -> Error {
    let code = match &source {
        ::mysql_async::Error::Server(error) => Some(error.code),
        _ => None,
    };
    Error::Database { statement: sql.to_owned(), code, source: Box::new(source) }
}
