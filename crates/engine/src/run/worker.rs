//! The blocking thread of the stream: events in, messages out, checkpoints stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitacora_binlog::ChecksumAlgorithm;
use bitacora_source::Position;
use bitacora_source::ddl::Catalog;
use bitacora_source::replication::EventChunk;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinError;

use super::base::Base;
use super::now_us;
use super::options::CHECKPOINT_INTERVAL;
use super::saver::Saver;
use crate::checkpoint::CheckpointStore;
use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::pipeline::core::{Core, End};
use crate::sink::Sink;

/// What the stream tells the worker.
pub(super) enum Work {
    /// Events in log order.
    Events(EventChunk),
    /// The connection was cut: go back to the last transaction end, and tell where it is.
    Abandon(oneshot::Sender<Position>),
    /// A connection was made that has this checksum.
    Checksum(ChecksumAlgorithm),
}

/// The worker's state.
pub(super) struct Worker<S> {
    pub core: Core<S>,
    pub store: Arc<CheckpointStore>,
    pub stored_catalog: Arc<Catalog>,
    /// What the checkpoints go on with.
    pub base: Base,
    /// The newest end that could not be stored yet, because the disk is slow.
    pub refused: Option<End>,
    pub metrics: Arc<SourceMetrics>,
    pub runtime: Handle,
}

impl<S: Sink> Worker<S> {
    /// Works until the stream hangs up; then drains, and stores the last checkpoint.
    pub fn run(
        mut self,
        mut work: mpsc::Receiver<Work>,
        emptied: &mpsc::UnboundedSender<EventChunk>,
    ) -> Result<(), EngineError> {
        let saver = Saver::start(
            Arc::clone(&self.store),
            Arc::clone(&self.stored_catalog),
            self.base.clone(),
            Arc::clone(&self.metrics),
        )?;
        match self.work(&mut work, emptied, &saver) {
            Ok(last) => saver.finish(last.or(self.refused)),
            // Why checkpoints cannot be stored says more than that the thread has ended.
            Err(error) => saver.finish(None).and(Err(error)),
        }
    }

    fn work(
        &mut self,
        work: &mut mpsc::Receiver<Work>,
        emptied: &mpsc::UnboundedSender<EventChunk>,
        saver: &Saver,
    ) -> Result<Option<End>, EngineError> {
        let mut next_checkpoint = Instant::now() + CHECKPOINT_INTERVAL;
        loop {
            let item = match work.try_recv() {
                Ok(item) => item,
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => {
                    // Nothing is at hand: what was collected goes out now instead of waiting for company.
                    self.core.flush()?;
                    let wait = next_checkpoint.saturating_duration_since(Instant::now());
                    match self.receive(work, wait) {
                        Received::Item(item) => item,
                        Received::Nothing => {
                            self.checkpoint(saver)?;
                            next_checkpoint = Instant::now() + CHECKPOINT_INTERVAL;
                            continue;
                        }
                        Received::HungUp => break,
                    }
                }
            };
            match item {
                Work::Events(chunk) => {
                    let now_us = now_us();
                    for event in chunk.events() {
                        self.core.on_event(event, now_us)?;
                    }
                    let _ = emptied.send(chunk);
                }
                Work::Abandon(reply) => {
                    let _ = reply.send(self.core.abandon());
                }
                Work::Checksum(checksum) => self.core.set_checksum(checksum),
            }
            if Instant::now() >= next_checkpoint {
                self.checkpoint(saver)?;
                next_checkpoint = Instant::now() + CHECKPOINT_INTERVAL;
            }
        }
        self.core.finish()
    }

    fn receive(&self, work: &mut mpsc::Receiver<Work>, wait: Duration) -> Received {
        match self.runtime.block_on(async { tokio::time::timeout(wait, work.recv()).await }) {
            Ok(Some(item)) => Received::Item(item),
            Ok(None) => Received::HungUp,
            Err(_) => Received::Nothing,
        }
    }

    /// Offers the newest end before which everything is durable. What was collected goes out first: while the log is read
    /// faster than it is sent, the batch of a table with few changes would never fill, and hold back every checkpoint.
    fn checkpoint(&mut self, saver: &Saver) -> Result<(), EngineError> {
        self.core.flush()?;
        if let Some(end) = self.core.checkpoint(now_us())?.or_else(|| self.refused.take()) {
            self.refused = saver.offer(end)?;
        }
        Ok(())
    }
}

enum Received {
    Item(Work),
    Nothing,
    HungUp,
}

/// The error of a worker that ended by a fault of the program.
pub(super) fn fallen(error: JoinError) -> EngineError {
    EngineError::stop("the pipeline ended by a fault of the program").remedy("report it with the log").caused_by(error)
}
