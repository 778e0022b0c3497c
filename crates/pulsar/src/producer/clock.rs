//! The time that messages are stamped with.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns now, milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
