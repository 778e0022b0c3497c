//! Subscriptions: what is acknowledged, and which consumer gets which entry next.
//!
//! This module does no input or output: entries, acknowledgements, permits and the time are arguments; deliveries and
//! changes of the active consumer are results. The shell that reads the log and writes to connections is the dispatch
//! task of [`crate::topic`].
//!
//! Life cycle of an entry: *unread* (at or above the read offset) → *pending* at a consumer → acknowledged, or *replay*
//! if the consumer requests it again or leaves. Exclusive and Failover have no pending entries: they rewind.

mod ack_set;
mod consumer;
mod cursor;
mod delivery;
mod dispatcher;
mod key_hash;
mod range_set;

pub(crate) use ack_set::AckSet;
pub(crate) use consumer::{ConsumerKey, ConsumerSpec, KeySharedMode};
pub(crate) use cursor::Cursor;
pub(crate) use delivery::{ChunkPart, EntryView, Plan, PlanLimits};
pub use dispatcher::Limits;
pub(crate) use dispatcher::{ActiveChange, AddError, Dispatcher};
pub(crate) use key_hash::{HASH_RANGE, sticky_hash};

/// How a subscription shares its entries among consumers (`CommandSubscribe.SubType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SubscriptionKind {
    /// Only one consumer may be connected.
    Exclusive,
    /// Entries go to all consumers in turn.
    Shared,
    /// One consumer is active; the others wait.
    Failover,
    /// All entries of a key go to one consumer.
    KeyShared,
}

impl SubscriptionKind {
    /// Reads the number of the wire.
    pub(crate) fn from_wire(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Exclusive),
            1 => Some(Self::Shared),
            2 => Some(Self::Failover),
            3 => Some(Self::KeyShared),
            _ => None,
        }
    }

    /// Returns the name that the admin REST prints.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exclusive => "Exclusive",
            Self::Shared => "Shared",
            Self::Failover => "Failover",
            Self::KeyShared => "Key_Shared",
        }
    }

    /// Returns whether one consumer at a time receives all entries.
    pub(crate) fn is_single_active(self) -> bool {
        matches!(self, Self::Exclusive | Self::Failover)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests;
