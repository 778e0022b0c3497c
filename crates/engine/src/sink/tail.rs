//! The end of a topic, read from the topic itself: who wrote last, and the last sequence id of a producer.
//!
//! A broker with deduplication tells the last id of a producer by itself, unless it has forgotten the producer.
//! Otherwise the topic says it: with exclusive access the last message is mostly the engine's own; where another
//! producer wrote after it, everything since a given moment is read.

use std::time::Duration;

use bitacora_pulsar::{ChunkView, Client, Error, Message, Reader, ReaderOptions, Seek, StartPosition};
use bitacora_pulsar_wire::{MessageId, TopicName};

/// How long the broker may take to hand out a message that it has.
const WAIT_MS: u64 = 30_000;

/// Where to look for a producer's last message if another producer wrote the topic's last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// Nowhere else.
    LastMessage,
    /// In everything that was published from this time on, milliseconds since 1970.
    PublishTime(u64),
}

/// The end of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// Producer of the last message; `None` for an empty topic.
    pub producer: Option<String>,
    /// The last sequence id of the producer that was asked for.
    pub last_sequence_id: Option<u64>,
    /// The first message that was read, and its producer.
    pub first: Option<(MessageId, String)>,
    /// The last message.
    pub last: Option<MessageId>,
    /// When the last message was published, milliseconds since 1970.
    pub published_ms: u64,
}

/// Reads the end of a topic, and the last sequence id of a producer.
pub(super) async fn read_tail(client: &Client, topic: &TopicName, producer: &str, since: Since) -> Result<Tail, Error> {
    let mut reader = client.reader(reader_options(topic, StartPosition::Latest)).await?;
    let last = reader.last_message().await?.last;
    reader.close().await?;
    if last.is_none() {
        return Ok(Tail::default());
    }
    let mut tail = Tail::default();
    let entry = MessageId { batch_index: -1, ..last };
    let mut reader = client.reader(reader_options(topic, StartPosition::At(entry))).await?;
    read_on(&mut reader, producer, &mut tail).await?;
    reader.close().await?;
    if let Since::PublishTime(time_ms) = since
        && tail.last_sequence_id.is_none()
        && tail.published_ms >= time_ms
    {
        let mut reader = client.reader(reader_options(topic, StartPosition::Latest)).await?;
        reader.seek(Seek::PublishTime(time_ms)).await?;
        // The last message is one of these, so there is a first one to wait for. A reader that was moved to a time
        // cannot tell.
        let first = next(&mut reader).await?;
        note(&first, producer, &mut tail);
        read_on(&mut reader, producer, &mut tail).await?;
        reader.close().await?;
    }
    Ok(tail)
}

/// Options of a reader that looks at sequence ids. Each chunk of a large message is read on its own: where the topic
/// ends with a message that broke off, its chunks name the id before it.
pub(super) fn reader_options(topic: &TopicName, start: StartPosition) -> ReaderOptions {
    ReaderOptions { chunk_view: ChunkView::Single, ..ReaderOptions::new(topic.clone(), start) }
}

/// Reads to the end of a topic.
pub(super) async fn read_on(reader: &mut Reader, producer: &str, tail: &mut Tail) -> Result<(), Error> {
    while reader.has_message_available().await? {
        let message = next(reader).await?;
        note(&message, producer, tail);
    }
    Ok(())
}

/// Reads a message that the broker has.
async fn next(reader: &mut Reader) -> Result<Message, Error> {
    let next = tokio::time::timeout(Duration::from_millis(WAIT_MS), reader.next()).await;
    next.map_err(|_| Error::Timeout { what: "the last message", timeout_ms: WAIT_MS })?
}

fn note(message: &Message, producer: &str, tail: &mut Tail) {
    if tail.first.is_none() {
        tail.first = Some((message.id, message.producer_name().to_owned()));
    }
    if message.producer_name() == producer {
        tail.last_sequence_id = tail.last_sequence_id.max(Some(message.sequence_id()));
    }
    if tail.producer.as_deref() != Some(message.producer_name()) {
        tail.producer = Some(message.producer_name().to_owned());
    }
    tail.last = Some(message.id);
    tail.published_ms = message.publish_time_ms();
}
