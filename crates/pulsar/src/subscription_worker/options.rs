//! What is consumed and how.

use std::time::Duration;

use bitacora_pulsar_wire::TopicName;
use bitacora_pulsar_wire::proto::InitialPosition;

use super::dead_letter::DeadLetterProperties;
use super::retry::RetryPolicy;
use crate::error::Error;

/// A durable Shared subscription and its bounds.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The topic, without partitions.
    pub topic: TopicName,
    /// Name of the subscription.
    pub subscription: String,
    /// Topic of the dead letters. It has no schema, because an unreadable message is written there as it came.
    pub dead_letter_topic: TopicName,
    /// Names of the properties that a dead letter gets.
    pub dead_letter_properties: DeadLetterProperties,
    /// Where a new subscription begins.
    pub initial_position: InitialPosition,
    /// Messages that are handled at the same time.
    pub parallelism: usize,
    /// Most messages that are handled or wait for their next try; beyond that nothing is received.
    pub max_messages: usize,
    /// Bytes that these may have.
    pub max_bytes: usize,
    /// Tries and back-off.
    pub retry: RetryPolicy,
    /// How long running handlers may take to finish once the worker is asked to stop.
    pub grace: Duration,
}

impl WorkerOptions {
    /// Creates options for a subscription that begins with the oldest message and handles one at a time.
    pub fn new(topic: TopicName, subscription: impl Into<String>, dead_letter_topic: TopicName) -> Self {
        Self {
            topic,
            subscription: subscription.into(),
            dead_letter_topic,
            dead_letter_properties: DeadLetterProperties::default(),
            initial_position: InitialPosition::Earliest,
            parallelism: 1,
            max_messages: 1000,
            max_bytes: 64 * 1024 * 1024,
            retry: RetryPolicy::default(),
            grace: Duration::from_secs(10),
        }
    }

    pub(super) fn refused(&self, source: Error) -> Error {
        Error::Subscription {
            topic: self.topic.to_string(),
            subscription: self.subscription.clone(),
            source: Box::new(source),
        }
    }
}
