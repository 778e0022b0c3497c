//! Delivery into a Pulsar broker, embedded or remote: the same producers either way.
//!
//! The pipeline's thread appends messages to a batch for each topic. Full batches go to the *sealer*, a thread of its
//! own that compresses them and hands them to the producers, waiting there while too many bytes are without receipt; so
//! encoding and compression run side by side, and back-pressure reaches the pipeline through a queue of a few batches.
//! A topic has one producer for each lane, with a stable name and exclusive access: a second engine of the same name
//! takes over, and the first one fails with a clear error.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use bitacora_change::{KeyValueEncoding, MessageSchema};
use bitacora_pulsar::{BatchLimits, Client, PendingBudget, Progress};
use bitacora_pulsar_wire::{
    BatchBuilder, DEFAULT_MAX_MESSAGE_BYTES, MessageKey, OutgoingMessage as WireMessage, ServerError,
};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::in_flight::InFlight;
use super::names::ProducerNames;
use super::sealer::Sealer;
use super::tail::{Since, read_tail};
use super::{Lane, Opened, OutgoingMessage, Sink, TopicId};
use crate::checkpoint::{Epoch, TopicMark};
use crate::error::{EngineError, ErrorKind};

/// Bytes of all producers of a source that may wait for their receipt.
const PENDING_BYTES_MAX: usize = 16 << 20;

/// Bytes of messages in all batches that are being filled; above it everything is sent as it is.
const FILLING_BYTES_MAX: usize = 16 << 20;

/// Batches are sealed at this size, before compression, and below half of what the broker takes.
const LIMITS: BatchLimits = BatchLimits { max_messages: 2_000, max_bytes: 1 << 20, linger_ms: 0 };

/// Producers of one source at one broker.
#[derive(Debug)]
pub(crate) struct PulsarSink {
    pub(super) client: Client,
    pub(super) runtime: Handle,
    pub(super) namespace: String,
    pub(super) names: ProducerNames,
    sealer: Sealer,
    /// Shared by all producers: many topics must not hold more memory than one.
    pub(super) budget: PendingBudget,
    /// Largest entry that the broker takes; what it said last.
    max_entry_bytes: usize,
    /// Bytes of messages in batches that are being filled.
    filling_bytes: usize,
    topics: Vec<Topic>,
    by_name: HashMap<(Lane, String), TopicId>,
    /// Places in `topics` whose producer was closed.
    free: Vec<TopicId>,
    /// Topics opened before; their partition count and their end need not be asked for again.
    seen: HashSet<(Lane, String)>,
    /// Marks of producers that were closed since marks were taken.
    closed_marks: Vec<TopicMark>,
    /// Marks that the sink began with, by topic.
    pub(super) known: HashMap<String, Vec<TopicMark>>,
    /// Producers of other engines with the source's name that were warned of.
    pub(super) namesakes: Mutex<HashSet<String>>,
}

#[derive(Debug)]
struct Topic {
    lane: Lane,
    name: String,
    keys: Keys,
    /// The batch that is being filled; `None` while it would be empty, so that an idle topic holds no memory.
    batch: Option<Box<BatchBuilder>>,
    /// Bytes of messages in the batch.
    batch_bytes: usize,
    highest: u64,
    in_flight: InFlight,
    progress: watch::Receiver<Progress>,
    /// The topic's epoch at the opening of the producer.
    topic_epoch: Option<u64>,
    /// The highest id of this producer that the topic had at its opening.
    last_at_opening: Option<u64>,
    /// The mark that was taken last.
    marked: Option<TopicMark>,
}

impl Topic {
    /// The topic's mark, if it changed since the last one.
    fn new_mark(&mut self, epoch: Option<Epoch>) -> Option<TopicMark> {
        let (durable, place) = {
            let progress = self.progress.borrow();
            (u64::try_from(progress.durable_sequence_id).ok(), progress.durable_message_id)
        };
        let sequence_id = durable.max(self.last_at_opening)?;
        let is_same = self
            .marked
            .as_ref()
            .is_some_and(|marked| marked.sequence_id == sequence_id && marked.topic_epoch == self.topic_epoch);
        if is_same || self.name.is_empty() {
            return None;
        }
        let message = place.map(|place| (place.ledger, place.entry));
        let mark = TopicMark {
            epoch,
            lane: self.lane,
            topic: self.name.clone(),
            sequence_id,
            message: message.or_else(|| self.marked.as_ref().and_then(|marked| marked.message)),
            topic_epoch: self.topic_epoch,
        };
        self.marked = Some(mark.clone());
        Some(mark)
    }
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
    /// Creates a sink without topics. `namespace` is `tenant/namespace`; `names` are those of the source's producers,
    /// `marks` what topics are known to have confirmed.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn new(
        client: Client,
        runtime: Handle,
        namespace: &str,
        names: ProducerNames,
        marks: Vec<TopicMark>,
    ) -> Result<PulsarSink, EngineError> {
        let sealer = Sealer::start(runtime.clone()).map_err(|error| {
            EngineError::new(ErrorKind::System, "the compression thread cannot be started")
                .remedy("raise the limit of threads")
                .caused_by(error)
        })?;
        let mut known: HashMap<String, Vec<TopicMark>> = HashMap::new();
        for mark in marks {
            known.entry(mark.topic.clone()).or_default().push(mark);
        }
        Ok(PulsarSink {
            client,
            known,
            runtime,
            namespace: namespace.to_owned(),
            names,
            sealer,
            budget: PendingBudget::new(PENDING_BYTES_MAX),
            max_entry_bytes: DEFAULT_MAX_MESSAGE_BYTES as usize,
            filling_bytes: 0,
            topics: Vec::new(),
            by_name: HashMap::new(),
            free: Vec::new(),
            seen: HashSet::new(),
            closed_marks: Vec::new(),
            namesakes: Mutex::default(),
        })
    }

    /// Names the producer that has taken a topic over in the error of a source that was fenced out.
    fn explained(&self, mut error: EngineError) -> EngineError {
        let is_fenced = |topic: &&Topic| {
            let failure = topic.progress.borrow().failure.clone();
            failure.is_some_and(|failure| failure.server_error() == Some(ServerError::ProducerFenced))
        };
        if error.kind != ErrorKind::Fenced {
            return error;
        }
        let Some(topic) = self.topics.iter().find(is_fenced) else { return error };
        let own = self.names.of(topic.lane);
        let who = self.topic_name(&topic.name).ok().and_then(|name| {
            let tail = self.runtime.block_on(read_tail(&self.client, &name, &own, Since::LastMessage)).ok()?;
            tail.producer.filter(|producer| *producer != own)
        });
        let who = who.map_or_else(
            || "another producer, which has sent nothing yet,".to_owned(),
            |producer| format!("the producer {producer}"),
        );
        error.what = format!("{who} has taken over topic {} from {own}", topic.name);
        error
    }

    /// Keeps the mark of a producer that is closed.
    fn keep_mark(&mut self, id: TopicId) {
        let epoch = self.names.epoch();
        let mark = self.topics.get_mut(id.index()).and_then(|topic| topic.new_mark(epoch));
        self.closed_marks.extend(mark);
    }

    fn seal(&mut self, id: TopicId) -> Result<(), EngineError> {
        let Some(topic) = self.topics.get_mut(id.index()) else { return Ok(()) };
        let Some(full) = topic.batch.take() else { return Ok(()) };
        self.filling_bytes -= std::mem::take(&mut topic.batch_bytes);
        topic.in_flight.send(topic.highest);
        self.sealer.send(id, full).map_err(|error| self.explained(error))
    }
}

impl Sink for PulsarSink {
    fn open(&mut self, lane: Lane, topic: &str, schema: &MessageSchema) -> Result<Opened, EngineError> {
        let name = self.topic_name(topic)?;
        let key = (lane, topic.to_owned());
        let known = self.by_name.get(&key).copied();
        let is_new = !self.seen.contains(&key);
        if let Some(id) = known {
            // Another schema: the producer is opened again under its name, after all that it has sent is durable.
            self.seal(id)?;
            self.sealer.close(&[id]).map_err(|error| self.explained(error))?;
            self.keep_mark(id);
        }
        let (producer, last) = self.runtime.block_on(self.open_lasting(lane, &name, topic, schema, is_new))?;
        self.max_entry_bytes = producer.opened().max_message_bytes;
        let opened = Topic {
            lane,
            name: topic.to_owned(),
            keys: Keys::of(schema),
            batch: None,
            batch_bytes: 0,
            highest: 0,
            in_flight: InFlight::default(),
            progress: producer.progress(),
            topic_epoch: producer.opened().topic_epoch,
            last_at_opening: last,
            marked: None,
        };
        let id = match known {
            Some(id) => {
                if let Some(topic) = self.topics.get_mut(id.index()) {
                    let highest = topic.highest;
                    *topic = Topic { highest, marked: topic.marked.take(), ..opened };
                }
                id
            }
            None => {
                let id = self.free.pop().unwrap_or_else(|| TopicId::at(self.topics.len()));
                match self.topics.get_mut(id.index()) {
                    Some(place) => *place = opened,
                    None => self.topics.push(opened),
                }
                self.by_name.insert(key.clone(), id);
                self.seen.insert(key);
                id
            }
        };
        self.sealer.open(id, producer)?;
        Ok(Opened { topic: id, last_sequence_id: last })
    }

    /// A quarter of a chunk, so that most of it is left for the value.
    fn metadata_bytes_max(&self) -> usize {
        self.max_entry_bytes / 4
    }

    fn append(&mut self, id: TopicId, message: OutgoingMessage<'_>) -> Result<(), EngineError> {
        let properties = message.properties.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let bytes = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len) + properties;
        let batch = self.topics.get(id.index()).and_then(|topic| topic.batch.as_ref());
        let limits = BatchLimits { max_bytes: LIMITS.max_bytes.min(self.max_entry_bytes / 2), ..LIMITS };
        if batch.is_some_and(|batch| limits.is_full(batch, bytes)) {
            self.seal(id)?;
        }
        if self.filling_bytes > FILLING_BYTES_MAX {
            self.flush()?;
        }
        let Some(topic) = self.topics.get_mut(id.index()) else {
            return Err(EngineError::new(ErrorKind::Fault, "a message was appended to a topic that is not open"));
        };
        let key = match (message.key, topic.keys) {
            (Some(key), Keys::Bytes) => MessageKey::Bytes(key),
            (Some(key), Keys::Text) => std::str::from_utf8(key).map_or(MessageKey::None, MessageKey::Text),
            (None, Keys::Bytes) => MessageKey::Null,
            (None, Keys::Text) => MessageKey::None,
        };
        // Events of tables have no properties, and an empty list allocates nothing.
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
        topic.batch.get_or_insert_with(|| self.sealer.empty_batch()).append(&message).map_err(|error| {
            EngineError::new(ErrorKind::Fault, "a message cannot be put into a batch").caused_by(error)
        })?;
        topic.in_flight.append(sequence_id);
        topic.highest = sequence_id;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        for index in 0..self.topics.len() {
            self.seal(TopicId::at(index))?;
        }
        Ok(())
    }

    fn oldest_pending(&mut self) -> Result<Option<u64>, EngineError> {
        if let Err(error) = self.sealer.check() {
            return Err(self.explained(error));
        }
        let mut oldest: Option<u64> = None;
        let mut failure = None;
        for topic in self.topics.iter_mut().filter(|topic| topic.lane == Lane::Stream) {
            let progress = topic.progress.borrow_and_update();
            if progress.failure.is_some() {
                failure.clone_from(&progress.failure);
                break;
            }
            if let Ok(durable) = u64::try_from(progress.durable_sequence_id) {
                topic.in_flight.durable(durable);
            }
            drop(progress);
            if let Some(pending) = topic.in_flight.oldest_pending() {
                oldest = Some(oldest.map_or(pending, |known| known.min(pending)));
            }
        }
        match failure {
            Some(failure) => Err(self.explained(EngineError::from(failure).during("delivery to the broker failed"))),
            None => Ok(oldest),
        }
    }

    fn take_marks(&mut self) -> Vec<TopicMark> {
        let mut marks = std::mem::take(&mut self.closed_marks);
        let epoch = self.names.epoch();
        marks.extend(self.topics.iter_mut().filter_map(|topic| topic.new_mark(epoch)));
        marks
    }

    fn close(&mut self, id: TopicId) -> Result<(), EngineError> {
        self.seal(id)?;
        self.sealer.close(&[id]).map_err(|error| self.explained(error))?;
        self.keep_mark(id);
        if let Some(topic) = self.topics.get_mut(id.index()) {
            topic.in_flight = InFlight::default();
            let key = (topic.lane, std::mem::take(&mut topic.name));
            self.by_name.remove(&key);
            self.free.push(id);
        }
        Ok(())
    }

    fn finish(&mut self, lane: Lane) -> Result<(), EngineError> {
        self.flush()?;
        let of_lane = self.topics.iter().enumerate().filter(|(_, topic)| topic.lane == lane);
        let ids: Vec<TopicId> = of_lane.map(|(index, _)| TopicId::at(index)).collect();
        self.sealer.close(&ids).map_err(|error| self.explained(error))?;
        for id in ids {
            if let Some(topic) = self.topics.get_mut(id.index()) {
                topic.in_flight = InFlight::default();
            }
        }
        self.by_name.retain(|(of, _), _| *of != lane);
        Ok(())
    }
}
