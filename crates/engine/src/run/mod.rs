//! The life of a source: checks, snapshot, stream, reconnect, end.
//!
//! A source is one task. It opens the checkpoint store, checks the server, reads a snapshot if there is no checkpoint, and
//! then streams until it is stopped or fails for good. The synchronous work (decode, encode, batch) runs on a blocking
//! thread that the task feeds through a short queue of chunks; when the sink is slow the queue fills and the task stops
//! reading from the server.

mod base;
mod checks;
mod columns;
mod descriptions;
mod log_watch;
mod options;
mod position;
mod saver;
mod snapshot;
mod status;
mod stream;
mod topic_names;
mod topics;
mod worker;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitacora_pulsar::{Client, Endpoint};
use bitacora_source::LogPlace;
use bitacora_source::check::{self, CheckName, CheckOptions, Finding, Severity, SnapshotPlanned};
use bitacora_source::ddl::Catalog;
use bitacora_source::replication::ReplicaOptions;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use bitacora_source::check::Report;
pub use bitacora_source::snapshot::SnapshotProgress;
use topics::Compared;

pub use status::SourceStatus;

use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointStore, FormerMarks, Save};
use crate::error::{EngineError, ErrorClass, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::notices::Notices;
use crate::sink::pulsar::PulsarSink;
use bitacora_config::{SnapshotMode, SourceConfig};

/// A running source.
#[derive(Debug)]
pub struct Source {
    name: String,
    metrics: Arc<SourceMetrics>,
    status: watch::Receiver<SourceStatus>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), EngineError>>,
    has_ended: bool,
}

impl Source {
    /// Starts a source that delivers to `endpoint` and keeps its checkpoint under `data_dir`.
    pub fn start(config: SourceConfig, endpoint: Endpoint, data_dir: &Path) -> Source {
        let metrics = Arc::new(SourceMetrics::default());
        let (status_sender, status) = watch::channel(SourceStatus::Checking);
        let (stop, stopped) = watch::channel(false);
        let name = config.name.clone();
        let folder = data_dir.join("sources").join(folder_name(&name));
        let life = Life {
            replica: options::replica_options(&config, &folder),
            notices: Notices::of(&config.name),
            config: Arc::new(config),
            endpoint,
            metrics: Arc::clone(&metrics),
            status: status_sender,
            stopped,
        };
        let task = tokio::spawn(async move { life.run(&folder).await });
        Source { name, metrics, status, stop, task, has_ended: false }
    }

    /// The source's name, as it is configured.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counters of the source.
    pub fn metrics(&self) -> &Arc<SourceMetrics> {
        &self.metrics
    }

    /// What the source is doing; changes wake the receiver.
    pub fn status(&self) -> watch::Receiver<SourceStatus> {
        self.status.clone()
    }

    /// Asks the source to drain and end: what was read is delivered and the checkpoint stored.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// Whether the source's end has been waited for.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Waits for the end of the source; once.
    ///
    /// # Errors
    /// Why it ended, if it was not asked to.
    pub async fn ended(&mut self) -> Result<(), EngineError> {
        if std::mem::replace(&mut self.has_ended, true) {
            return Ok(());
        }
        (&mut self.task).await.unwrap_or_else(|error| {
            Err(EngineError::new(ErrorKind::Fault, "the source ended by a fault of the program").caused_by(error))
        })
    }
}

/// Checks a source's server without starting anything; a checkpoint under `data_dir` is looked at if there is one.
///
/// # Errors
/// There is a checkpoint store, and it cannot be read.
pub async fn examine(config: &SourceConfig, data_dir: &Path) -> Result<Report, EngineError> {
    let folder = data_dir.join("sources").join(folder_name(&config.name));
    let replica = options::replica_options(config, &folder);
    let store = if folder.is_dir() { Some(CheckpointStore::open(&folder)) } else { None };
    if let Some(Err(CheckpointError::InUse { .. })) = &store {
        let running = CheckOptions { snapshot: SnapshotPlanned::No, ..check_options(config, &replica, None) };
        let mut report = check::run(&config.server, &running).await;
        topic_names::check(config, &mut report);
        report.findings.push(Finding {
            name: CheckName::Position,
            severity: Severity::Note,
            message: "The source runs, so its position is in use and was not checked".into(),
            remedy: String::new(),
        });
        return Ok(report);
    }
    let saved = match store.transpose()? {
        Some(store) => store.load()?,
        None => None,
    };
    let position = saved.map(|saved| position::place_of(&saved.checkpoint)).transpose()?;
    let mut report = check::run(&config.server, &check_options(config, &replica, position)).await;
    topic_names::check(config, &mut report);
    Ok(report)
}

fn check_options(config: &SourceConfig, replica: &ReplicaOptions, position: Option<LogPlace>) -> CheckOptions {
    CheckOptions {
        server_id: config.server_id,
        replica_uuid: replica.replica_uuid.clone(),
        filter: config.filter.clone(),
        snapshot: if position.is_none() { SnapshotPlanned::Yes } else { SnapshotPlanned::No },
        position,
    }
}

/// Everything a source needs while it lives.
pub(crate) struct Life {
    config: Arc<SourceConfig>,
    replica: ReplicaOptions,
    endpoint: Endpoint,
    metrics: Arc<SourceMetrics>,
    /// What was said of the configuration.
    notices: Notices,
    status: watch::Sender<SourceStatus>,
    stopped: watch::Receiver<bool>,
}

impl Life {
    async fn run(mut self, folder: &Path) -> Result<(), EngineError> {
        let outcome = self.live(folder).await;
        let last = match &outcome {
            Ok(()) => SourceStatus::Ended,
            Err(error) => SourceStatus::Failed { reason: error.to_string() },
        };
        self.status.send_replace(last);
        outcome
    }

    async fn live(&mut self, folder: &Path) -> Result<(), EngineError> {
        let store = Arc::new(CheckpointStore::open(folder)?);
        let mut backoff = self.backoff();
        let mut always = self.config.snapshot.mode == SnapshotMode::Always;
        // What the server said when the stream was refused; the checks may know why.
        let mut refusal = None;
        loop {
            let saved = store.load()?;
            let place = saved.as_ref().map(|saved| position::place_of(&saved.checkpoint)).transpose()?;
            let ready = match self.check(place.filter(|_| !always)).await? {
                Checked::Stopped => return Ok(()),
                Checked::Ready { server } => Some(server).filter(|_| !always),
                Checked::Unusable => None,
            };
            let resume = match (saved, ready) {
                (Some(saved), Some(server)) => {
                    if let Some(error) = refusal.take() {
                        return Err(error);
                    }
                    let catalog =
                        self.complete(&store, &saved.checkpoint, parse_catalog(saved.catalog.as_deref())?).await?;
                    self.check_columns(&catalog);
                    let resume = self.resume(&store, saved.checkpoint, catalog, server)?;
                    match self.compare_topics(&store, resume).await? {
                        Compared::Ready(resume) => Some(resume),
                        Compared::Unusable => self.snapshot(&store).await?,
                        Compared::Stopped => return Ok(()),
                    }
                }
                _ => self.snapshot(&store).await?,
            };
            let Some(resume) = resume.filter(|_| self.config.snapshot.mode != SnapshotMode::InitialOnly) else {
                return Ok(());
            };
            match self.stream(&store, resume).await {
                Ok(Streamed::Ended) => return Ok(()),
                Ok(Streamed::OtherServer | Streamed::OtherLog) => {}
                Ok(Streamed::Refused(error)) => refusal = Some(error),
                Err(error) if error.class() == ErrorClass::BeginAgain => {
                    tracing::warn!(source = %self.config.name, "the topics are compared with the checkpoint: {error}");
                }
                Err(error) => return Err(error),
            }
            always = false;
            // Behind some addresses each connection finds another server.
            let Some(pause) = backoff.next() else {
                return Err(EngineError::new(
                    ErrorKind::ServerChanges,
                    "the address leads to a different server each time",
                )
                .remedy("name one server, or let the address change after a failure only"));
            };
            if self.pause(pause).await {
                return Ok(());
            }
        }
    }

    /// Goes on from a checkpoint. The log of another server has the same transactions in other events, which would give
    /// other sequence ids: there a new base begins.
    fn resume(
        &self,
        store: &Arc<CheckpointStore>,
        mut checkpoint: Checkpoint,
        catalog: Arc<Catalog>,
        server: String,
    ) -> Result<Resume, EngineError> {
        let former = checkpoint.server.replace(server);
        if former.is_none() || former == checkpoint.server {
            return Ok(Resume { catalog, checkpoint });
        }
        let (former, server) = (former.unwrap_or_default(), checkpoint.server.clone().unwrap_or_default());
        let address = self.config.server.address();
        tracing::warn!(source = %self.config.name, former, server, "{address} is another server now; events that were sent after the last checkpoint come twice");
        // Of each topic the newest mark of the former bases still counts.
        let mut stale = store.marks()?;
        let kept: HashSet<_> =
            stale.iter().filter(|mark| mark.epoch == checkpoint.epoch).map(|mark| mark.topic.clone()).collect();
        stale.retain(|mark| mark.epoch != checkpoint.epoch && kept.contains(&mark.topic));
        checkpoint.epoch = self.begin_base(store, &server)?.epoch;
        checkpoint.logical_offset = now_ns();
        // File and offset are of the former server's log.
        checkpoint.file = String::new();
        checkpoint.position = 0;
        checkpoint.log = None;
        let save = Save { gone: &stale, ..Save::of(&checkpoint, now_ms()) };
        store.save(&save, FormerMarks::Keep)?;
        Ok(Resume { catalog, checkpoint })
    }

    fn client(&self) -> Result<Client, EngineError> {
        Ok(Client::new(self.config.client(self.endpoint.clone()))?)
    }

    fn sink(&self, store: &CheckpointStore, base: &base::Base) -> Result<PulsarSink, EngineError> {
        let runtime = tokio::runtime::Handle::current();
        let marks = store.marks()?;
        PulsarSink::new(self.client()?, runtime, &self.config.topic_namespace, self.names(store, base)?, marks)
    }

    /// Waits; true if the source was stopped.
    async fn pause(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            _ = self.stopped.wait_for(|stopped| *stopped) => true,
        }
    }
}

/// What the checks said.
pub(crate) enum Checked {
    /// The source may start.
    Ready {
        /// Which server it is.
        server: String,
    },
    /// The server does not have what the checkpoint asks for, and a new snapshot is wanted then.
    Unusable,
    /// The source was stopped before the server answered.
    Stopped,
}

/// How the stream ended.
pub(crate) enum Streamed {
    /// The source was stopped.
    Ended,
    /// The address leads to another server; everything that was read from the former one is delivered.
    OtherServer,
    /// The server's log is not the one that was read; what was read from the former one is delivered.
    OtherLog,
    /// The server refuses the position, for this reason.
    Refused(EngineError),
}

/// What the stream begins with.
pub(crate) struct Resume {
    checkpoint: Checkpoint,
    catalog: Arc<Catalog>,
}

fn parse_catalog(text: Option<&[u8]>) -> Result<Arc<Catalog>, EngineError> {
    let Some(text) = text else { return Ok(Arc::new(Catalog::default())) };
    serde_json::from_slice(text).map(Arc::new).map_err(|error| {
        EngineError::new(ErrorKind::StoredState, "the table descriptions in the checkpoint store cannot be understood")
            .remedy("restore the store from a copy, or remove it to begin with a new snapshot")
            .caused_by(error)
    })
}

fn catalog_text(catalog: &Catalog) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(catalog)
        .map_err(|error| EngineError::new(ErrorKind::Fault, "the table descriptions cannot be stored").caused_by(error))
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    now_ns() / 1_000_000
}

/// Nanoseconds since 1970, where the ids of a base begin: consumers see rising ids in a topic, as far as the clock is right.
pub(crate) fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// A source's name as the name of a folder.
fn folder_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}
