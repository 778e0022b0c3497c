//! Following the log: a replication connection that is made again when it breaks, feeding the worker.

use std::pin::pin;
use std::sync::Arc;

use bitacora_binlog::ChecksumAlgorithm;
use bitacora_source::check::{PositionFault, examine_position};
use bitacora_source::replication::{EventChunk, Progress, Reconnecting};
use bitacora_source::{Error as SourceError, LogMark, LogPlace, Position};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};

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
use crate::sink::pulsar::PulsarSink;

/// Chunks of events between the reader and the worker; each holds what one read of the socket brought.
const QUEUED_CHUNKS: usize = 4;

/// Pause before connecting again to a server that could not be examined.
const LOOK_PAUSE_MS: u64 = 1_000;

/// The log being followed.
struct Following {
    stream: Reconnecting,
    /// Whose log it is.
    server: String,
    /// Where the next connection goes on.
    place: LogPlace,
    /// Whether no connection was made yet: the checks have just examined the place, so it need not be done again.
    is_first: bool,
    work: mpsc::Sender<Work>,
    emptied: mpsc::UnboundedReceiver<EventChunk>,
}

/// What follows from what the stream brought.
enum Next {
    /// The worker has something to do.
    Work(Work),
    /// The stream is read again.
    Read,
    /// No more is read from this server.
    End(Result<Streamed, EngineError>),
}

type RunningWorker = JoinHandle<Result<(), EngineError>>;

impl Life {
    /// Streams from a checkpoint until the source is stopped or fails, or another server answers.
    pub(super) async fn stream(
        &mut self,
        store: &Arc<CheckpointStore>,
        resume: Resume,
    ) -> Result<Streamed, EngineError> {
        let config = Arc::clone(&self.config);
        let place = place_of(&resume.checkpoint)?;
        let server = resume.checkpoint.server.clone().unwrap_or_default();
        let (heard, hears) = watch::channel(Heard::default());
        let (work, taken) = mpsc::channel(QUEUED_CHUNKS);
        let (empty, emptied) = mpsc::unbounded_channel();
        let worker = self.worker(store, resume, &place.position, heard)?;
        let mut worker = tokio::task::spawn_blocking(move || worker.run(taken, &empty));
        let stream = Reconnecting::new(config.server.clone(), self.replica.clone(), backoff_options(&config));
        let mut replaced = pin!(until_replaced(config.server.clone(), server.clone(), config.name.clone(), hears));
        let mut following = Following { stream, server, place, is_first: true, work, emptied };
        // Set once no more is read from this server.
        let outcome = loop {
            let mut chunk: EventChunk = following.emptied.try_recv().unwrap_or_default();
            let progress = tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stopped| *stopped) => break Ok(Streamed::Ended),
                ended = &mut worker => return Err(early(ended)),
                progress = following.stream.read_events(&mut chunk, &following.place.position) => progress,
                how = &mut replaced => {
                    tracing::warn!(source = %config.name, "the server's log may have been reset: {how}");
                    break Ok(Streamed::OtherLog);
                }
            };
            let item = match self.follow(&mut following, progress, chunk).await {
                Next::Work(item) => item,
                Next::Read => continue,
                Next::End(outcome) => break outcome,
            };
            tokio::select! {
                // The worker has ended; waiting for its result says why.
                sent = following.work.send(item) => if sent.is_err() { break Ok(Streamed::Ended) },
                _ = self.stopped.wait_for(|stopped| *stopped) => break Ok(Streamed::Ended),
            }
        };
        let Following { stream, work, .. } = following;
        drop(work);
        self.drain(worker, stream, outcome).await
    }

    fn worker(
        &self,
        store: &Arc<CheckpointStore>,
        resume: Resume,
        position: &Position,
        heard: watch::Sender<Heard>,
    ) -> Result<Worker<PulsarSink>, EngineError> {
        let Resume { checkpoint, catalog } = resume;
        let base = Base { server: checkpoint.server.unwrap_or_default(), epoch: checkpoint.epoch };
        let core = Core::new(
            core_options(&self.config, &self.notices, &self.proofs),
            self.sink(store, &base)?,
            Arc::clone(&self.metrics),
            position.clone(),
            checkpoint.logical_offset,
            Arc::clone(&catalog),
        );
        Ok(Worker {
            core,
            store: Arc::clone(store),
            stored_catalog: catalog,
            base,
            refused: None,
            heard,
            metrics: Arc::clone(&self.metrics),
            runtime: tokio::runtime::Handle::current(),
        })
    }

    async fn follow(
        &mut self,
        following: &mut Following,
        progress: Result<Progress, SourceError>,
        chunk: EventChunk,
    ) -> Next {
        match progress {
            Ok(Progress::Events) => Next::Work(Work::Events(chunk)),
            Ok(Progress::Restarted) => self.restarted(following).await,
            Ok(Progress::Waiting { error, .. }) => {
                self.metrics.reconnect_count.add(1);
                self.status.send_replace(SourceStatus::Waiting { reason: EngineError::from(error).to_string() });
                // A worker that waits for the broker answers late.
                let end = tokio::select! {
                    end = abandon(&following.work) => end,
                    _ = self.stopped.wait_for(|stopped| *stopped) => return Next::End(Ok(Streamed::Ended)),
                };
                if let Some((position, log)) = end {
                    let place = &mut following.place;
                    place.log = log.or_else(|| place.log.take().filter(|_| place.position == position));
                    place.position = position;
                }
                Next::Read
            }
            Ok(Progress::End) => Next::End(Ok(Streamed::Ended)),
            Err(error) if error.refuses_position() => Next::End(Ok(Streamed::Refused(error.into()))),
            Err(error) => Next::End(Err(error.into())),
        }
    }

    /// Checks that a new connection leads to the same server and the same log.
    async fn restarted(&self, following: &mut Following) -> Next {
        let Following { stream, server, place, is_first, .. } = following;
        if stream.client().is_some_and(|client| client.server() != *server) {
            return Next::End(Ok(Streamed::OtherServer));
        }
        if !std::mem::take(is_first) {
            match examine_position(&self.config.server, place).await {
                Ok(Some(PositionFault::Purged(_) | PositionFault::OtherLog(_))) => {
                    return Next::End(Ok(Streamed::OtherLog));
                }
                // The server that answered is not the one that sends the stream.
                Ok(None | Some(PositionFault::NotYet(_) | PositionFault::Never(_))) => {}
                Err(error) => {
                    tracing::warn!(source = %self.config.name, "the log could not be looked at: {error}");
                    stream.disconnect(LOOK_PAUSE_MS);
                    return Next::Read;
                }
            }
        }
        let position = &place.position;
        self.status.send_replace(SourceStatus::Streaming { position: position.to_string() });
        tracing::info!(source = %self.config.name, %position, "streaming");
        let checksum = stream.client().map(bitacora_source::replication::Client::checksum);
        Next::Work(Work::Checksum(checksum.unwrap_or(ChecksumAlgorithm::None)))
    }

    /// Waits until what was read is delivered, so that the next start goes on from there. It waits longer where another
    /// server follows, whose log would repeat it.
    async fn drain(
        &mut self,
        worker: RunningWorker,
        stream: Reconnecting,
        outcome: Result<Streamed, EngineError>,
    ) -> Result<Streamed, EngineError> {
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
                () = patience => Err(EngineError::new(
                    ErrorKind::BrokerAway,
                    "the broker does not take the last messages, which are not delivered yet",
                )
                .remedy("nothing is lost: they are sent at the next start, when the broker works again")),
            }
        };
        let (drained, ()) = tokio::join!(drained, stream.leave());
        // The reason of the stream says more than that the broker is away as well.
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
