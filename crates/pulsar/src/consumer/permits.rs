//! How many messages the broker may send ahead: bounded in count by the option, in bytes by the mean size of messages.
//!
//! Pulsar's permits count messages. Large messages would fill the memory long before a queue of a thousand is full, so
//! the window starts small and then follows the mean size of the messages that came.

/// Permits before the size of messages is known.
const FIRST_WINDOW: u32 = 64;

#[derive(Debug)]
pub(super) struct Permits {
    max_messages: u32,
    max_bytes: u64,
    /// Permits that were granted, less those that were used before the last FLOW.
    window: u32,
    /// Messages taken or dropped since the last FLOW.
    used: u32,
    /// Mean bytes of a message, 0 before the first.
    mean_bytes: u64,
}

impl Permits {
    pub(super) fn new(max_messages: u32, max_bytes: usize) -> Self {
        let max_messages = max_messages.max(1);
        let window = max_messages.min(FIRST_WINDOW);
        Self { max_messages, max_bytes: max_bytes as u64, window, used: 0, mean_bytes: 0 }
    }

    /// Begins a session, in which nothing is granted yet. Returns the permits to grant.
    pub(super) fn restart(&mut self) -> u32 {
        self.window = self.target();
        self.used = 0;
        self.window
    }

    /// Takes note of arrived messages and their bytes.
    pub(super) fn on_arrival(&mut self, bytes: usize, messages: u32) {
        let each = bytes as u64 / u64::from(messages.max(1));
        self.mean_bytes = if self.mean_bytes == 0 { each } else { (self.mean_bytes * 7 + each) / 8 };
    }

    /// Returns the permits that were granted, less those that were used before the last FLOW.
    pub(super) fn window(&self) -> u32 {
        self.window
    }

    /// Takes note of messages that the caller took, or that were dropped.
    pub(super) fn on_used(&mut self, messages: u32) {
        self.used = self.used.saturating_add(messages);
    }

    /// Returns the permits to grant once half of the window is used, or `None`.
    pub(super) fn due(&self) -> Option<u32> {
        if self.used < self.window.div_ceil(2) {
            return None;
        }
        let grant = i64::from(self.used) + i64::from(self.target()) - i64::from(self.window);
        // When the window shrinks, nothing is granted until enough permits are used up.
        u32::try_from(grant).ok().filter(|grant| *grant > 0)
    }

    /// Takes note that the permits that [`Permits::due`] returned were granted.
    pub(super) fn on_granted(&mut self, permits: u32) {
        self.window = (self.window.saturating_sub(self.used)).saturating_add(permits);
        self.used = 0;
    }

    fn target(&self) -> u32 {
        if self.mean_bytes == 0 {
            return self.window;
        }
        u32::try_from(self.max_bytes / self.mean_bytes).unwrap_or(u32::MAX).clamp(1, self.max_messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes messages of one size until the window has settled and returns it.
    fn settled(bytes: usize) -> u32 {
        let mut permits = Permits::new(1000, 1_000_000);
        let mut out = i64::from(permits.restart());
        for _ in 0..10_000 {
            assert!(out > 0, "nothing may come any more");
            out -= 1;
            permits.on_arrival(bytes, 1);
            permits.on_used(1);
            if let Some(grant) = permits.due() {
                permits.on_granted(grant);
                out += i64::from(grant);
            }
        }
        permits.window
    }

    #[test]
    fn the_window_follows_the_size_of_messages() {
        assert_eq!(settled(100), 1000);
        assert_eq!(settled(10_000), 100);
        assert_eq!(settled(5_000_000), 1);
    }

    #[test]
    fn the_first_window_is_small_and_half_used_is_refilled() {
        let mut permits = Permits::new(1000, 1_000_000);
        assert_eq!(permits.restart(), FIRST_WINDOW);
        permits.on_used(FIRST_WINDOW / 2 - 1);
        assert_eq!(permits.due(), None);
        permits.on_used(1);
        assert_eq!(permits.due(), Some(FIRST_WINDOW / 2));
        assert_eq!(Permits::new(0, 0).restart(), 1);
    }
}
