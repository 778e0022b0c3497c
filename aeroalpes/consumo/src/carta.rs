//! Dead letters: messages that will never be done, with the reason.

use bitacora_pulsar::wire::{MessageKey, OutgoingMessage, TopicName};
use bitacora_pulsar::{Chunking, Client, Error, Message, Producer, ProducerOptions};

/// Property with the reason, one sentence.
pub const MOTIVO: &str = "motivo";
/// Property with the topic from which the message came.
pub const TEMA_ORIGINAL: &str = "tema_original";
/// Property with the id that the message had there: `ledger:entry:partition:index`.
pub const ID_ORIGINAL: &str = "id_original";

/// A reason is cut here: it must not make the letter larger than the broker takes.
const MAX_MOTIVO: usize = 1000;

/// Writes dead letters to one topic. Opened with the first.
#[derive(Debug)]
pub(crate) struct Cartero {
    client: Client,
    topic: TopicName,
    producer: Option<Producer>,
}

impl Cartero {
    pub(crate) fn new(client: Client, topic: TopicName) -> Self {
        Self { client, topic, producer: None }
    }

    /// Sends the message with its payload, key, properties and event time, and waits until it is durable.
    pub(crate) async fn enviar(&mut self, message: &Message, motivo: &str) -> Result<(), Error> {
        let mut producer = match self.producer.take() {
            Some(producer) => producer,
            None => {
                // What came in chunks, or is a whole entry that nobody can read, is larger than one message may be.
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
        let properties =
            propiedades(message, &[(MOTIVO, recortado(motivo)), (TEMA_ORIGINAL, &topic), (ID_ORIGINAL, &id)]);
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
            // The letter is refused, the producer is well.
            Err(error @ Error::TooLarge { .. }) => {
                self.producer = Some(producer);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes what is open; a broker that is away has closed it too.
    pub(crate) async fn cerrar(self) {
        if let Some(producer) = self.producer {
            let _ = producer.close().await;
        }
    }
}

/// The message's own properties, but those of an earlier burial, and the new ones.
fn propiedades<'a>(message: &'a Message, nuevas: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let propias = message.metadata.properties.iter().map(|property| (property.key.as_str(), property.value.as_str()));
    let is_new = |name: &str| nuevas.iter().any(|(nueva, _)| *nueva == name);
    propias.filter(|(name, _)| !is_new(name)).chain(nuevas.iter().copied()).collect()
}

fn recortado(motivo: &str) -> &str {
    motivo.get(..motivo.floor_char_boundary(MAX_MOTIVO)).unwrap_or(motivo)
}
