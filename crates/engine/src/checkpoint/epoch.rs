//! What tells one base of a source from every other.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of a base: random, so that no two engines ever have the same one, however often their folders are copied back
/// or emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Epoch(u64);

impl Epoch {
    /// Returns an epoch that no base has yet.
    pub(crate) fn random() -> Epoch {
        Epoch(rand::random())
    }

    /// Returns the epoch with this number.
    pub(crate) fn from_number(number: u64) -> Epoch {
        Epoch(number)
    }

    /// Returns the number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
