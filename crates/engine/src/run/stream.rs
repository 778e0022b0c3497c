//! Following the log: a replication connection that is made again when it breaks, feeding the worker.

use std::sync::Arc;
use std::time::Duration;

use bitacora_binlog::ChecksumAlgorithm;
use bitacora_source::replication::{EventChunk, Progress, Reconnecting};
use tokio::sync::{mpsc, oneshot};

use super::options::{backoff_options, core_options};
use super::position::of_checkpoint;
use super::snapshot::source_error;
use super::status::SourceStatus;
use super::worker::{Work, Worker, fallen};
use super::{Life, Resume};
use crate::checkpoint::CheckpointStore;
use crate::error::EngineError;
use crate::pipeline::core::Core;

/// Chunks of events between the reader and the worker; each holds what one read of the socket brought.
const QUEUED_CHUNKS: usize = 4;

/// How long a source that was asked to end waits for the receipts of what it has sent.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_secs(15);

impl Life {
    /// Streams from a checkpoint until the source is stopped or fails.
    pub(super) async fn stream(&mut self, store: &Arc<CheckpointStore>, resume: Resume) -> Result<(), EngineError> {
        let Resume { checkpoint, catalog, beginning } = resume;
        let config = Arc::clone(&self.config);
        let mut position = of_checkpoint(&checkpoint)?;
        let core = Core::new(
            core_options(&config, &self.notices, beginning),
            self.sink(self.client()?)?,
            Arc::clone(&self.metrics),
            position.clone(),
            checkpoint.logical_offset,
            Arc::clone(&catalog),
        );
        let worker = Worker {
            core,
            store: Arc::clone(store),
            stored_catalog: catalog,
            metrics: Arc::clone(&self.metrics),
            runtime: tokio::runtime::Handle::current(),
        };
        let (work, taken) = mpsc::channel(QUEUED_CHUNKS);
        let (emptied, mut empty) = mpsc::unbounded_channel();
        let mut worker = tokio::task::spawn_blocking(move || worker.run(taken, &emptied));
        let mut stream = Reconnecting::new(config.server.clone(), self.replica.clone(), backoff_options(&config));
        loop {
            let mut chunk: EventChunk = empty.try_recv().unwrap_or_default();
            let progress = tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stopped| *stopped) => break,
                ended = &mut worker => return ended.unwrap_or_else(|error| Err(fallen(error))),
                progress = stream.read_events(&mut chunk, &position) => progress,
            };
            let item = match progress {
                Ok(Progress::Events) => Work::Events(chunk),
                Ok(Progress::Restarted) => {
                    self.status.send_replace(SourceStatus::Streaming { position: position.to_string() });
                    tracing::info!(source = %config.name, %position, "streaming");
                    let checksum = stream.client().map(bitacora_source::replication::Client::checksum);
                    Work::Checksum(checksum.unwrap_or(ChecksumAlgorithm::None))
                }
                Ok(Progress::Waiting { error, .. }) => {
                    self.metrics.reconnect_count.add(1);
                    self.status.send_replace(SourceStatus::Waiting { reason: source_error(error).to_string() });
                    let (reply, answer) = oneshot::channel();
                    if work.send(Work::Abandon(reply)).await.is_ok()
                        && let Ok(end) = answer.await
                    {
                        position = end;
                    }
                    continue;
                }
                Ok(Progress::End) => break,
                Err(error) => {
                    // What was read before the error is delivered, so that the next start goes on from there.
                    drop(work);
                    let drained = worker.await.unwrap_or_else(|error| Err(fallen(error)));
                    return drained.and(Err(source_error(error)));
                }
            };
            tokio::select! {
                sent = work.send(item) => if sent.is_err() { break },
                _ = self.stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        drop(work);
        let (drained, ()) = tokio::join!(tokio::time::timeout(DRAIN_LIMIT, worker), stream.leave());
        match drained {
            Ok(drained) => drained.unwrap_or_else(|error| Err(fallen(error))),
            Err(_) => {
                Err(EngineError::retry("the broker does not take the last messages, which are not delivered yet")
                    .remedy("nothing is lost: they are sent at the next start, when the broker works again"))
            }
        }
    }
}
