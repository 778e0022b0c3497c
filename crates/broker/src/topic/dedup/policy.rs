//! Which producers' messages are deduplicated.

use crate::{config::Deduplication, topic::handle::ProducerHandle};

/// Which producers' messages a topic deduplicates, by the namespace's policy and the broker's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeduplicationPolicy {
    /// Those of every producer (policy `true`).
    All,
    /// Those of producers that gave their own name (no policy, broker default).
    NamedProducers,
    /// Those of no producer.
    Off,
}

impl DeduplicationPolicy {
    /// Returns what follows from a namespace's policy and the broker's default.
    pub(crate) fn resolve(policy: Option<bool>, default: Deduplication) -> Self {
        match (policy, default) {
            (Some(true), _) => Self::All,
            (Some(false), _) | (None, Deduplication::Off) => Self::Off,
            (None, Deduplication::NamedProducers) => Self::NamedProducers,
        }
    }

    /// Returns whether the messages of a producer are deduplicated.
    pub(crate) fn covers(self, producer: &ProducerHandle) -> bool {
        match self {
            Self::All => true,
            Self::NamedProducers => producer.is_named_by_user,
            Self::Off => false,
        }
    }
}
