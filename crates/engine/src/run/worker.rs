//! The blocking thread of the stream: events in, messages out, checkpoints stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitacora_binlog::ChecksumAlgorithm;
use bitacora_source::ddl::Catalog;
use bitacora_source::replication::EventChunk;
use bitacora_source::{LogMark, Position};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinError;

use super::base::Base;
use super::clock::now_us;
use super::options::CHECKPOINT_INTERVAL;
use super::saver::{Offer, Saver};
use crate::checkpoint::CheckpointStore;
use crate::error::{EngineError, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::pipeline::core::{Core, End, Heard};
use crate::sink::Sink;

/// What the stream tells the worker.
pub(super) enum Work {
    /// Events in log order.
    Events(EventChunk),
    /// The connection was cut: go back to the last transaction end, and tell where it is, and in which log.
    Abandon(oneshot::Sender<(Position, Option<LogMark>)>),
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
    /// What could not be stored yet, because the disk is slow.
    pub refused: Option<Offer>,
    /// Told after each chunk.
    pub heard: watch::Sender<Heard>,
    pub metrics: Arc<SourceMetrics>,
    pub runtime: Handle,
}

impl<S: Sink> Worker<S> {
    /// Works until the stream hangs up; then drains, and stores the last checkpoint.
    pub(super) fn run(
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
            Ok(last) => {
                let last = self.offer_of(last);
                saver.finish(last)
            }
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
                    self.heard.send_modify(|heard| *heard = self.core.heard());
                    let _ = emptied.send(chunk);
                }
                Work::Abandon(reply) => {
                    let log = self.core.log();
                    let _ = reply.send((self.core.abandon(), log));
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

    /// Offers the newest end before which everything is durable. What was collected goes out first: while the log is
    /// read faster than it is sent, the batch of a table with few changes would never fill, and hold back every
    /// checkpoint.
    fn checkpoint(&mut self, saver: &Saver) -> Result<(), EngineError> {
        self.core.flush()?;
        let end = self.core.checkpoint(now_us())?;
        if let Some(offer) = self.offer_of(end) {
            self.refused = saver.offer(offer)?;
        }
        Ok(())
    }

    /// What is to be stored: the new end, or the one that was refused, with all marks since the last that was stored.
    fn offer_of(&mut self, end: Option<End>) -> Option<Offer> {
        let refused = self.refused.take();
        let (former, mut marks) = refused.map_or((None, Vec::new()), |refused| (Some(refused.end), refused.marks));
        let end = end.or(former)?;
        marks.extend(self.core.sink().take_marks());
        Some(Offer { end, marks })
    }
}

enum Received {
    Item(Work),
    Nothing,
    HungUp,
}

/// The error of a worker that ended by a fault of the program.
pub(super) fn fallen(error: JoinError) -> EngineError {
    EngineError::new(ErrorKind::Fault, "the pipeline ended by a fault of the program")
        .remedy("report it with the log")
        .caused_by(error)
}
