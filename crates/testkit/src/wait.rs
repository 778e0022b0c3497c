//! Waits for a state instead of sleeping.

use std::time::{Duration, Instant};

/// Calls `state` until it returns a value, and returns that value. Panics with `what` after `deadline`.
///
/// The pause between two calls grows from 1 ms to 50 ms.
pub fn wait_until<T>(what: &str, deadline: Duration, mut state: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(value) = state() {
            return value;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for: {what}");
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_first_value() {
        let mut looks = 0;
        let value = wait_until("three looks", Duration::from_secs(5), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(value, 3);
    }

    #[test]
    #[should_panic(expected = "in vain for: nothing")]
    fn gives_up_at_the_deadline() {
        wait_until("nothing", Duration::from_millis(5), || None::<()>);
    }
}
