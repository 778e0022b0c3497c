//! State of one connected consumer.

use std::collections::BTreeMap;

use crate::meter::{Meter, Rates};

/// Identifies a connected consumer inside the broker; never reused while the broker runs.
pub(crate) type ConsumerKey = u64;

/// How a Key_Shared consumer gets its share of the hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum KeySharedMode {
    /// The broker splits the hashes.
    #[default]
    AutoSplit,
    /// The client names its ranges, both ends inclusive.
    Sticky(Vec<(u32, u32)>),
}

/// What a consumer asked for when it subscribed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsumerSpec {
    /// Consumer name, given or generated.
    pub name: String,
    /// Lower is served first.
    pub priority: i32,
    /// Echoed in every message so that the client can drop what was sent before its last rewind.
    pub epoch: u64,
    /// Share of hashes on a Key_Shared subscription.
    pub key_shared: KeySharedMode,
    /// Whether entries of a key may reach a new owner before the old one has acknowledged its own.
    pub out_of_order: bool,
}

/// An entry that a consumer holds unacknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    /// Messages of it that are unacknowledged.
    pub messages: u32,
    /// Sticky hash on Key_Shared subscriptions, otherwise 0.
    pub hash: u16,
}

/// A connected consumer.
#[derive(Debug)]
pub(crate) struct ConsumerState {
    pub(super) key: ConsumerKey,
    pub(super) spec: ConsumerSpec,
    pub(super) permits: i64,
    pub(super) unacked: u64,
    pub(super) blocked: bool,
    pub(super) writable: bool,
    pub(super) pending: BTreeMap<u64, Pending>,
    pub(super) message_count: u64,
    pub(super) bytes: u64,
    pub(super) meter: Meter,
}

impl ConsumerState {
    pub(super) fn new(key: ConsumerKey, spec: ConsumerSpec) -> Self {
        Self {
            key,
            spec,
            permits: 0,
            unacked: 0,
            blocked: false,
            writable: true,
            pending: BTreeMap::new(),
            message_count: 0,
            bytes: 0,
            meter: Meter::default(),
        }
    }

    /// Returns the consumer's key.
    pub(crate) fn key(&self) -> ConsumerKey {
        self.key
    }

    /// Returns what the consumer asked for.
    pub(crate) fn spec(&self) -> &ConsumerSpec {
        &self.spec
    }

    /// Returns the messages that the consumer may still be sent; negative after a batch larger than the rest.
    pub(crate) fn permits(&self) -> i64 {
        self.permits
    }

    /// Returns the messages sent and not acknowledged (Shared and Key_Shared).
    pub(crate) fn unacked(&self) -> u64 {
        self.unacked
    }

    /// Returns whether the consumer waits because of too many unacknowledged messages.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Returns the messages sent so far.
    pub(crate) fn message_count(&self) -> u64 {
        self.message_count
    }

    /// Returns the rates of the last seconds.
    pub(crate) fn rates(&self) -> Rates {
        self.meter.rates()
    }

    /// Returns the bytes sent so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn can_receive(&self) -> bool {
        self.permits > 0 && self.writable && !self.blocked
    }
}
