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

use super::now_us;
use super::options::CHECKPOINT_INTERVAL;
use super::position::of_end;
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
        let mut next_checkpoint = Instant::now() + CHECKPOINT_INTERVAL;
        loop {
            let item = match work.try_recv() {
                Ok(item) => item,
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => {
                    // Nothing is at hand: what was collected goes out now instead of waiting for company.
                    self.core.flush()?;
                    let wait = next_checkpoint.saturating_duration_since(Instant::now());
                    match self.receive(&mut work, wait) {
                        Received::Item(item) => item,
                        Received::Nothing => {
                            self.checkpoint()?;
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
                self.checkpoint()?;
                next_checkpoint = Instant::now() + CHECKPOINT_INTERVAL;
            }
        }
        match self.core.finish()? {
            Some(end) => self.save(&end),
            None => Ok(()),
        }
    }

    fn receive(&self, work: &mut mpsc::Receiver<Work>, wait: Duration) -> Received {
        match self.runtime.block_on(async { tokio::time::timeout(wait, work.recv()).await }) {
            Ok(Some(item)) => Received::Item(item),
            Ok(None) => Received::HungUp,
            Err(_) => Received::Nothing,
        }
    }

    fn checkpoint(&mut self) -> Result<(), EngineError> {
        match self.core.checkpoint(now_us())? {
            Some(end) => self.save(&end),
            None => Ok(()),
        }
    }

    fn save(&mut self, end: &End) -> Result<(), EngineError> {
        let is_stored = Arc::ptr_eq(&end.catalog, &self.stored_catalog);
        let catalog = if is_stored {
            None
        } else {
            Some(
                serde_json::to_vec(&*end.catalog)
                    .map_err(|error| EngineError::stop("the table descriptions cannot be stored").caused_by(error))?,
            )
        };
        self.store.save(&of_end(end), catalog.as_deref()).map_err(super::unusable_store)?;
        self.stored_catalog = Arc::clone(&end.catalog);
        self.metrics.checkpoint_count.add(1);
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
