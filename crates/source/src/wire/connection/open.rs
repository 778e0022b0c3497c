//! Opens a connection: login, then the variables of the session.

use std::time::Duration;

use super::state::Connection;
use crate::wire::session;
use crate::{Error, ServerConfig};

impl Connection {
    /// Connects, logs in and sets the variables of the session, so that the server's defaults do not matter.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Timeout`], the TLS errors, and [`Error::Server`] if the server refuses the login.
    pub async fn open(config: &ServerConfig) -> Result<Connection, Error> {
        let limit = Duration::from_millis(config.connect_timeout_ms);
        // Boxed, because the state of the TLS handshake is large.
        let mut connection = match tokio::time::timeout(limit, Box::pin(Connection::log_in(config))).await {
            Ok(result) => result?,
            Err(_) => {
                return Err(Error::Timeout {
                    address: config.address(),
                    what: "Connecting and logging in",
                    limit_ms: config.connect_timeout_ms,
                });
            }
        };
        session::settle(&mut connection).await?;
        Ok(connection)
    }
}
