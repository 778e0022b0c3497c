//! State of one connected consumer.

use std::collections::BTreeMap;

use crate::meter::{Meter, Rates};

/// Identifies a connected consumer inside the broker; never reused while the broker runs.
pub(crate) type ConsumerKey = u64;

/// How the share of the hashes of a Key_Shared consumer is determined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum KeySharedMode {
    /// The broker divides the hashes among the consumers.
    #[default]
    AutoSplit,
    /// The client names its ranges; both ends are inclusive.
    Sticky(Vec<(u32, u32)>),
}

/// What a consumer requested when it subscribed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsumerSpec {
    /// Consumer name, given or generated.
    pub name: String,
    /// Consumers of a lower number are served first.
    pub priority: i32,
    /// Sent back with every message, so that the client can drop messages that were sent before its last rewind.
    pub epoch: u64,
    /// Its share of the hashes of a Key_Shared subscription.
    pub key_shared: KeySharedMode,
    /// Whether entries of a key may be sent to a new owner before the former owner has acknowledged its entries.
    pub out_of_order: bool,
}

/// An entry that was sent to a consumer and is not acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    /// Number of its messages that are unacknowledged.
    pub messages: u32,
    /// Sticky hash of its key if the subscription is Key_Shared, otherwise 0.
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

    /// Returns what the consumer requested.
    pub(crate) fn spec(&self) -> &ConsumerSpec {
        &self.spec
    }

    /// Returns how many messages may still be sent to the consumer. It is negative after a batch that was larger than
    /// the permits that were left.
    pub(crate) fn permits(&self) -> i64 {
        self.permits
    }

    /// Returns the number of messages that were sent and are not acknowledged (Shared and Key_Shared).
    pub(crate) fn unacked(&self) -> u64 {
        self.unacked
    }

    /// Returns whether the consumer gets no messages because it has too many unacknowledged ones.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Returns the number of messages sent so far.
    pub(crate) fn message_count(&self) -> u64 {
        self.message_count
    }

    /// Returns the rates over the last seconds.
    pub(crate) fn rates(&self) -> Rates {
        self.meter.rates()
    }

    /// Returns the number of bytes sent so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn can_receive(&self) -> bool {
        self.permits > 0 && self.writable && !self.blocked
    }
}
