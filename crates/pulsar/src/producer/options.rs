//! How a producer is opened, and when a batch is full.

use std::time::Duration;

use bitacora_pulsar_wire::proto::{ProducerAccessMode, Schema};
use bitacora_pulsar_wire::{BatchBuilder, Codec, TopicName};

use super::budget::PendingBudget;
use super::chunks::Chunking;

/// How a producer is opened.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// A topic without partitions, or one partition.
    pub topic: TopicName,
    /// Stable name, the key of the broker's deduplication; the broker invents one when there is none.
    pub name: Option<String>,
    /// Who else may produce.
    pub access_mode: ProducerAccessMode,
    /// How long opening waits while another producer holds the topic or the name; `None` is the client's operation
    /// timeout.
    pub held_timeout: Option<Duration>,
    /// Registered when the producer opens; its version is stamped on each entry.
    pub schema: Option<Schema>,
    /// Codec of [`Producer::send`](crate::Producer::send); batches built elsewhere have their own.
    pub codec: Codec,
    /// Bytes of entries that may wait for their receipt.
    pub max_pending_bytes: usize,
    /// A bound shared with other producers, instead of one of its own.
    pub shared_budget: Option<PendingBudget>,
    /// What becomes of a message above the broker's limit.
    pub chunking: Chunking,
    /// Shown by the broker's statistics.
    pub properties: Vec<(String, String)>,
}

impl ProducerOptions {
    /// Creates options with the defaults of Pulsar's connectors: shared access, LZ4.
    pub fn new(topic: TopicName) -> Self {
        Self {
            topic,
            name: None,
            access_mode: ProducerAccessMode::Shared,
            held_timeout: None,
            schema: None,
            codec: Codec::Lz4,
            max_pending_bytes: 64 * 1024 * 1024,
            shared_budget: None,
            chunking: Chunking::default(),
            properties: Vec::new(),
        }
    }
}

/// Limits of a batch, those of Pulsar's connectors by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Messages in a batch.
    pub max_messages: u32,
    /// Bytes of a batch before compression.
    pub max_bytes: usize,
    /// How long the first message of a batch waits for others.
    pub linger_ms: u64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { max_messages: 1000, max_bytes: 128 * 1024, linger_ms: 10 }
    }
}

impl BatchLimits {
    /// Returns whether a batch must be finished before the next message of `next_bytes`.
    pub fn is_full(&self, batch: &BatchBuilder, next_bytes: usize) -> bool {
        !batch.is_empty()
            && (batch.message_count() >= self.max_messages || batch.body_bytes() + next_bytes > self.max_bytes)
    }
}
