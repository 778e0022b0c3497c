//! Producer: batches with the caller's own sequence ids, pipelined, delivered in order.
//!
//! The caller builds entries on its own thread with a `BatchBuilder` and hands them over with
//! [`Producer::send_batch`] or, from a plain thread, [`Producer::send_batch_blocking`]. Both wait only while
//! `max_pending_bytes` of entries have no receipt. What is durable is told by [`Producer::progress`].
//! A lost connection is repaired behind the caller's back: what has no receipt is sent again under the same ids.

mod batcher;
mod budget;
mod chunks;
mod core;
mod task;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitacora_pulsar_wire::proto::{ProducerAccessMode, Schema};
use bitacora_pulsar_wire::{Batch, BatchBuilder, Codec, EntryHeader, MessageId, OutgoingMessage, TopicName};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::batcher::Batcher;
pub use self::budget::PendingBudget;
pub use self::chunks::Chunking;
use self::task::{Order, Task};
use crate::client::Client;
use crate::error::Error;

/// How a producer is opened.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// A topic without partitions, or one partition.
    pub topic: TopicName,
    /// Stable name, the key of the broker's deduplication; the broker invents one when there is none.
    pub name: Option<String>,
    /// Who else may produce.
    pub access_mode: ProducerAccessMode,
    /// Longest time of opening while another producer holds the topic or the name; `None` for the client's operation timeout.
    pub held_timeout: Option<Duration>,
    /// Registered when the producer opens; its version is stamped on each entry.
    pub schema: Option<Schema>,
    /// Codec of [`Producer::send`]; batches built elsewhere have their own.
    pub codec: Codec,
    /// Bytes of entries that may wait for their receipt.
    pub max_pending_bytes: usize,
    /// A bound shared with other producers, instead of one of its own.
    pub shared_budget: Option<PendingBudget>,
    /// What becomes of a message above the broker's limit.
    pub chunking: Chunking,
    /// Shown by the broker's statistics.
    pub properties: Vec<(String, String)>,
}

impl ProducerOptions {
    /// Creates options with the defaults of Pulsar's connectors: shared access, LZ4.
    pub fn new(topic: TopicName) -> Self {
        Self {
            topic,
            name: None,
            access_mode: ProducerAccessMode::Shared,
            held_timeout: None,
            schema: None,
            codec: Codec::Lz4,
            max_pending_bytes: 64 * 1024 * 1024,
            shared_budget: None,
            chunking: Chunking::default(),
            properties: Vec::new(),
        }
    }
}

/// Limits of a batch, those of Pulsar's connectors by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Messages in a batch.
    pub max_messages: u32,
    /// Bytes of a batch before compression.
    pub max_bytes: usize,
    /// How long the first message of a batch waits for others.
    pub linger_ms: u64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { max_messages: 1000, max_bytes: 128 * 1024, linger_ms: 10 }
    }
}

impl BatchLimits {
    /// Tells whether a batch must be finished before the next message of `next_bytes`.
    pub fn is_full(&self, batch: &BatchBuilder, next_bytes: usize) -> bool {
        !batch.is_empty()
            && (batch.message_count() >= self.max_messages || batch.body_bytes() + next_bytes > self.max_bytes)
    }
}

/// What the broker said when the producer was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Name, as given or invented by the broker.
    pub name: String,
    /// Highest sequence id that the broker knows of this name; −1 when it knows none or does not deduplicate.
    pub last_sequence_id: i64,
    /// Version of the schema, eight bytes; empty without a schema.
    pub schema_version: Bytes,
    /// Epoch of the topic, in the exclusive modes.
    pub topic_epoch: Option<u64>,
    /// Largest entry that the broker takes.
    pub max_message_bytes: usize,
}

/// How far a producer is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Highest sequence id whose batch is durable at the broker, −1 before the first receipt.
    pub durable_sequence_id: i64,
    /// Where the newest durable message is whose place the broker has told.
    pub durable_message_id: Option<MessageId>,
    /// Entries sent again after a loss, since the producer was opened.
    pub reconnect_count: u64,
    /// Receipts that said "known already": the batch had been stored before.
    pub duplicate_count: u64,
    /// Set once the producer has failed for good; no batch after `durable_sequence_id` is known to be stored.
    pub failure: Option<Error>,
}

/// Proof that a message is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendReceipt {
    /// Where it is; [`MessageId::is_none`] when the broker had stored the sequence id before.
    pub message_id: MessageId,
    /// Its sequence id.
    pub sequence_id: u64,
}

/// An open producer. Dropping it leaves what is pending undecided; [`Producer::close`] waits for it.
#[derive(Debug)]
pub struct Producer {
    topic: TopicName,
    opened: Opened,
    codec: Codec,
    chunking: Chunking,
    orders: mpsc::UnboundedSender<Order>,
    budget: PendingBudget,
    progress: watch::Receiver<Progress>,
    known_end: Arc<OnceLock<MessageId>>,
    last_sequence_id: i64,
    single: BatchBuilder,
}

impl Producer {
    pub(crate) async fn open(client: Client, options: ProducerOptions) -> Result<Self, Error> {
        let budget = options.shared_budget.clone().unwrap_or_else(|| PendingBudget::new(options.max_pending_bytes));
        let (orders, orders_seen) = mpsc::unbounded_channel();
        let (progress_set, progress) = watch::channel(Progress { durable_sequence_id: -1, ..Default::default() });
        let (topic, codec, chunking) = (options.topic.clone(), options.codec, options.chunking);
        let known_end = Arc::new(OnceLock::new());
        let task = Task::new(client, options, budget.clone(), progress_set, Arc::clone(&known_end));
        let opened = task.start(orders_seen).await?;
        Ok(Self {
            topic,
            codec,
            chunking,
            orders,
            budget,
            progress,
            known_end,
            last_sequence_id: opened.last_sequence_id,
            opened,
            single: BatchBuilder::new(),
        })
    }

    /// Returns the topic.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// Returns what the broker said at the first opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Returns the highest sequence id that the broker knew of this name at the opening, −1 when it knew none.
    pub fn last_sequence_id(&self) -> i64 {
        self.opened.last_sequence_id
    }

    /// Names the newest message that the topic was found to have; the first call counts. Receipts name later ones. Where another
    /// producer is in the way later and the topic ends before that message, an older copy of the broker's data was put back: the
    /// producer fails with [`Error::TopicBehind`] then.
    pub fn set_known_end(&self, message: MessageId) {
        let _ = self.known_end.set(message);
    }

    /// Returns the watch of what is durable; it also works from a plain thread with `borrow`.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Returns what entries of this producer share, for [`BatchBuilder::finish`].
    pub fn entry_header(&self, publish_time_ms: u64) -> EntryHeader<'_> {
        EntryHeader {
            producer_name: &self.opened.name,
            publish_time_ms,
            schema_version: Some(&self.opened.schema_version),
            codec: self.codec,
        }
    }

    /// Hands a batch over, waiting while too many bytes are pending. Its receipt is told by [`Producer::progress`].
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::SequenceOrder`] leave the producer usable; a failure of the producer is final.
    pub async fn send_batch(&mut self, batch: Batch) -> Result<(), Error> {
        self.check(&batch)?;
        self.budget.take(batch.entry.len()).await;
        self.hand_over(batch, None)
    }

    /// Does what [`Producer::send_batch`] does, from a thread that does not belong to the runtime.
    ///
    /// # Errors
    /// As [`Producer::send_batch`].
    ///
    /// # Panics
    /// When called on a thread of the runtime.
    pub fn send_batch_blocking(&mut self, batch: Batch, runtime: &tokio::runtime::Handle) -> Result<(), Error> {
        self.check(&batch)?;
        if !self.budget.try_take(batch.entry.len()) {
            runtime.block_on(self.budget.take(batch.entry.len()));
        }
        self.hand_over(batch, None)
    }

    /// Tries to hand a batch over and gives it back when too many bytes are pending.
    ///
    /// # Errors
    /// As [`Producer::send_batch`].
    pub fn try_send_batch(&mut self, batch: Batch) -> Result<Option<Batch>, Error> {
        self.check(&batch)?;
        if !self.budget.try_take(batch.entry.len()) {
            return Ok(Some(batch));
        }
        self.hand_over(batch, None).map(|()| None)
    }

    /// Sends one message and waits until it is durable.
    ///
    /// # Errors
    /// As [`Producer::send_batch`].
    pub async fn send(&mut self, message: &OutgoingMessage<'_>) -> Result<SendReceipt, Error> {
        self.single.clear();
        self.single.append(message)?;
        let mut single = std::mem::take(&mut self.single);
        let batch = single.finish(&self.entry_header(now_ms()));
        self.single = single;
        let Some(batch) = batch? else {
            return Err(Error::Closed { what: "batch" });
        };
        self.check(&batch)?;
        self.budget.take(batch.entry.len()).await;
        let (waiter, receipt) = oneshot::channel();
        self.hand_over(batch, Some(waiter))?;
        receipt.await.map_err(|_| self.failure())?
    }

    /// Returns the sequence id after the last one sent or known to the broker: for callers without ids of their own.
    pub fn next_sequence_id(&self) -> u64 {
        u64::try_from(self.last_sequence_id + 1).unwrap_or_default()
    }

    /// Waits until everything handed over is durable.
    ///
    /// # Errors
    /// The producer's failure.
    pub async fn flush(&mut self) -> Result<(), Error> {
        let (waiter, done) = oneshot::channel();
        self.orders.send(Order::Flush(waiter)).map_err(|_| self.failure())?;
        done.await.map_err(|_| self.failure())?
    }

    /// Waits until everything is durable, then closes the producer at the broker.
    ///
    /// # Errors
    /// The producer's failure.
    pub async fn close(mut self) -> Result<(), Error> {
        self.flush().await?;
        let (waiter, done) = oneshot::channel();
        self.orders.send(Order::Close(waiter)).map_err(|_| self.failure())?;
        done.await.map_err(|_| self.failure())
    }

    fn check(&self, batch: &Batch) -> Result<(), Error> {
        if self.orders.is_closed() {
            return Err(self.failure());
        }
        let limit_bytes = self.opened.max_message_bytes;
        let may_be_cut = self.chunking == Chunking::WhenTooLarge && batch.message_count == 1;
        if batch.entry.len() > limit_bytes && !may_be_cut {
            return Err(Error::TooLarge { bytes: batch.entry.len(), limit_bytes });
        }
        let is_above = i64::try_from(batch.lowest_sequence_id).is_ok_and(|lowest| lowest > self.last_sequence_id);
        if !is_above || batch.highest_sequence_id < batch.lowest_sequence_id {
            return Err(Error::SequenceOrder {
                sequence_id: batch.lowest_sequence_id,
                last_sequence_id: self.last_sequence_id,
            });
        }
        Ok(())
    }

    fn hand_over(&mut self, batch: Batch, waiter: Option<task::Waiter>) -> Result<(), Error> {
        let (highest, entry_bytes) = (batch.highest_sequence_id as i64, batch.entry.len());
        if self.orders.send(Order::Send { batch, waiter }).is_err() {
            self.budget.give_back(entry_bytes);
            return Err(self.failure());
        }
        self.last_sequence_id = highest;
        Ok(())
    }

    fn failure(&self) -> Error {
        self.progress.borrow().failure.clone().unwrap_or(Error::Closed { what: "producer" })
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
