//! The system's clock in the units that checkpoints and events use.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(super) fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    now_ns() / 1_000_000
}

/// Nanoseconds since 1970, where the ids of a base begin. So ids in a topic rise from base to base, as far as the clock
/// is right.
pub(super) fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
