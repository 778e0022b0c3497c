//! How long to wait before something is tried again: pauses that double up to a bound.
//!
//! Jitter shortens a pause by a random part of it, so that many clients that lost the same server do not all come back
//! in the same moment. The random number comes from the caller, and the caller sleeps: nothing here knows the time.

use std::time::Duration;

/// Returns the pause after `failures` failures in a row: `first` after one, doubled with each further one, never more
/// than `longest`.
pub fn pause(first: Duration, longest: Duration, failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

/// The failures since the last success, and the pause that follows from them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    jitter: f64,
    failures: u32,
}

impl Backoff {
    /// Creates a back-off without failures and without jitter.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, jitter: 0.0, failures: 0 }
    }

    /// Sets the largest part of a pause, from 0 to 1, by which jitter shortens it.
    #[must_use]
    pub fn with_jitter(self, part: f64) -> Self {
        Self { jitter: part.clamp(0.0, 1.0), ..self }
    }

    /// Returns the number of failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes note of a success: the next pause is the first one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Takes note of a failure and returns the pause before the next try. `random` is a number from 0 to 1; with 1 the
    /// pause has its full length.
    pub fn next_pause(&mut self, random: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let full = pause(self.first, self.longest, self.failures);
        full.mul_f64(1.0 - self.jitter * (1.0 - random.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn pauses_double_up_to_the_longest_until_a_success() {
        let mut backoff = Backoff::new(ms(100), ms(1_000));
        let pauses: Vec<_> = (0..6).map(|_| backoff.next_pause(1.0)).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_000, 1_000].map(ms));
        assert_eq!(backoff.failures(), 6);
        backoff.reset();
        assert_eq!(backoff.next_pause(1.0), ms(100));
    }

    #[test]
    fn jitter_shortens_a_pause_by_its_part_at_most() {
        let next = |random| Backoff::new(ms(100), ms(1_000)).with_jitter(0.2).next_pause(random);
        assert_eq!([next(0.0), next(0.5), next(1.0), next(7.0)], [80, 90, 100, 100].map(ms));
    }

    #[test]
    fn many_failures_do_not_overflow() {
        assert_eq!(pause(ms(1), ms(30_000), u32::MAX), ms(30_000));
        assert_eq!(pause(Duration::MAX, Duration::MAX, 40), Duration::MAX);
        assert_eq!(pause(ms(100), ms(1_000), 0), ms(100), "no failure yet");
    }
}
