//! Sends several statements in one packet, for what must happen on the server in one moment.
//!
//! Neither the network nor this process comes between two statements of a batch. A lock that is taken and released
//! within one batch is held only as long as the server needs, even if this process stalls or its machine fails.

use std::time::Duration;

use super::state::{Batches, Connection};
use super::statement::shortened;
use crate::Error;
use crate::wire::Table;

impl Connection {
    /// Runs statements in their order, in one packet if the other end accepts that, and returns a result for each.
    ///
    /// # Errors
    /// [`Error::Server`] for the first statement that the server refuses; the server does not run those after it.
    pub async fn query_batch(&mut self, statements: &[&str]) -> Result<Vec<Table>, Error> {
        let limit_ms = self.query_timeout_ms;
        match tokio::time::timeout(Duration::from_millis(limit_ms), self.batch(statements)).await {
            Ok(results) => results,
            Err(_) => Err(Error::Timeout {
                address: self.address.clone(),
                what: "The answer to several statements",
                limit_ms,
            }),
        }
    }

    async fn batch(&mut self, statements: &[&str]) -> Result<Vec<Table>, Error> {
        self.ask_for_batches().await?;
        let mut results = Vec::with_capacity(statements.len());
        if self.batches == Batches::Refused {
            for statement in statements {
                results.push(self.query_unlimited(statement).await?);
            }
            return Ok(results);
        }
        self.send_statement(&statements.join("; ")).await?;
        for statement in statements {
            let columns = self.result_columns(&shortened(statement)).await?;
            results.push(self.collect(columns).await?);
        }
        Ok(results)
    }

    async fn ask_for_batches(&mut self) -> Result<(), Error> {
        /// `COM_SET_OPTION` with `MYSQL_OPTION_MULTI_STATEMENTS_ON`.
        const SEVERAL_STATEMENTS: [u8; 3] = [0x1b, 0, 0];
        if self.batches == Batches::Unknown {
            self.command(&SEVERAL_STATEMENTS, "asking for several statements in one packet").await?;
            self.batches = match self.acknowledged("several statements in one packet").await {
                Ok(()) => Batches::Taken,
                Err(Error::Server { .. }) => Batches::Refused,
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }
}
