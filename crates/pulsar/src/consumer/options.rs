//! How consumers and readers are opened.

use bitacora_pulsar_wire::proto::{InitialPosition, Schema, SubType};
use bitacora_pulsar_wire::{MessageId, TopicName};

use super::chunks::ChunkLimits;

/// What a consumer may hold by default.
const DEFAULT_QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// How keys are shared out in a Key_Shared subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySharedPolicy {
    /// The broker splits the hash range.
    AutoSplit,
    /// This consumer takes these inclusive ranges of 0 to 65535.
    Sticky(Vec<(i32, i32)>),
}

/// Whether single messages of a batch are acknowledged at the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchIndexAck {
    /// An entry is acknowledged when all its messages are: right for every broker.
    #[default]
    WholeEntries,
    /// Each message at once; the broker must have batch index acknowledgement enabled.
    EachMessage,
}

/// How a consumer is opened.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// A topic without partitions, or one partition.
    pub topic: TopicName,
    /// Subscription.
    pub subscription: String,
    /// Kind of the subscription.
    pub sub_type: SubType,
    /// Where a new subscription begins.
    pub initial_position: InitialPosition,
    /// Name shown by the broker; invented when there is none.
    pub name: Option<String>,
    /// Order among consumers of a Shared or Failover subscription; lower comes first.
    pub priority_level: Option<i32>,
    /// Messages that the broker may send ahead.
    pub receiver_queue: u32,
    /// Bytes that these may have, judged by the messages that came so far.
    pub receiver_queue_bytes: usize,
    /// What is held of large messages until their last chunk has come.
    pub chunks: ChunkLimits,
    /// Only the latest message of each key, as far as the topic is compacted.
    pub read_compacted: ReadCompacted,
    /// Schema to check against the topic's.
    pub schema: Option<Schema>,
    /// For Key_Shared.
    pub key_shared: KeySharedPolicy,
    /// How messages of batches are acknowledged.
    pub batch_index_ack: BatchIndexAck,
    /// Stored with the subscription when it is created.
    pub subscription_properties: Vec<(String, String)>,
}

/// Which view of a topic is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadCompacted {
    /// Every message.
    #[default]
    No,
    /// The compacted view up to its horizon, then every message.
    Yes,
}

impl ConsumerOptions {
    /// Creates options for an exclusive durable subscription that begins with new messages.
    pub fn new(topic: TopicName, subscription: impl Into<String>) -> Self {
        Self {
            topic,
            subscription: subscription.into(),
            sub_type: SubType::Exclusive,
            initial_position: InitialPosition::Latest,
            name: None,
            priority_level: None,
            receiver_queue: 1000,
            receiver_queue_bytes: DEFAULT_QUEUE_BYTES,
            chunks: ChunkLimits::default(),
            read_compacted: ReadCompacted::No,
            schema: None,
            key_shared: KeySharedPolicy::AutoSplit,
            batch_index_ack: BatchIndexAck::WholeEntries,
            subscription_properties: Vec::new(),
        }
    }
}

/// Where a reader starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartPosition {
    /// With the oldest message.
    Earliest,
    /// With the next new message.
    Latest,
    /// After this message.
    After(MessageId),
    /// With this message; for one in chunks, with its [`super::Message::first_chunk_id`].
    At(MessageId),
}

impl StartPosition {
    /// Returns the id that SUBSCRIBE carries. The broker begins with this entry, and the client drops its messages
    /// before the start.
    pub(super) fn message_id(self) -> MessageId {
        match self {
            Self::Earliest => MessageId::EARLIEST,
            Self::Latest => MessageId::LATEST,
            Self::After(id) | Self::At(id) => id,
        }
    }

    /// Returns whether a message of the start entry lies before the start.
    pub(super) fn excludes(self, id: MessageId) -> bool {
        let key = |id: MessageId| (id.ledger, id.entry);
        match self {
            Self::Earliest | Self::Latest => false,
            Self::After(start) if start.batch_index < 0 => key(id) <= key(start),
            Self::After(start) => (key(id), id.batch_index) <= (key(start), start.batch_index),
            Self::At(start) if start.batch_index < 0 => key(id) < key(start),
            Self::At(start) => (key(id), id.batch_index) < (key(start), start.batch_index),
        }
    }
}

/// How a reader is opened.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// A topic without partitions, or one partition.
    pub topic: TopicName,
    /// Where it starts.
    pub start: StartPosition,
    /// Messages that the broker may send ahead.
    pub receiver_queue: u32,
    /// Bytes that these may have, judged by the messages that came so far.
    pub receiver_queue_bytes: usize,
    /// What is held of large messages until their last chunk has come.
    pub chunks: ChunkLimits,
    /// How messages in chunks are delivered.
    pub chunk_view: ChunkView,
    /// Which view is read.
    pub read_compacted: ReadCompacted,
}

/// How a reader delivers a message that was sent in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChunkView {
    /// The joined message.
    #[default]
    Joined,
    /// Chunk by chunk: the metadata of the whole message and a part of its bytes as they are stored.
    Single,
}

impl ReaderOptions {
    /// Creates options for a reader with the usual queue.
    pub fn new(topic: TopicName, start: StartPosition) -> Self {
        Self {
            topic,
            start,
            receiver_queue: 1000,
            receiver_queue_bytes: DEFAULT_QUEUE_BYTES,
            chunks: ChunkLimits::default(),
            chunk_view: ChunkView::default(),
            read_compacted: ReadCompacted::No,
        }
    }
}

/// Where a consumer moves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// To this message, which comes next; for one in chunks, its [`super::Message::first_chunk_id`].
    To(MessageId),
    /// To the first message published at this time or later, milliseconds since 1970.
    PublishTime(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: StartPosition, ledger_entry_index: (i64, i64, i32), is_excluded: bool) {
        let (ledger, entry, batch_index) = ledger_entry_index;
        let id = MessageId { batch_index, ..MessageId::new(ledger, entry) };
        assert_eq!(start.excludes(id), is_excluded, "{start:?} {id}");
    }

    #[test]
    fn what_lies_before_the_start_is_dropped() {
        let in_batch = MessageId { batch_index: 1, ..MessageId::new(2, 3) };
        check(StartPosition::After(in_batch), (2, 3, 1), true);
        check(StartPosition::After(in_batch), (2, 3, 2), false);
        check(StartPosition::At(in_batch), (2, 3, 0), true);
        check(StartPosition::At(in_batch), (2, 3, 1), false);
        check(StartPosition::After(MessageId::new(2, 3)), (2, 3, 5), true);
        check(StartPosition::After(MessageId::new(2, 3)), (2, 4, -1), false);
        check(StartPosition::At(MessageId::new(2, 3)), (2, 3, 0), false);
        check(StartPosition::Earliest, (0, 0, -1), false);
    }
}
