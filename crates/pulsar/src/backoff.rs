//! Waiting times between attempts. They double, with jitter, so that many clients do not return at the same moment.

use std::time::Duration;

/// Jitter of up to a fifth of the pause.
const JITTER: f64 = 0.2;

/// Pauses that it sleeps itself.
#[derive(Debug)]
pub(crate) struct Backoff(bitacora_backoff::Backoff);

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self(bitacora_backoff::Backoff::new(first, longest).with_jitter(JITTER))
    }

    /// Sleeps for the next pause.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.0.next_pause(rand::random())).await;
    }
}
