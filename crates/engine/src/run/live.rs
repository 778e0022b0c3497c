//! From start to end: check, snapshot, stream, and again where another log has to be read.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use bitacora_config::SnapshotMode;
use bitacora_source::ddl::Catalog;

use super::checks::LAGGING_PAUSE;
use super::clock::{now_ms, now_ns};
use super::life::{Checked, Compared, Life, Resume, Streamed};
use super::position;
use super::status::SourceStatus;
use super::stored_catalog::parse_catalog;
use crate::checkpoint::{Checkpoint, CheckpointStore, FormerMarks, Save};
use crate::error::{EngineError, ErrorClass, ErrorKind};

impl Life {
    /// Runs until the source is stopped or fails; its last status says which.
    pub(super) async fn run(mut self, folder: &Path) -> Result<(), EngineError> {
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
                        Compared::CheckAgain if self.pause(LAGGING_PAUSE).await => return Ok(()),
                        Compared::CheckAgain => continue,
                        Compared::Stopped => return Ok(()),
                    }
                }
                _ => self.snapshot(&store).await?,
            };
            let Some(resume) = resume.filter(|_| self.config.snapshot.mode != SnapshotMode::InitialOnly) else {
                return Ok(());
            };
            let mut is_unproven = false;
            match self.stream(&store, resume).await {
                Ok(Streamed::Ended) => return Ok(()),
                Ok(Streamed::OtherServer | Streamed::OtherLog) => {}
                Ok(Streamed::Refused(error)) => refusal = Some(error),
                Err(error) if error.kind == ErrorKind::Undescribed => match self.prove(&store, error).await {
                    Err(error) if error.kind == ErrorKind::Undescribed && self.takes_new_snapshot() => {
                        tracing::warn!(source = %self.config.name, "a new snapshot is taken: {error}");
                        is_unproven = true;
                    }
                    proven => proven?,
                },
                Err(error) if error.class() == ErrorClass::BeginAgain => {
                    tracing::warn!(source = %self.config.name, "the topics are compared with the checkpoint: {error}");
                }
                Err(error) => return Err(error),
            }
            always = is_unproven;
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

    /// Goes on from a checkpoint. Another server has the same transactions in other events, so sequence ids would
    /// differ; a new base begins there.
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
        tracing::warn!(source = %self.config.name, former, server,
            "{address} is another server now; events that were sent after the last checkpoint come twice");
        // The newest mark that each topic has of former bases still counts.
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
}
