//! The last sequence id of a producer, read from the topic itself, for brokers that do not deduplicate.
//!
//! With exclusive access nobody else writes to a topic, so its last message is the engine's own last message. Its sequence
//! id is what a broker with deduplication would have told.

use std::time::Duration;

use bitacora_pulsar::{ChunkView, Client, Error, ReaderOptions, StartPosition};
use bitacora_pulsar_wire::{MessageId, TopicName};

/// How long the broker may take to hand out a message that it has.
const WAIT: Duration = Duration::from_secs(30);

/// Reads the sequence id of the last message, if the producer of that name wrote it.
pub(super) async fn last_sequence_id(client: &Client, topic: &TopicName, producer: &str) -> Result<Option<u64>, Error> {
    let mut reader = client.reader(ReaderOptions::new(topic.clone(), StartPosition::Latest)).await?;
    let last = reader.last_message().await?.last;
    reader.close().await?;
    if last.is_none() {
        return Ok(None);
    }
    let entry = MessageId { batch_index: -1, ..last };
    // Where the topic ends with a message that broke off, its chunks name the id before it.
    let options = ReaderOptions::new(topic.clone(), StartPosition::At(entry));
    let mut reader = client.reader(ReaderOptions { chunk_view: ChunkView::Single, ..options }).await?;
    let mut found = None;
    while reader.has_message_available().await? {
        let next = tokio::time::timeout(WAIT, reader.next()).await;
        let message =
            next.map_err(|_| Error::Timeout { what: "the last message", timeout_ms: WAIT.as_millis() as u64 })??;
        found = (message.producer_name() == producer).then(|| message.sequence_id());
    }
    reader.close().await?;
    Ok(found)
}
