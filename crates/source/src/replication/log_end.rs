//! Asks by SQL where a server's log ends, on a session beside the stream.

use std::cmp::Ordering;

use crate::identity::server_identity;
use crate::wire::Connection;
use crate::{Error, ServerConfig};

/// The end of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// Binlog file.
    pub file: String,
    /// Offset in the file.
    pub offset: u64,
}

impl LogEnd {
    /// Compares two ends of one log; `None` if the names of the files have different bases.
    pub fn compare(&self, other: &LogEnd) -> Option<Ordering> {
        let (base, number) = self.file.rsplit_once('.')?;
        let (other_base, other_number) = other.file.rsplit_once('.')?;
        let (number, other_number) = (number.parse::<u64>().ok()?, other_number.parse::<u64>().ok()?);
        (base == other_base).then(|| (number, self.offset).cmp(&(other_number, other.offset)))
    }
}

/// A session that asks one server for the end of its log. It connects at the first question.
#[derive(Debug)]
pub struct LogEndSession {
    config: ServerConfig,
    server: String,
    connection: Option<Connection>,
}

impl LogEndSession {
    /// Creates a session that is not connected yet; `server` is the identity of the server to ask.
    pub fn new(config: ServerConfig, server: String) -> LogEndSession {
        LogEndSession { config, server, connection: None }
    }

    /// Returns the end of the log; `None` if the server has no log, or if the address leads to another server.
    ///
    /// # Errors
    /// Those of the connection, which the next question makes again; [`Error::Server`] if the account may not ask.
    pub async fn ask(&mut self) -> Result<Option<LogEnd>, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.config).await?,
        };
        // A proxy or a DNS name may lead each connection to another server.
        if server_identity(&mut connection).await? != self.server {
            return Ok(None);
        }
        let end = log_end(&mut connection).await?;
        self.connection = Some(connection);
        Ok(end)
    }
}

/// Asks for the end of the log; `None` where the server has no log.
pub(super) async fn log_end(connection: &mut Connection) -> Result<Option<LogEnd>, Error> {
    let version = connection.version();
    let is_new = !version.is_mariadb() && version.at_least(8, 2, 0);
    let status = connection.query(if is_new { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" }).await?;
    Ok(status.first().and_then(|row| {
        let offset = row.named("Position")?.parse().ok()?;
        Some(LogEnd { file: row.named("File")?.to_owned(), offset })
    }))
}
