//! Seeded choices of a chaos test: when something happens, and what.

#![allow(dead_code)] // each test file uses a part of it

use std::time::Duration;

/// Reads a whole number from the environment.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a whole number"))
}

/// A linear congruential generator. A seed gives the same choices in every version of every library.
pub(crate) struct Moments(u64);

impl Moments {
    /// Creates the choices of one kind of test from `BITACORA_CHAOS_SEED`.
    pub(crate) fn new(kind: u64) -> Moments {
        let seed = setting("BITACORA_CHAOS_SEED", 1);
        println!("chaos: seed {seed}");
        Moments(seed.wrapping_mul(31).wrapping_add(kind))
    }

    /// Returns a time below the limit.
    pub(crate) fn within(&mut self, limit_ms: u64) -> Duration {
        Duration::from_millis(self.below(limit_ms))
    }

    /// Returns one of the items; all are equally likely.
    pub(crate) fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.below(items.len() as u64);
        &items[usize::try_from(index).expect("an index")]
    }

    /// Returns true in one of `count` cases on average.
    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
