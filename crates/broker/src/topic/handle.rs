//! What a topic knows about a connected producer or consumer.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bitacora_pulsar_wire::{
    Command,
    proto::{CommandError, CommandProducerSuccess, ServerError},
};

use super::producers::{AccessMode, ProducerKey};
use crate::{
    meter::{Meter, Rates},
    peer::Connection,
    subscription::ConsumerKey,
};

/// The state of a producer that was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may publish. The topic epoch, if it has one, must be durable before that.
    Ready {
        /// Topic epoch; set in the exclusive modes.
        topic_epoch: Option<u64>,
        /// Last sequence id of its name; −1 if none is known.
        last_sequence_id: i64,
    },
    /// It waits for its turn.
    Waiting,
}

/// A producer on a connection.
#[derive(Debug)]
pub(crate) struct ProducerHandle {
    /// Key inside the broker.
    pub key: ProducerKey,
    /// Id on the connection.
    pub producer_id: u64,
    /// Name, given or generated.
    pub name: String,
    /// Whether the user gave the name. If there is no policy, only messages of such producers are deduplicated.
    pub is_named_by_user: bool,
    /// Access mode.
    pub mode: AccessMode,
    /// Request id of its PRODUCER command. A waiting producer gets a second answer with the same id.
    pub request_id: u64,
    /// Schema version that was sent to the client: 8 bytes big-endian, or empty.
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

impl ProducerHandle {
    /// Answers PRODUCER. A waiting producer gets a second answer with the same request id when its turn comes.
    pub(crate) fn answer(&self, standing: Standing) {
        let (is_ready, topic_epoch, last_sequence_id) = match standing {
            Standing::Ready { topic_epoch, last_sequence_id } => (true, topic_epoch, last_sequence_id),
            Standing::Waiting => (false, None, -1),
        };
        self.connection.outbound.push(Command::from(CommandProducerSuccess {
            request_id: self.request_id,
            producer_name: self.name.clone(),
            last_sequence_id: Some(last_sequence_id),
            schema_version: Some(self.schema_version.clone()),
            topic_epoch,
            producer_ready: Some(is_ready),
        }));
    }

    /// Refuses a waiting producer because another one took over the topic.
    pub(super) fn refuse(&self, message: &str) {
        let answer = CommandError {
            request_id: self.request_id,
            error: ServerError::ProducerFenced as i32,
            message: message.to_owned(),
        };
        self.connection.refuse_producer(self.producer_id, answer);
    }
}

/// A consumer on a connection.
#[derive(Debug)]
pub(crate) struct ConsumerHandle {
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

/// Counts messages and bytes since the broker's start.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    messages: AtomicU64,
    bytes: AtomicU64,
    meter: Mutex<Meter>,
}

impl Counter {
    /// Adds one entry.
    pub(crate) fn add(&self, messages: u64, bytes: u64) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Samples the rates. The caller does this once a second.
    pub(crate) fn sample(&self, now_ms: u64) {
        let (messages, bytes) = (self.messages(), self.bytes());
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).sample(now_ms, messages, bytes);
    }

    /// Returns the rates over the last seconds.
    pub(crate) fn rates(&self) -> Rates {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).rates()
    }

    /// Returns the number of messages.
    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
