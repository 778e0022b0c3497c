//! Waiting times between attempts. They double, with jitter, so that many clients do not return at the same moment.

use std::time::Duration;

use rand::Rng;

/// Grows to `max`.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { max, next: first }
    }

    /// Returns the next waiting time: between 80 and 100 % of the current step.
    pub(crate) fn next_delay(&mut self, random: &mut impl Rng) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.max);
        step.mul_f64(random.gen_range(0.8..=1.0))
    }

    pub(crate) async fn wait(&mut self) {
        let delay = self.next_delay(&mut rand::thread_rng());
        tokio::time::sleep(delay).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(1000));
        let mut random = rand::rngs::mock::StepRng::new(u64::MAX, 0);
        let delays: Vec<_> = std::iter::repeat_with(|| backoff.next_delay(&mut random).as_millis()).take(6).collect();
        for (delay, step) in delays.iter().zip([100, 200, 400, 800, 1000, 1000]) {
            assert!((step * 8 / 10..=step).contains(delay), "{delays:?}");
        }
    }
}
