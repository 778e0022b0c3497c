//! Delivery into a Pulsar broker, embedded or remote: the same producers either way.
//!
//! The pipeline's thread appends messages to a batch for each topic. Full batches go to the *sealer*, a thread of its own
//! that compresses them and hands them to the producers, waiting there while too many bytes are without receipt; so
//! encoding and compression run side by side, and back-pressure reaches the pipeline through a queue of a few batches.
//! A topic has one producer for each lane, with a stable name and exclusive access: a second engine of the same name takes
//! over, and the first one fails with a clear error.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bitacora_change::{KeyValueEncoding, MessageSchema, ValueSchemaKind};
use bitacora_pulsar::{
    AutoCreation, BatchLimits, Chunking, Client, Error as ClientError, PendingBudget, Producer, ProducerOptions,
    Progress,
};
use bitacora_pulsar_wire::proto::{KeyValue, ProducerAccessMode, Schema, SchemaType};
use bitacora_pulsar_wire::{
    BatchBuilder, DEFAULT_MAX_MESSAGE_BYTES, MessageKey, OutgoingMessage as WireMessage, ServerError, TopicName,
};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::in_flight::InFlight;
use super::last_message::last_sequence_id;
use super::sealer::Sealer;
use super::{Lane, Opened, OutgoingMessage, Sink, TopicId};
use crate::error::{EngineError, ErrorClass};

/// Bytes of all producers of a source that may wait for their receipt.
const PENDING_BYTES_MAX: usize = 16 << 20;

/// Bytes of messages in all batches that are being filled; above it everything is sent as it is.
const FILLING_BYTES_MAX: usize = 16 << 20;

/// Batches are sealed at this size, before compression, and below half of what the broker takes.
const LIMITS: BatchLimits = BatchLimits { max_messages: 2_000, max_bytes: 1 << 20, linger_ms: 0 };

/// Pause before a topic is tried again that could not be opened because the broker was away or refused the table's new
/// schema; it doubles up to the longest.
const OPEN_PAUSE: Duration = Duration::from_millis(500);
const OPEN_PAUSE_MAX: Duration = Duration::from_secs(8);

/// Producers of one source at one broker.
#[derive(Debug)]
pub struct PulsarSink {
    client: Client,
    runtime: Handle,
    namespace: String,
    source_name: String,
    sealer: Sealer,
    /// Shared by all producers: many topics must not hold more memory than one.
    budget: PendingBudget,
    /// Largest entry that the broker takes; what it said last.
    max_entry_bytes: usize,
    /// Bytes of messages in batches that are being filled.
    filling_bytes: usize,
    topics: Vec<Topic>,
    by_name: HashMap<(Lane, String), usize>,
    /// Places in `topics` whose producer was closed.
    free: Vec<usize>,
    /// Topics that were open once: what is asked of a broker only once is known of them.
    seen: HashSet<(Lane, String)>,
}

#[derive(Debug)]
struct Topic {
    lane: Lane,
    name: String,
    keys: Keys,
    /// Being filled; none while it would be empty, so that an idle topic holds no memory.
    batch: Option<Box<BatchBuilder>>,
    /// Bytes of messages in the batch.
    batch_bytes: usize,
    highest: u64,
    in_flight: InFlight,
    progress: watch::Receiver<Progress>,
}

/// How the key of a topic's messages is written.
#[derive(Debug, Clone, Copy)]
enum Keys {
    /// As bytes; none is a null key.
    Bytes,
    /// As text.
    Text,
}

impl Keys {
    fn of(schema: &MessageSchema) -> Keys {
        match schema {
            MessageSchema::KeyValue(schema) if schema.encoding == KeyValueEncoding::Separated => Keys::Bytes,
            MessageSchema::KeyValue(_) | MessageSchema::Value(_) => Keys::Text,
        }
    }
}

impl PulsarSink {
    /// Makes a sink without topics. `namespace` is `tenant/namespace`; `source_name` begins the producers' names.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn new(client: Client, runtime: Handle, namespace: &str, source_name: &str) -> Result<PulsarSink, EngineError> {
        let sealer = Sealer::start(runtime.clone()).map_err(|error| {
            EngineError::stop("the compression thread cannot be started")
                .remedy("raise the limit of threads")
                .caused_by(error)
        })?;
        Ok(PulsarSink {
            client,
            runtime,
            namespace: namespace.to_owned(),
            source_name: source_name.to_owned(),
            sealer,
            budget: PendingBudget::new(PENDING_BYTES_MAX),
            max_entry_bytes: DEFAULT_MAX_MESSAGE_BYTES as usize,
            filling_bytes: 0,
            topics: Vec::new(),
            by_name: HashMap::new(),
            free: Vec::new(),
            seen: HashSet::new(),
        })
    }

    fn topic_name(&self, topic: &str) -> Result<TopicName, EngineError> {
        let full =
            if topic.contains("://") { topic.to_owned() } else { format!("persistent://{}/{topic}", self.namespace) };
        TopicName::parse(&full).map_err(|error| {
            EngineError::configuration(format!("{full} cannot be the name of a topic"))
                .remedy("change the topic prefix or the namespace")
                .caused_by(error)
        })
    }

    /// A partitioned topic would need a producer, and sequence ids, for each partition.
    async fn refuse_partitions(&self, topic: &TopicName) -> Result<(), EngineError> {
        match self.client.partitions(topic, AutoCreation::Never).await {
            Ok(0) => Ok(()),
            Err(error) if error.server_error() == Some(ServerError::TopicNotFound) => Ok(()),
            Ok(count) => {
                Err(EngineError::configuration(format!("topic {topic} has {count} partitions, which is not supported"))
                    .remedy("delete the topic, or choose another topic prefix or namespace"))
            }
            Err(error) => Err(failed(&format!("topic {topic} cannot be opened"), error)),
        }
    }

    /// Opens a producer; the stream waits for a broker that is away, as its open producers do, and for one that refuses the
    /// schema. A snapshot does not: it would hold its transaction open meanwhile. It is begun again, or ends.
    async fn open_lasting(
        &self,
        lane: Lane,
        topic: &TopicName,
        schema: &MessageSchema,
        is_new: bool,
    ) -> Result<(Producer, Option<u64>), EngineError> {
        let mut pause = OPEN_PAUSE;
        loop {
            match self.try_open(lane, topic, schema, is_new).await {
                Err(error) if lane == Lane::Stream && may_pass(&error) => {
                    tracing::warn!(source = %self.source_name, "{error}; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(OPEN_PAUSE_MAX);
                }
                done => return done,
            }
        }
    }

    /// Opens a producer; gives it with its last sequence id, if the topic has one of it.
    async fn try_open(
        &self,
        lane: Lane,
        topic: &TopicName,
        schema: &MessageSchema,
        is_new: bool,
    ) -> Result<(Producer, Option<u64>), EngineError> {
        let failed = |error| failed(&format!("topic {topic} cannot be opened"), error);
        if is_new {
            self.refuse_partitions(topic).await?;
        }
        let producer = self.open_producer(lane, topic, schema).await.map_err(failed)?;
        if let Ok(last) = u64::try_from(producer.last_sequence_id()) {
            return Ok((producer, Some(last)));
        }
        if !is_new || lane == Lane::Snapshot {
            return Ok((producer, None));
        }
        let last = last_sequence_id(&self.client, topic, &self.producer_name(lane)).await.map_err(failed)?;
        if last.is_some() {
            tracing::warn!(%topic, "the broker does not deduplicate: a broken connection to it may repeat the batches in flight; set the namespace's deduplication to true");
        }
        Ok((producer, last))
    }

    fn producer_name(&self, lane: Lane) -> String {
        match lane {
            Lane::Stream => self.source_name.clone(),
            Lane::Snapshot => format!("{}-snapshot", self.source_name),
        }
    }

    async fn open_producer(
        &self,
        lane: Lane,
        topic: &TopicName,
        schema: &MessageSchema,
    ) -> Result<Producer, ClientError> {
        let mut options = ProducerOptions::new(topic.clone());
        options.name = Some(self.producer_name(lane));
        options.access_mode = ProducerAccessMode::ExclusiveWithFencing;
        options.schema = wire_schema(schema);
        options.shared_budget = Some(self.budget.clone());
        options.chunking = Chunking::WhenTooLarge;
        self.client.producer(options).await
    }

    fn seal(&mut self, index: usize) -> Result<(), EngineError> {
        let Some(topic) = self.topics.get_mut(index) else { return Ok(()) };
        let Some(full) = topic.batch.take() else { return Ok(()) };
        self.filling_bytes -= std::mem::take(&mut topic.batch_bytes);
        topic.in_flight.send(topic.highest);
        self.sealer.send(index, full)
    }
}

impl Sink for PulsarSink {
    fn open(&mut self, lane: Lane, topic: &str, schema: &MessageSchema) -> Result<Opened, EngineError> {
        let name = self.topic_name(topic)?;
        let key = (lane, topic.to_owned());
        let known = self.by_name.get(&key).copied();
        let is_new = !self.seen.contains(&key);
        if let Some(index) = known {
            // Another schema: the producer is opened again under its name, after all that it has sent is durable.
            self.seal(index)?;
            self.sealer.close(&[index])?;
        }
        let (producer, last) = self.runtime.block_on(self.open_lasting(lane, &name, schema, is_new))?;
        let progress = producer.progress();
        self.max_entry_bytes = producer.opened().max_message_bytes;
        let index = match known {
            Some(index) => {
                if let Some(topic) = self.topics.get_mut(index) {
                    topic.progress = progress;
                    topic.keys = Keys::of(schema);
                    topic.in_flight = InFlight::default();
                }
                index
            }
            None => {
                let opened = Topic {
                    lane,
                    name: topic.to_owned(),
                    keys: Keys::of(schema),
                    batch: None,
                    batch_bytes: 0,
                    highest: 0,
                    in_flight: InFlight::default(),
                    progress,
                };
                let index = self.free.pop().unwrap_or(self.topics.len());
                match self.topics.get_mut(index) {
                    Some(place) => *place = opened,
                    None => self.topics.push(opened),
                }
                self.by_name.insert(key.clone(), index);
                self.seen.insert(key);
                index
            }
        };
        self.sealer.open(index, producer)?;
        Ok(Opened { topic: TopicId(u32::try_from(index).unwrap_or(u32::MAX)), last_sequence_id: last })
    }

    /// A quarter of a chunk, so that most of it is left for the value.
    fn metadata_bytes_max(&self) -> usize {
        self.max_entry_bytes / 4
    }

    fn append(&mut self, topic: TopicId, message: OutgoingMessage<'_>) -> Result<(), EngineError> {
        let index = topic.0 as usize;
        let properties = message.properties.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let bytes = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len) + properties;
        let batch = self.topics.get(index).and_then(|topic| topic.batch.as_ref());
        let limits = BatchLimits { max_bytes: LIMITS.max_bytes.min(self.max_entry_bytes / 2), ..LIMITS };
        if batch.is_some_and(|batch| limits.is_full(batch, bytes)) {
            self.seal(index)?;
        }
        if self.filling_bytes > FILLING_BYTES_MAX {
            self.flush()?;
        }
        let Some(topic) = self.topics.get_mut(index) else {
            return Err(EngineError::stop("a message was appended to a topic that is not open"));
        };
        let key = match (message.key, topic.keys) {
            (Some(key), Keys::Bytes) => MessageKey::Bytes(key),
            (Some(key), Keys::Text) => std::str::from_utf8(key).map_or(MessageKey::None, MessageKey::Text),
            (None, Keys::Bytes) => MessageKey::Null,
            (None, Keys::Text) => MessageKey::None,
        };
        // An empty list, as the events of tables have it, allocates nothing.
        let properties: Vec<(&str, &str)> =
            message.properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let sequence_id = message.sequence_id;
        let message = WireMessage {
            key,
            value: message.value,
            landmarks: message.landmarks,
            properties: &properties,
            event_time_ms: message.event_time_ms,
            sequence_id,
            ..WireMessage::default()
        };
        self.filling_bytes += bytes;
        topic.batch_bytes += bytes;
        topic
            .batch
            .get_or_insert_with(|| self.sealer.empty_batch())
            .append(&message)
            .map_err(|error| EngineError::stop("a message cannot be put into a batch").caused_by(error))?;
        topic.in_flight.append(sequence_id);
        topic.highest = sequence_id;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        for index in 0..self.topics.len() {
            self.seal(index)?;
        }
        Ok(())
    }

    fn oldest_pending(&mut self) -> Result<Option<u64>, EngineError> {
        self.sealer.check()?;
        let mut oldest: Option<u64> = None;
        for topic in self.topics.iter_mut().filter(|topic| topic.lane == Lane::Stream) {
            let progress = topic.progress.borrow_and_update();
            if let Some(failure) = &progress.failure {
                return Err(failed("delivery to the broker failed", failure.clone()));
            }
            if let Ok(durable) = u64::try_from(progress.durable_sequence_id) {
                topic.in_flight.durable(durable);
            }
            drop(progress);
            if let Some(pending) = topic.in_flight.oldest_pending() {
                oldest = Some(oldest.map_or(pending, |known| known.min(pending)));
            }
        }
        Ok(oldest)
    }

    fn close(&mut self, topic: TopicId) -> Result<(), EngineError> {
        let index = topic.0 as usize;
        self.seal(index)?;
        self.sealer.close(&[index])?;
        if let Some(topic) = self.topics.get_mut(index) {
            topic.in_flight = InFlight::default();
            let key = (topic.lane, std::mem::take(&mut topic.name));
            self.by_name.remove(&key);
            self.free.push(index);
        }
        Ok(())
    }

    fn finish(&mut self, lane: Lane) -> Result<(), EngineError> {
        self.flush()?;
        let indexes: Vec<usize> =
            self.topics.iter().enumerate().filter(|(_, topic)| topic.lane == lane).map(|(index, _)| index).collect();
        self.sealer.close(&indexes)?;
        for index in indexes {
            if let Some(topic) = self.topics.get_mut(index) {
                topic.in_flight = InFlight::default();
            }
        }
        self.by_name.retain(|(of, _), _| *of != lane);
        Ok(())
    }
}

/// Turns a failure of the client into the engine's error.
pub(super) fn failed(what: &str, error: ClientError) -> EngineError {
    let class = if error.is_retryable() { ErrorClass::Retry } else { ErrorClass::Stop };
    let failure = EngineError::new(class, format!("{what}: {error}"));
    match error.server_error() {
        Some(ServerError::IncompatibleSchema) => failure.remedy(SCHEMA_REFUSED).caused_by(error),
        _ => failure.caused_by(error),
    }
}

/// Whether waiting helps: the broker is away, or someone has to allow the table's new schema.
fn may_pass(error: &EngineError) -> bool {
    error.class == ErrorClass::Retry || error.remedy.as_deref() == Some(SCHEMA_REFUSED)
}

/// A table may change in ways that the strategy of its topic's namespace does not allow; the source waits until it does.
const SCHEMA_REFUSED: &str = "let the namespace take every change of a table: pulsar-admin namespaces set-schema-compatibility-strategy --compatibility ALWAYS_COMPATIBLE, or schema_compatibility_strategy of the embedded broker";

/// What is registered; `None` for values of any bytes.
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
