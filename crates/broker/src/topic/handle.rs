//! What a topic knows of a connected producer or consumer.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    meter::{Meter, Rates},
    session::Connection,
    subscription::ConsumerKey,
    topic::{AccessMode, ProducerKey},
};

/// A producer on a connection.
#[derive(Debug)]
pub struct ProducerHandle {
    /// Key inside the broker.
    pub key: ProducerKey,
    /// Id on the connection.
    pub producer_id: u64,
    /// Name, given or generated.
    pub name: String,
    /// Whether its messages are deduplicated where the policy leaves it to the default.
    pub is_named_by_user: bool,
    /// Access mode.
    pub mode: AccessMode,
    /// PRODUCER's request id; a waiting producer is answered a second time under it.
    pub request_id: u64,
    /// Schema version told to the client, 8 bytes big-endian, or empty.
    pub schema_version: bytes::Bytes,
    /// Metadata of the client, for stats.
    pub metadata: Vec<(String, String)>,
    /// Its connection.
    pub connection: Arc<Connection>,
    /// When it connected (ms since the epoch).
    pub connected_since_ms: u64,
    /// What it published.
    pub published: Counter,
}

/// A consumer on a connection.
#[derive(Debug)]
pub struct ConsumerHandle {
    /// Key inside the broker.
    pub key: ConsumerKey,
    /// Id on the connection.
    pub consumer_id: u64,
    /// Name, given or generated.
    pub name: String,
    /// Metadata of the client, for stats.
    pub metadata: Vec<(String, String)>,
    /// Its connection.
    pub connection: Arc<Connection>,
    /// When it connected (ms since the epoch).
    pub connected_since_ms: u64,
}

/// Messages and bytes since the start.
#[derive(Debug, Default)]
pub struct Counter {
    messages: AtomicU64,
    bytes: AtomicU64,
    meter: Mutex<Meter>,
}

impl Counter {
    /// Adds one entry.
    pub fn add(&self, messages: u64, bytes: u64) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Lets the rates follow; called once a second.
    pub fn sample(&self, now_ms: u64) {
        let (messages, bytes) = (self.messages(), self.bytes());
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).sample(now_ms, messages, bytes);
    }

    /// Gives the rates of the last seconds.
    pub fn rates(&self) -> Rates {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).rates()
    }

    /// Gives the messages.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Gives the bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
