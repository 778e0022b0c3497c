//! Dead letters: messages that the handler gave up, with the reason.

use std::borrow::Cow;

use bitacora_pulsar_wire::{MessageKey, OutgoingMessage, TopicName};

use crate::client::Client;
use crate::consumer::Message;
use crate::error::Error;
use crate::producer::{Chunking, Producer, ProducerOptions};

/// Names of the properties that are added to those of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterProperties {
    /// The reason, one sentence.
    pub reason: Cow<'static, str>,
    /// The topic from which the message came.
    pub original_topic: Cow<'static, str>,
    /// The id that the message had there: `ledger:entry:partition:index`.
    pub original_id: Cow<'static, str>,
}

impl Default for DeadLetterProperties {
    /// `reason`, `original_topic` and `original_id`.
    fn default() -> Self {
        Self { reason: "reason".into(), original_topic: "original_topic".into(), original_id: "original_id".into() }
    }
}

/// Longest reason; a longer one is cut, so that it cannot make the letter larger than the broker takes.
const MAX_REASON: usize = 1000;

/// Writes dead letters to one topic. Its producer is opened for the first letter.
#[derive(Debug)]
pub(super) struct Postman {
    client: Client,
    topic: TopicName,
    names: DeadLetterProperties,
    producer: Option<Producer>,
}

impl Postman {
    pub(super) fn new(client: Client, topic: TopicName, names: DeadLetterProperties) -> Self {
        Self { client, topic, names, producer: None }
    }

    /// Sends the message with its payload, key, properties and event time, and waits until it is durable.
    pub(super) async fn send(&mut self, message: &Message, reason: &str) -> Result<(), Error> {
        let mut producer = match self.producer.take() {
            Some(producer) => producer,
            None => {
                // A message that came in chunks, or an entry that cannot be read, may be larger than the broker's
                // limit.
                let options = ProducerOptions::new(self.topic.clone());
                self.client.producer(ProducerOptions { chunking: Chunking::WhenTooLarge, ..options }).await?
            }
        };
        let (topic, id) = (message.topic.to_string(), message.id.to_string());
        let key_bytes;
        let key = match (message.metadata.null_partition_key(), message.key_text()) {
            (true, _) => MessageKey::Null,
            (false, None) => MessageKey::None,
            (false, Some(_)) if message.metadata.partition_key_b64_encoded() => {
                key_bytes = message.key().unwrap_or_default();
                MessageKey::Bytes(&key_bytes)
            }
            (false, Some(text)) => MessageKey::Text(text),
        };
        let DeadLetterProperties { reason: reason_name, original_topic, original_id } = &self.names;
        let added: [(&str, &str); 3] = [(reason_name, cut(reason)), (original_topic, &topic), (original_id, &id)];
        let properties = properties_of(message, &added);
        let sent = producer
            .send(&OutgoingMessage {
                key,
                value: message.value(),
                sequence_id: producer.next_sequence_id(),
                event_time_ms: message.event_time_ms(),
                ordering_key: message.metadata.ordering_key.as_deref(),
                properties: &properties,
                ..Default::default()
            })
            .await;
        match sent {
            Ok(_) => {
                self.producer = Some(producer);
                Ok(())
            }
            // Only the letter is refused; the producer can go on.
            Err(error @ Error::TooLarge { .. }) => {
                self.producer = Some(producer);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes the producer. A failure is ignored: without a connection the broker closes it.
    pub(super) async fn close(self) {
        if let Some(producer) = self.producer {
            let _ = producer.close().await;
        }
    }
}

/// Returns the message's own properties, except those of an earlier dead letter, and the new ones.
fn properties_of<'a>(message: &'a Message, added: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = message.metadata.properties.iter().map(|property| (property.key.as_str(), property.value.as_str()));
    let is_added = |name: &str| added.iter().any(|(other, _)| *other == name);
    own.filter(|(name, _)| !is_added(name)).chain(added.iter().copied()).collect()
}

fn cut(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(MAX_REASON)).unwrap_or(reason)
}
