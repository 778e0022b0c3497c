//! Opens the producer of a topic, and asks the topic for the last sequence id if the broker does not know it.

use std::sync::PoisonError;
use std::time::Duration;

use bitacora_backoff::Backoff;
use bitacora_change::{MessageSchema, ValueSchemaKind};
use bitacora_pulsar::{AutoCreation, Chunking, Error as ClientError, Producer, ProducerOptions};
use bitacora_pulsar_wire::proto::{KeyValue, ProducerAccessMode, Schema, SchemaType};
use bitacora_pulsar_wire::{MessageId, ServerError, TopicName};

use super::Lane;
use super::names::Author;
use super::pulsar::PulsarSink;
use super::tail::{Since, read_tail};
use crate::checkpoint::TopicMark;
use crate::error::{EngineError, ErrorClass, ErrorKind};

/// First pause before a topic is opened again, after the broker was away or refused the table's new schema. The pause
/// doubles up to [`OPEN_PAUSE_MAX`].
const OPEN_PAUSE: Duration = Duration::from_millis(500);
const OPEN_PAUSE_MAX: Duration = Duration::from_secs(8);

impl PulsarSink {
    pub(super) fn topic_name(&self, topic: &str) -> Result<TopicName, EngineError> {
        topic_name(&self.namespace, topic)
    }

    /// Fails on a partitioned topic: each partition would need a producer and sequence ids of its own.
    async fn refuse_partitions(&self, topic: &TopicName) -> Result<(), EngineError> {
        match self.client.partitions(topic, AutoCreation::Never).await {
            Ok(0) => Ok(()),
            Err(error) if error.server_error() == Some(ServerError::TopicNotFound) => Ok(()),
            Ok(count) => Err(EngineError::new(
                ErrorKind::Configuration,
                format!("topic {topic} has {count} partitions, which is not supported"),
            )
            .remedy("delete the topic, or choose another topic prefix or namespace")),
            Err(error) => Err(EngineError::from(error).during(&format!("topic {topic} cannot be opened"))),
        }
    }

    /// Opens a producer. The stream tries until the broker is back, or accepts the schema. A snapshot fails at once,
    /// because it would hold its transaction open while it waits; the caller begins it again, or ends.
    pub(super) async fn open_lasting(
        &self,
        lane: Lane,
        topic: &TopicName,
        topic_key: &str,
        schema: &MessageSchema,
        is_new: bool,
    ) -> Result<(Producer, Option<u64>), EngineError> {
        let mut backoff = Backoff::new(OPEN_PAUSE, OPEN_PAUSE_MAX);
        loop {
            match self.try_open(lane, topic, topic_key, schema, is_new).await {
                Err(error) if lane == Lane::Stream && matches!(error.class(), ErrorClass::Retry | ErrorClass::Wait) => {
                    tracing::warn!(source = %self.names.source(), "{error}; trying again");
                    tokio::time::sleep(backoff.next_pause(1.0)).await;
                }
                done => return done,
            }
        }
    }

    /// Opens a producer and returns it with the last sequence id that the topic or the checkpoint has of it, if any.
    async fn try_open(
        &self,
        lane: Lane,
        topic: &TopicName,
        topic_key: &str,
        schema: &MessageSchema,
        is_new: bool,
    ) -> Result<(Producer, Option<u64>), EngineError> {
        let failed = |error| EngineError::from(error).during(&format!("topic {topic} cannot be opened"));
        if is_new {
            self.refuse_partitions(topic).await?;
        }
        let producer = self.open_producer(lane, topic, schema).await.map_err(failed)?;
        let known = u64::try_from(producer.last_sequence_id()).ok();
        // A broker may have forgotten the id. The checkpoint has it, and the start found it in the topic.
        let confirmed = self.known(lane, topic_key).map(|mark| mark.sequence_id);
        // Each exclusive producer of a topic raises its epoch, from 0 on.
        let newest = self.newest_mark(topic_key);
        let next = newest.and_then(|mark| mark.topic_epoch).map_or(0, |epoch| epoch + 1);
        let is_untouched = producer.opened().topic_epoch == Some(next);
        // Only the producer that was open last can have sent more than the checkpoint knows.
        let was_last = newest.is_some_and(|mark| mark.lane == lane && mark.epoch == self.names.epoch());
        let marked = self.marked_end(topic_key);
        if !is_new || (is_untouched && (known.is_some() || !was_last)) {
            if let Some(end) = marked {
                producer.set_known_end(end);
            }
            return Ok((producer, known.max(confirmed)));
        }
        let asks_topic = known.is_none() && lane == Lane::Stream;
        let since = match self.names.began_ms() {
            Some(began_ms) if asks_topic && !is_untouched => Since::PublishTime(began_ms),
            _ => Since::LastMessage,
        };
        let tail = read_tail(&self.client, topic, &self.names.of(lane), since).await.map_err(failed)?;
        if let Some(end) = tail.last.max(marked) {
            producer.set_known_end(end);
        }
        if let Some(producer) = &tail.producer {
            self.tell_namesake(topic, producer);
        }
        let last = if asks_topic { tail.last_sequence_id } else { known };
        if last != known {
            tracing::warn!(%topic,
                "the broker does not deduplicate: a broken connection to it may repeat the batches in flight; set the \
                namespace's deduplication to true");
        }
        Ok((producer, last.max(confirmed)))
    }

    /// Returns the mark of a topic in the checkpoint that the sink started with, for this base and lane.
    fn known(&self, lane: Lane, topic: &str) -> Option<&TopicMark> {
        let marks = self.known.get(topic)?;
        marks.iter().find(|mark| mark.lane == lane && mark.epoch == self.names.epoch())
    }

    /// Returns the mark of the producer that opened a topic last, of any lane and base of this source.
    fn newest_mark(&self, topic: &str) -> Option<&TopicMark> {
        self.known.get(topic)?.iter().max_by_key(|mark| mark.topic_epoch)
    }

    /// Returns the newest message of a topic that the checkpoint knows, of any lane and base.
    fn marked_end(&self, topic: &str) -> Option<MessageId> {
        let newest = self.known.get(topic)?.iter().filter_map(|mark| mark.message).max();
        newest.map(|(ledger, entry)| MessageId::new(ledger, entry))
    }

    /// Logs, once for each producer, that another engine with the source's name has sent messages.
    fn tell_namesake(&self, topic: &TopicName, producer: &str) {
        let is_new = self.names.author(producer) == Author::Namesake
            && self.namesakes.lock().unwrap_or_else(PoisonError::into_inner).insert(producer.to_owned());
        if is_new {
            let source = self.names.source();
            tracing::warn!(%source, %topic, producer,
                "topic {topic} has messages that this data folder knows nothing of: from an earlier data folder of the \
                source {source}, or from a second engine of that name; changes in them come again, and two engines of \
                one name stop each other, so give a second one another name");
        }
    }

    async fn open_producer(
        &self,
        lane: Lane,
        topic: &TopicName,
        schema: &MessageSchema,
    ) -> Result<Producer, ClientError> {
        let mut options = ProducerOptions::new(topic.clone());
        options.name = Some(self.names.of(lane));
        options.access_mode = ProducerAccessMode::ExclusiveWithFencing;
        options.schema = wire_schema(schema);
        options.shared_budget = Some(self.budget.clone());
        options.chunking = Chunking::WhenTooLarge;
        self.client.producer(options).await
    }
}

/// Returns the full name of a topic; a short name is completed with `namespace`.
pub(super) fn topic_name(namespace: &str, topic: &str) -> Result<TopicName, EngineError> {
    let full = if topic.contains("://") { topic.to_owned() } else { format!("persistent://{namespace}/{topic}") };
    TopicName::parse(&full).map_err(|error| {
        EngineError::new(ErrorKind::Configuration, format!("{full} cannot be the name of a topic"))
            .remedy("change the topic prefix or the namespace")
            .caused_by(error)
    })
}

/// Returns the schema to register; `None` for values that are any bytes.
fn wire_schema(schema: &MessageSchema) -> Option<Schema> {
    let property = |(key, value): (&str, &str)| KeyValue { key: key.to_owned(), value: value.to_owned() };
    match schema {
        MessageSchema::KeyValue(schema) => Some(Schema {
            name: "KeyValue".to_owned(),
            schema_data: schema.data().into(),
            schema_type: SchemaType::KeyValue as i32,
            properties: schema.properties().into_iter().map(property).collect(),
        }),
        MessageSchema::Value(schema) => {
            let kind = match schema.kind {
                ValueSchemaKind::Bytes => return None,
                ValueSchemaKind::String => SchemaType::String,
                ValueSchemaKind::Json => SchemaType::Json,
                ValueSchemaKind::Avro => SchemaType::Avro,
            };
            Some(Schema {
                name: schema.name.clone(),
                schema_data: schema.definition.clone().into(),
                schema_type: kind as i32,
                properties: Vec::new(),
            })
        }
    }
}
