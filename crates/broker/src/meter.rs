//! Computes rates from counters that only grow.

/// Shortest time between two samples.
const WINDOW_MS: u64 = 5_000;

/// Messages and bytes per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    /// Messages per second.
    pub messages: f64,
    /// Bytes per second.
    pub bytes: f64,
}

/// Holds the last sample of two counters, and how fast they grew over the last window.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meter {
    at_ms: u64,
    messages: u64,
    bytes: u64,
    rates: Rates,
}

impl Meter {
    /// Takes the values of the counters, and computes new rates if a window is over.
    pub(crate) fn sample(&mut self, now_ms: u64, messages: u64, bytes: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.at_ms);
        if elapsed_ms < WINDOW_MS {
            return;
        }
        let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 * 1_000.0 / elapsed_ms as f64;
        if self.at_ms > 0 {
            self.rates = Rates { messages: per_second(messages, self.messages), bytes: per_second(bytes, self.bytes) };
        }
        (self.at_ms, self.messages, self.bytes) = (now_ms, messages, bytes);
    }

    /// Returns the rates of the last complete window.
    pub(crate) fn rates(&self) -> Rates {
        self.rates
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_window() {
        let mut meter = Meter::default();
        meter.sample(10_000, 100, 1_000);
        assert_eq!(meter.rates(), Rates::default());
        meter.sample(12_000, 900, 9_000);
        assert_eq!(meter.rates(), Rates::default(), "the window is not over");
        meter.sample(20_000, 1_100, 11_000);
        assert_eq!(meter.rates(), Rates { messages: 100.0, bytes: 1_000.0 });
        meter.sample(30_000, 1_100, 11_000);
        assert_eq!(meter.rates(), Rates::default());
    }
}
