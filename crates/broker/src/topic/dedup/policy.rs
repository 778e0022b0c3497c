//! Whose messages are deduplicated.

use crate::{config::Deduplication, topic::handle::ProducerHandle};

/// Whose messages a topic deduplicates, policy and default taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeduplicationPolicy {
    /// Every producer's (policy `true`).
    All,
    /// Those of producers that gave their own name (no policy, broker default).
    NamedProducers,
    /// Nobody's.
    Off,
}

impl DeduplicationPolicy {
    /// Joins a namespace's policy with the broker's default.
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
