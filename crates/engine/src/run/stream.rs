//! Following the log: a replication connection that is made again when it breaks, feeding the worker.

use std::pin::pin;
use std::sync::Arc;

use bitacora_binlog::ChecksumAlgorithm;
use bitacora_source::check::{PositionFault, examine_position};
use bitacora_source::replication::{EventChunk, Progress, Reconnecting};
use bitacora_source::{LogMark, LogPlace, Position};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinError;

use super::base::Base;
use super::life::{Life, Resume, Streamed};
use super::log_watch::until_replaced;
use super::options::{DRAIN_LIMIT, backoff_options, core_options};
use super::position::place_of;
use super::status::SourceStatus;
use super::worker::{Work, Worker, fallen};
use crate::checkpoint::CheckpointStore;
use crate::error::{EngineError, ErrorKind};
use crate::pipeline::core::{Core, Heard};

/// Chunks of events between the reader and the worker; each holds what one read of the socket brought.
const QUEUED_CHUNKS: usize = 4;

/// Pause before a server that could not be looked at is connected to again.
const LOOK_PAUSE_MS: u64 = 1_000;

impl Life {
    /// Streams from a checkpoint until the source is stopped or fails, or another server answers.
    pub(super) async fn stream(
        &mut self,
        store: &Arc<CheckpointStore>,
        resume: Resume,
    ) -> Result<Streamed, EngineError> {
        let Resume { checkpoint, catalog } = resume;
        let config = Arc::clone(&self.config);
        let mut place = place_of(&checkpoint)?;
        let server = checkpoint.server.clone().unwrap_or_default();
        let base = Base { server: server.clone(), epoch: checkpoint.epoch };
        let core = Core::new(
            core_options(&config, &self.notices),
            self.sink(store, &base)?,
            Arc::clone(&self.metrics),
            place.position.clone(),
            checkpoint.logical_offset,
            Arc::clone(&catalog),
        );
        let (heard, hears) = watch::channel(Heard::default());
        let worker = Worker {
            core,
            store: Arc::clone(store),
            stored_catalog: catalog,
            base,
            refused: None,
            heard,
            metrics: Arc::clone(&self.metrics),
            runtime: tokio::runtime::Handle::current(),
        };
        let (work, taken) = mpsc::channel(QUEUED_CHUNKS);
        let (emptied, mut empty) = mpsc::unbounded_channel();
        let mut worker = tokio::task::spawn_blocking(move || worker.run(taken, &emptied));
        let mut stream = Reconnecting::new(config.server.clone(), self.replica.clone(), backoff_options(&config));
        let mut replaced = pin!(until_replaced(config.server.clone(), server.clone(), config.name.clone(), hears));
        let mut is_first = true;
        // Why no more is read from this server.
        let outcome = loop {
            let mut chunk: EventChunk = empty.try_recv().unwrap_or_default();
            let progress = tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stopped| *stopped) => break Ok(Streamed::Ended),
                ended = &mut worker => return Err(early(ended)),
                progress = stream.read_events(&mut chunk, &place.position) => progress,
                how = &mut replaced => {
                    tracing::warn!(source = %config.name, "the server's log may have been reset: {how}");
                    break Ok(Streamed::OtherLog);
                }
            };
            let item = match progress {
                Ok(Progress::Events) => Work::Events(chunk),
                Ok(Progress::Restarted) => {
                    if stream.client().is_some_and(|client| client.server() != server) {
                        break Ok(Streamed::OtherServer);
                    }
                    if !std::mem::take(&mut is_first) {
                        match examine_position(&config.server, &place).await {
                            Ok(Some(PositionFault::Purged(_) | PositionFault::OtherLog(_))) => {
                                break Ok(Streamed::OtherLog);
                            }
                            // Another server answered this question than sends the stream.
                            Ok(None | Some(PositionFault::NotYet(_) | PositionFault::Never(_))) => {}
                            Err(error) => {
                                tracing::warn!(source = %config.name, "the log could not be looked at: {error}");
                                stream.disconnect(LOOK_PAUSE_MS);
                                continue;
                            }
                        }
                    }
                    let position = &place.position;
                    self.status.send_replace(SourceStatus::Streaming { position: position.to_string() });
                    tracing::info!(source = %config.name, %position, "streaming");
                    let checksum = stream.client().map(bitacora_source::replication::Client::checksum);
                    Work::Checksum(checksum.unwrap_or(ChecksumAlgorithm::None))
                }
                Ok(Progress::Waiting { error, .. }) => {
                    self.metrics.reconnect_count.add(1);
                    self.status.send_replace(SourceStatus::Waiting { reason: EngineError::from(error).to_string() });
                    // A worker that waits for the broker answers late.
                    let end = tokio::select! {
                        end = abandon(&work) => end,
                        _ = self.stopped.wait_for(|stopped| *stopped) => break Ok(Streamed::Ended),
                    };
                    if let Some((position, log)) = end {
                        let log = log.or_else(|| place.log.take().filter(|_| place.position == position));
                        place = LogPlace { position, log, ..place };
                    }
                    continue;
                }
                Ok(Progress::End) => break Ok(Streamed::Ended),
                Err(error) if error.refuses_position() => break Ok(Streamed::Refused(error.into())),
                Err(error) => break Err(error.into()),
            };
            tokio::select! {
                // A worker that has hung up says why when it is waited for.
                sent = work.send(item) => if sent.is_err() { break Ok(Streamed::Ended) },
                _ = self.stopped.wait_for(|stopped| *stopped) => break Ok(Streamed::Ended),
            }
        };
        // What was read is delivered, so that the next start goes on from there; only another server is worth waiting for it.
        drop(work);
        let is_patient = matches!(outcome, Ok(Streamed::OtherServer | Streamed::OtherLog));
        let patience = async {
            if is_patient {
                let _ = self.stopped.wait_for(|stopped| *stopped).await;
            }
            tokio::time::sleep(DRAIN_LIMIT).await;
        };
        let drained = async {
            tokio::select! {
                drained = worker => drained.unwrap_or_else(|error| Err(fallen(error))),
                () = patience => Err(EngineError::new(ErrorKind::BrokerAway, "the broker does not take the last messages, which are not delivered yet")
                    .remedy("nothing is lost: they are sent at the next start, when the broker works again")),
            }
        };
        let (drained, ()) = tokio::join!(drained, stream.leave());
        // Why the stream failed says more than that the broker is away too.
        outcome.and_then(|streamed| drained.map(|()| streamed))
    }
}

/// Takes the worker back to the last transaction end; tells where it is, unless the worker has ended.
async fn abandon(work: &mpsc::Sender<Work>) -> Option<(Position, Option<LogMark>)> {
    let (reply, answer) = oneshot::channel();
    work.send(Work::Abandon(reply)).await.ok()?;
    answer.await.ok()
}

/// The error of a worker that ended before it was asked to.
fn early(ended: Result<Result<(), EngineError>, JoinError>) -> EngineError {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => EngineError::new(ErrorKind::Fault, "the pipeline ended early").remedy("report it with the log"),
        Err(error) => fallen(error),
    }
}
