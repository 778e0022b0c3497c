//! A stream that connects again by itself after its connection broke.

use std::time::Duration;

use rand::Rng;

use super::{Client, EventChunk, ReplicaOptions, StreamState};
use crate::identity::server_identity;
use crate::wire::Connection;
use crate::{Error, ErrorClass, Position, ServerConfig};

/// Longest time for ending the stream at the server; the process waits for it at its end.
const LEAVE: Duration = Duration::from_secs(2);

/// Pauses between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffOptions {
    /// Pause after the first failure.
    pub first_ms: u64,
    /// Longest pause.
    pub longest_ms: u64,
    /// Failed attempts after which the caller gets the error; `None` tries for ever.
    pub attempts: Option<u32>,
}

impl Default for BackoffOptions {
    fn default() -> BackoffOptions {
        BackoffOptions { first_ms: 100, longest_ms: 30_000, attempts: None }
    }
}

/// Pauses that double, each shortened at random by up to a half, and a bound on the attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    pauses: bitacora_backoff::Backoff,
    attempts: Option<u32>,
}

impl Backoff {
    /// Creates a backoff without failures.
    pub fn new(options: BackoffOptions) -> Backoff {
        let BackoffOptions { first_ms, longest_ms, attempts } = options;
        let [first, longest] = [first_ms, longest_ms].map(Duration::from_millis);
        Backoff { pauses: bitacora_backoff::Backoff::new(first, longest).with_jitter(0.5), attempts }
    }

    /// Returns the number of failures since the last success.
    pub fn failures(&self) -> u32 {
        self.pauses.failures()
    }

    /// Records a success.
    pub fn reset(&mut self) {
        self.pauses.reset();
    }

    /// Records a failure and returns the pause before the next attempt; `None` if no attempt is left.
    ///
    /// `random` is a number from 0 to 1; the pause is between half and all of the doubled value.
    pub fn next_pause_ms(&mut self, random: f64) -> Option<u64> {
        let pause = self.pauses.next_pause(random);
        if self.attempts.is_some_and(|attempts| self.failures() > attempts) {
            return None;
        }
        Some(u64::try_from(pause.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1))
    }
}

/// Result of [`Reconnecting::read_events`].
#[derive(Debug)]
pub enum Progress {
    /// Events that follow those of the last read.
    Events,
    /// The stream starts again after the given position: the caller must drop its decoder's state and the open
    /// transaction.
    Restarted,
    /// The connection broke or was not established; the next call tries again after the pause.
    Waiting {
        /// Cause.
        error: Error,
        /// Pause before the next attempt.
        pause_ms: u64,
    },
    /// The log is at its end.
    End,
}

/// The state machine around [`Client`]: connected, or waiting for the next attempt.
#[derive(Debug)]
pub struct Reconnecting {
    config: ServerConfig,
    options: ReplicaOptions,
    backoff: Backoff,
    client: Option<Client>,
    pause_ms: u64,
}

impl Reconnecting {
    /// Creates a stream that connects at the first read.
    pub fn new(config: ServerConfig, options: ReplicaOptions, backoff: BackoffOptions) -> Reconnecting {
        Reconnecting { config, options, backoff: Backoff::new(backoff), client: None, pause_ms: 0 }
    }

    /// Returns the client if it is connected.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// Reads events, or connects if the stream has no connection. A new connection starts after `position`, the end of
    /// the last transaction that the caller has processed completely.
    ///
    /// # Errors
    /// Errors that another attempt cannot cure, and the last error if no attempt is left.
    pub async fn read_events(&mut self, chunk: &mut EventChunk, position: &Position) -> Result<Progress, Error> {
        let failed = match &mut self.client {
            Some(client) => match client.read_events(chunk).await {
                Ok(StreamState::Events) => {
                    self.backoff.reset();
                    return Ok(Progress::Events);
                }
                Ok(StreamState::End) => return Ok(Progress::End),
                Err(error) => error,
            },
            None => {
                if self.pause_ms > 0 {
                    tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
                    self.pause_ms = 0;
                }
                match self.connect(position).await {
                    Ok(client) => {
                        self.client = Some(client);
                        return Ok(Progress::Restarted);
                    }
                    Err(error) => error,
                }
            }
        };
        self.client = None;
        if failed.class() != ErrorClass::Retry {
            return Err(failed);
        }
        match self.backoff.next_pause_ms(rand::thread_rng().r#gen()) {
            Some(pause_ms) => {
                self.pause_ms = pause_ms;
                tracing::warn!(server = %self.config.address(), pause_ms,
                    "replication stream: {failed}; {}", failed.remedy());
                Ok(Progress::Waiting { error: failed, pause_ms })
            }
            None => Err(failed),
        }
    }

    /// Drops the connection; the next read connects again after `pause_ms`.
    pub fn disconnect(&mut self, pause_ms: u64) {
        self.client = None;
        self.pause_ms = pause_ms;
    }

    /// Ends the stream at the server too. Otherwise the server would notice the end only at its next send, and until
    /// then it would list the replica id as in use. A failure is ignored, because the server then notices by itself.
    pub async fn leave(self) {
        let Some(client) = self.client else { return };
        let told = async {
            let mut connection = Connection::open(&self.config).await?;
            // After a failover the address may lead to another server, where this number belongs to another client's
            // connection.
            if server_identity(&mut connection).await? == client.server() {
                connection.execute(&format!("KILL {}", client.connection_id())).await?;
            }
            Ok::<(), Error>(())
        };
        match tokio::time::timeout(LEAVE, told).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(server = %self.config.address(), "the stream was not ended at the server: {error}");
            }
            Err(_) => {
                tracing::debug!(server = %self.config.address(), "the stream was not ended at the server in time");
            }
        }
    }

    async fn connect(&self, position: &Position) -> Result<Client, Error> {
        let mut client = Client::connect(&self.config, self.options.clone()).await?;
        client.dump(position).await?;
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(BackoffOptions { first_ms: 100, longest_ms: 1_000, attempts: Some(6) });
        let pauses: Vec<_> = (0..7).map(|_| backoff.next_pause_ms(1.0)).collect();
        assert_eq!(pauses, [Some(100), Some(200), Some(400), Some(800), Some(1000), Some(1000), None]);
        backoff.reset();
        assert_eq!(backoff.next_pause_ms(0.0), Some(50));
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut backoff = Backoff::new(BackoffOptions::default());
        for _ in 0..200 {
            assert!(backoff.next_pause_ms(0.5).is_some_and(|pause| (50..=30_000).contains(&pause)));
        }
    }
}
