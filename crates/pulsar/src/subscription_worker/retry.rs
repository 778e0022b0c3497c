//! How often and when a message is tried again.

use std::time::Duration;

/// How often a message is tried, and how long it waits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Failed tries after which a message is a dead letter, at least 1.
    pub tries: u32,
    /// Waiting time after the first failure; doubles with each further one.
    pub first_wait: Duration,
    /// Longest waiting time.
    pub max_wait: Duration,
}

impl Default for RetryPolicy {
    /// Ten tries, from one second to a minute: about four minutes in all.
    fn default() -> Self {
        Self { tries: 10, first_wait: Duration::from_secs(1), max_wait: Duration::from_secs(60) }
    }
}

impl RetryPolicy {
    /// Returns the waiting time after this many failures.
    pub fn wait(&self, failures: u32) -> Duration {
        bitacora_backoff::pause(self.first_wait, self.max_wait, failures)
    }
}

#[cfg(test)]
mod tests {
    use super::RetryPolicy;

    #[test]
    fn waiting_times_double_up_to_the_longest() {
        let retry = RetryPolicy::default();
        let seconds: Vec<_> = (0..9).map(|failures| retry.wait(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(retry.wait(u32::MAX), retry.max_wait);
    }
}
