//! The thread that compresses batches and hands them to their producers, in the order in which it gets them.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use bitacora_pulsar::Producer;
use bitacora_pulsar_wire::{BatchBuilder, Compressor};
use tokio::runtime::Handle;

use super::TopicId;
use crate::error::{EngineError, ErrorKind};

/// Batches between the pipeline and the sealer.
const QUEUED_BATCHES: usize = 4;

/// Sent batches whose memory is kept for the next ones.
const KEPT_BATCHES: usize = 8;

/// What the sealer is told.
enum Order {
    /// A producer for a topic.
    Open(TopicId, Box<Producer>),
    /// A full batch.
    Batch(TopicId, Box<BatchBuilder>),
    /// Wait until everything of these topics is durable and close their producers.
    Close(Vec<TopicId>, SyncSender<Result<(), EngineError>>),
}

/// The pipeline's end of the sealer.
#[derive(Debug)]
pub(super) struct Sealer {
    orders: Option<SyncSender<Order>>,
    emptied: Receiver<Box<BatchBuilder>>,
    failure: Arc<Mutex<Option<EngineError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    /// Starts the thread.
    pub(super) fn start(runtime: Handle) -> std::io::Result<Sealer> {
        let (orders, taken) = sync_channel(QUEUED_BATCHES);
        let (empty, emptied) = sync_channel(KEPT_BATCHES);
        let failure = Arc::new(Mutex::new(None));
        let thread = std::thread::Builder::new().name("sealer".into()).spawn({
            let failure = Arc::clone(&failure);
            move || {
                Worker { runtime, producers: HashMap::new(), compressor: Compressor::default(), empty, failure }
                    .run(&taken);
            }
        })?;
        Ok(Sealer { orders: Some(orders), emptied, failure, thread: Some(thread) })
    }

    /// Returns an empty batch: one that was sent before, or a new one.
    pub(super) fn empty_batch(&self) -> Box<BatchBuilder> {
        self.emptied.try_recv().unwrap_or_default()
    }

    /// Hands over a producer.
    pub(super) fn open(&self, topic: TopicId, producer: Producer) -> Result<(), EngineError> {
        self.order(Order::Open(topic, Box::new(producer)))
    }

    /// Hands over a full batch; waits while several are queued.
    pub(super) fn send(&self, topic: TopicId, batch: Box<BatchBuilder>) -> Result<(), EngineError> {
        self.order(Order::Batch(topic, batch))
    }

    /// Waits until all batches of the topics are durable, and closes their producers.
    pub(super) fn close(&self, topics: &[TopicId]) -> Result<(), EngineError> {
        let (reply, done) = sync_channel(1);
        self.order(Order::Close(topics.to_vec(), reply))?;
        done.recv().unwrap_or_else(|_| Err(self.failure()))
    }

    /// Returns whether the sealer still works.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn order(&self, order: Order) -> Result<(), EngineError> {
        match &self.orders {
            Some(orders) => orders.send(order).map_err(|_| self.failure()),
            None => Err(self.failure()),
        }
    }

    fn failure(&self) -> EngineError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.unwrap_or_else(|| EngineError::new(ErrorKind::Fault, "the compression thread has ended"))
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    runtime: Handle,
    producers: HashMap<TopicId, Producer>,
    compressor: Compressor,
    empty: SyncSender<Box<BatchBuilder>>,
    failure: Arc<Mutex<Option<EngineError>>>,
}

impl Worker {
    fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            let outcome = match order {
                Order::Open(topic, producer) => {
                    self.producers.insert(topic, *producer);
                    Ok(())
                }
                Order::Batch(topic, batch) => self.send(topic, batch),
                Order::Close(topics, reply) => {
                    let _ = reply.send(self.close(&topics));
                    Ok(())
                }
            };
            if let Err(error) = outcome {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return;
            }
        }
    }

    fn send(&mut self, topic: TopicId, mut batch: Box<BatchBuilder>) -> Result<(), EngineError> {
        let Some(producer) = self.producers.get_mut(&topic) else {
            return Err(EngineError::new(ErrorKind::Fault, "a batch has no producer"));
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let sealed = batch.finish_with(&producer.entry_header(now_ms), &mut self.compressor).map_err(|error| {
            EngineError::new(ErrorKind::Fault, format!("a batch for topic {} cannot be compressed", producer.topic()))
                .caused_by(error)
        })?;
        if let Some(sealed) = sealed {
            producer.send_batch_blocking(sealed, &self.runtime).map_err(|error| {
                EngineError::from(error).during(&format!("a batch for topic {} cannot be sent", producer.topic()))
            })?;
        }
        batch.clear();
        let _ = self.empty.try_send(batch);
        Ok(())
    }

    fn close(&mut self, topics: &[TopicId]) -> Result<(), EngineError> {
        for topic in topics {
            if let Some(producer) = self.producers.remove(topic) {
                let name = producer.topic().to_string();
                self.runtime.block_on(producer.close()).map_err(|error| {
                    EngineError::from(error).during(&format!("the last messages of topic {name} are not durable"))
                })?;
            }
        }
        Ok(())
    }
}
