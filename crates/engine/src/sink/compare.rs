//! Compares topics with what they have confirmed.
//!
//! A topic may have been truncated, deleted and made again, or replaced by an older copy. Three things tell, in this
//! order:
//!
//! 1. The broker's last sequence id for the producer's name. A broker that deduplicates knows it for as long as the
//!    topic lives, or (Apache Pulsar) until the producer has been away for some hours.
//! 2. The message at the place that the broker told with its receipt.
//! 3. The topic's epoch, which only rises while the topic lives. A topic of Apache Pulsar whose messages were consumed
//!    and trimmed has nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bitacora_pulsar::{Client, Error, ProducerOptions, StartPosition};
use bitacora_pulsar_wire::proto::ProducerAccessMode;
use bitacora_pulsar_wire::{MessageId, ServerError, TopicName};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Lane;
use super::names::ProducerNames;
use super::opening::topic_name;
use super::tail::{Since, Tail, read_on, read_tail, reader_options};
use crate::checkpoint::TopicMark;
use crate::error::{EngineError, ErrorKind};

/// Topics that are looked at at the same time.
const AT_ONCE: usize = 64;

/// What the embedded broker calls itself. It forgets no producer and trims no topic, so what it lacks is lost.
const EMBEDDED: &str = "Bitacora-";

/// A topic that ends before what it has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behind {
    /// What it has confirmed.
    pub mark: TopicMark,
    /// The last sequence id that it has of that producer; `None` for none.
    pub last: Option<u64>,
}

/// Compares all topics; returns those that lack something, each lane and base of its own.
///
/// # Errors
/// The broker cannot be asked.
pub(crate) async fn compare(
    client: &Client,
    namespace: &str,
    names: &ProducerNames,
    marks: Vec<TopicMark>,
) -> Result<Vec<Behind>, EngineError> {
    let mut topics: BTreeMap<String, Vec<TopicMark>> = BTreeMap::new();
    for mark in marks {
        topics.entry(mark.topic.clone()).or_default().push(mark);
    }
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let version =
        client.check().await.map_err(|error| EngineError::from(error).during("the topics cannot be compared"))?;
    let comparer = Arc::new(Comparer {
        client: client.clone(),
        names: names.clone(),
        is_embedded: version.starts_with(EMBEDDED),
        is_occupied: AtomicBool::new(false),
    });
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (topic, mut marks) in topics {
        // The newest first: a log that has it has all that was written before it.
        marks.sort_by_key(|mark| (mark.epoch != names.epoch(), mark.lane == Lane::Snapshot));
        let name = topic_name(namespace, &topic)?;
        let (comparer, places) = (Arc::clone(&comparer), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            let compared = comparer.topic(&name, marks).await;
            compared.map_err(|error| {
                EngineError::from(error).during(&format!("topic {name} cannot be compared with the checkpoint"))
            })
        });
    }
    let mut behind = Vec::new();
    while let Some(ended) = running.join_next().await {
        let found = ended.unwrap_or_else(|error| {
            Err(EngineError::new(ErrorKind::Fault, "a topic could not be compared by a fault of the program")
                .caused_by(error))
        });
        behind.extend(found?);
    }
    Ok(behind)
}

/// Time for which an earlier producer, whose connection has just broken, may hold a topic. Then the comparison takes
/// the topic over.
const HELD_TIMEOUT: Duration = Duration::from_secs(1);

struct Comparer {
    client: Client,
    names: ProducerNames,
    is_embedded: bool,
    /// Another engine holds topics for itself; it is fenced out anyway when the source opens them.
    is_occupied: AtomicBool,
}

/// What a topic has of a producer.
enum End {
    Whole,
    Behind(Option<u64>),
}

impl Comparer {
    async fn topic(&self, topic: &TopicName, marks: Vec<TopicMark>) -> Result<Vec<Behind>, Error> {
        let mut behind = Vec::new();
        for mark in marks {
            match self.end(topic, &mark).await? {
                End::Whole => break,
                End::Behind(last) => behind.push(Behind { mark, last }),
            }
        }
        Ok(behind)
    }

    async fn end(&self, topic: &TopicName, mark: &TopicMark) -> Result<End, Error> {
        let producer = self.names.of_epoch(mark.epoch, mark.lane);
        let mode = match self.is_occupied.load(Ordering::Relaxed) {
            true => ProducerAccessMode::ExclusiveWithFencing,
            false => ProducerAccessMode::Shared,
        };
        let mut opened = self.open(topic, &producer, mode).await;
        if let Err(error) = &opened
            && matches!(error.server_error(), Some(ServerError::ProducerBusy | ServerError::ProducerFenced))
        {
            self.is_occupied.store(true, Ordering::Relaxed);
            opened = self.open(topic, &producer, ProducerAccessMode::ExclusiveWithFencing).await;
        }
        let known = match opened {
            Ok((last, _)) => last,
            Err(error) if error.server_error() == Some(ServerError::TopicNotFound) => return Ok(End::Behind(None)),
            // The namespace wants a schema of every producer; the messages tell as well.
            Err(error) if error.server_error() == Some(ServerError::IncompatibleSchema) => None,
            Err(error) => return Err(error),
        };
        match known {
            Some(last) if last >= mark.sequence_id => Ok(End::Whole),
            Some(last) => Ok(End::Behind(Some(last))),
            None => self.end_by_messages(topic, mark, &producer).await,
        }
    }

    /// Opens and closes a producer to learn its last sequence id and the topic's epoch.
    async fn open(
        &self,
        topic: &TopicName,
        producer: &str,
        mode: ProducerAccessMode,
    ) -> Result<(Option<u64>, Option<u64>), Error> {
        let mut options = ProducerOptions::new(topic.clone());
        options.name = Some(producer.to_owned());
        options.access_mode = mode;
        options.held_timeout = Some(HELD_TIMEOUT);
        let producer = self.client.producer(options).await?;
        let opened = (u64::try_from(producer.last_sequence_id()).ok(), producer.opened().topic_epoch);
        producer.close().await?;
        Ok(opened)
    }

    async fn end_by_messages(&self, topic: &TopicName, mark: &TopicMark, producer: &str) -> Result<End, Error> {
        let mut reader = self.client.reader(reader_options(topic, StartPosition::Latest)).await?;
        let last = reader.last_message().await?.last;
        reader.close().await?;
        if last.is_none() {
            return self.same_incarnation(topic, mark, producer, None).await;
        }
        let place = mark.message.map(|(ledger, entry)| MessageId::new(ledger, entry));
        if let Some(place) = place
            && (last.ledger, last.entry) >= (place.ledger, place.entry)
        {
            let mut reader = self.client.reader(reader_options(topic, StartPosition::At(place))).await?;
            let mut tail = Tail::default();
            read_on(&mut reader, producer, &mut tail).await?;
            reader.close().await?;
            let is_there = tail.first.as_ref().is_some_and(|(first, author)| {
                (first.ledger, first.entry) == (place.ledger, place.entry) && author == producer
            });
            if is_there || tail.last_sequence_id >= Some(mark.sequence_id) {
                return Ok(End::Whole);
            }
            let is_trimmed =
                tail.first.is_some_and(|(first, _)| (first.ledger, first.entry) > (place.ledger, place.entry));
            if is_trimmed {
                return self.same_incarnation(topic, mark, producer, tail.last_sequence_id).await;
            }
        }
        let since = self.names.began_ms_of(mark.epoch).map_or(Since::LastMessage, Since::PublishTime);
        let left = read_tail(&self.client, topic, producer, since).await?.last_sequence_id;
        match left >= Some(mark.sequence_id) {
            true => Ok(End::Whole),
            false => Ok(End::Behind(left)),
        }
    }

    /// The messages say nothing: they were trimmed, unless the topic is another one now.
    async fn same_incarnation(
        &self,
        topic: &TopicName,
        mark: &TopicMark,
        producer: &str,
        left: Option<u64>,
    ) -> Result<End, Error> {
        let Some(former) = mark.topic_epoch.filter(|_| !self.is_embedded) else { return Ok(End::Behind(left)) };
        let opened = self.open(topic, producer, ProducerAccessMode::ExclusiveWithFencing).await;
        match opened {
            Ok((_, Some(epoch))) if epoch > former => Ok(End::Whole),
            Ok(_) => Ok(End::Behind(left)),
            // No producer could be opened, so there is no epoch. A topic that has other schemas is not new.
            Err(error) if error.server_error() == Some(ServerError::IncompatibleSchema) => Ok(End::Whole),
            Err(error) => Err(error),
        }
    }
}
