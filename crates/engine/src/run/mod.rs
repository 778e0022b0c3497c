//! The life of a source: checks, snapshot, stream, reconnect, end.
//!
//! A source is one task. It opens the checkpoint store, checks the server, reads a snapshot if there is no checkpoint,
//! and then streams until it is stopped or fails for good. The synchronous work (decode, encode, batch) runs on a
//! blocking thread that the task feeds through a short queue of chunks; when the sink is slow the queue fills and the
//! task stops reading from the server.

mod base;
mod checks;
mod clock;
mod columns;
mod descriptions;
mod life;
mod live;
mod log_watch;
mod options;
mod position;
mod proof;
mod saver;
mod snapshot;
mod status;
mod stored_catalog;
mod stream;
mod topic_names;
mod topics;
mod worker;

use std::path::Path;
use std::sync::Arc;

use bitacora_config::SourceConfig;
use bitacora_pulsar::Endpoint;
pub use bitacora_source::SnapshotProgress;
pub use bitacora_source::check::Report;
use bitacora_source::check::{self, CheckName, CheckOptions, Finding, Severity, SnapshotPlanned};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::life::Life;
pub use self::status::SourceStatus;
use crate::checkpoint::{CheckpointError, CheckpointStore};
use crate::error::{EngineError, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::notices::Notices;
use crate::pipeline::proofs::Proofs;

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
            proofs: Proofs::default(),
            config: Arc::new(config),
            endpoint,
            metrics: Arc::clone(&metrics),
            status: status_sender,
            stopped,
        };
        let task = tokio::spawn(async move { life.run(&folder).await });
        Source { name, metrics, status, stop, task, has_ended: false }
    }

    /// Returns the source's configured name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the source's counters.
    pub fn metrics(&self) -> &Arc<SourceMetrics> {
        &self.metrics
    }

    /// Returns a receiver that is woken by each change of the source's status.
    pub fn status(&self) -> watch::Receiver<SourceStatus> {
        self.status.clone()
    }

    /// Asks the source to drain and end: what was read is delivered and the checkpoint stored.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// Returns whether [`Source::ended`] has been called.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Waits for the end of the source. A second call returns at once.
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
        let running = CheckOptions { snapshot: SnapshotPlanned::No, ..options::check_options(config, &replica, None) };
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
    let mut report = check::run(&config.server, &options::check_options(config, &replica, position)).await;
    topic_names::check(config, &mut report);
    Ok(report)
}

/// Returns a source's name as the name of a folder.
fn folder_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}
