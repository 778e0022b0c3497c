//! The caller's session: the one connection on which its transaction runs.

#[cfg(feature = "mysql_async")]
mod mysql_async;
#[cfg(feature = "sqlx")]
mod sqlx;

use crate::{Error, Value};

/// A connection that can run statements, most often inside a transaction.
///
/// Implemented for `sqlx::MySqlConnection` and `sqlx::Transaction<MySql>` (feature `sqlx`) and for `mysql_async::Conn`
/// and `mysql_async::Transaction` (feature `mysql_async`). A pool does not implement it, because
/// each statement could run on another connection.
///
/// An implementation reports errors as [`Error::Database`] with the server's error number.
pub trait Session: Send {
    /// Runs a statement with `?` placeholders and returns the number of affected rows.
    ///
    /// # Errors
    /// [`Error::Database`] when the server or the connection refuses.
    fn execute(&mut self, sql: &str, values: &[Value]) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Runs a query whose columns are all text and returns its rows; NULL is `None`.
    ///
    /// # Errors
    /// [`Error::Database`] when the server or the connection refuses, or when a column is not text.
    fn query(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> impl Future<Output = Result<Vec<Vec<Option<String>>>, Error>> + Send;
}
