//! What a topic knows of a connected producer or consumer.

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

/// Where a producer stands that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may publish as soon as the epoch, if there is one, is durable.
    Ready {
        /// Topic epoch of the exclusive modes.
        topic_epoch: Option<u64>,
        /// Last sequence id of its name; −1 if unknown.
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

impl ProducerHandle {
    /// Answers PRODUCER. A producer that waits gets a second answer under the same request id when its turn has come.
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

    /// Refuses a producer that waits, because another one took the topic over.
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

/// Messages and bytes since the start.
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

    /// Samples the rates; called once a second.
    pub(crate) fn sample(&self, now_ms: u64) {
        let (messages, bytes) = (self.messages(), self.bytes());
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).sample(now_ms, messages, bytes);
    }

    /// Returns the rates of the last seconds.
    pub(crate) fn rates(&self) -> Rates {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).rates()
    }

    /// Returns the messages.
    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
