//! Producer: batches with the caller's own sequence ids, pipelined, delivered in order.
//!
//! The caller builds entries on its own thread with a `BatchBuilder` and hands them over with [`Producer::send_batch`]
//! or, from a plain thread, [`Producer::send_batch_blocking`]. Both wait only while `max_pending_bytes` of entries have
//! no receipt. [`Producer::progress`] says what is durable. After a lost connection the producer connects again by
//! itself and sends what has no receipt again, under the same ids.

mod batcher;
mod budget;
mod chunks;
mod clock;
mod core;
mod options;
mod progress;
mod task;

use std::sync::{Arc, OnceLock};

use bitacora_pulsar_wire::{Batch, BatchBuilder, Codec, EntryHeader, MessageId, OutgoingMessage, TopicName};
use tokio::sync::{mpsc, oneshot, watch};

pub use self::batcher::Batcher;
pub use self::budget::PendingBudget;
pub use self::chunks::Chunking;
use self::clock::now_ms;
pub use self::options::{BatchLimits, ProducerOptions};
pub use self::progress::{Opened, Progress, SendReceipt};
use self::task::{Order, Task};
use crate::cluster::Cluster;
use crate::error::Error;

/// An open producer. When it is dropped, pending batches may be stored or not; [`Producer::close`] waits for them.
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
    pub(crate) async fn open(cluster: Arc<Cluster>, options: ProducerOptions) -> Result<Self, Error> {
        let budget = options.shared_budget.clone().unwrap_or_else(|| PendingBudget::new(options.max_pending_bytes));
        let (orders, orders_seen) = mpsc::unbounded_channel();
        let (progress_set, progress) = watch::channel(Progress { durable_sequence_id: -1, ..Default::default() });
        let (topic, codec, chunking) = (options.topic.clone(), options.codec, options.chunking);
        let known_end = Arc::new(OnceLock::new());
        let task = Task::new(cluster, options, budget.clone(), progress_set, Arc::clone(&known_end));
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

    /// Names the newest message that the topic was found to have; the first call counts. Receipts name later ones.
    /// Where another producer is in the way later and the topic ends before that message, an older copy of the broker's
    /// data was put back: the producer fails with [`Error::TopicBehind`] then.
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

    /// Queues a batch, waiting while too many bytes are pending. [`Producer::progress`] shows when it is durable.
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

    /// Queues a batch without waiting, or returns it when too many bytes are pending.
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

    /// Waits until everything queued is durable.
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
        let (highest, entry_bytes) = (batch.highest_sequence_id.cast_signed(), batch.entry.len());
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
