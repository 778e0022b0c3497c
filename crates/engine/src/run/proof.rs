//! Proving what a table looked like, where the log does not name its columns and no description is certain.

use bitacora_source::ddl::StatementPlace;
use bitacora_source::replication::{ShapeThen, shape_at};

use super::life::Life;
use crate::checkpoint::CheckpointStore;
use crate::error::{EngineError, ErrorClass, ErrorKind, ShapeSince, Undescribed};
use crate::pipeline::proofs::Proof;

impl Life {
    /// Proves by the log that a table still has the shape that the source met; the stream then begins again, and uses
    /// the proof where it meets that shape.
    ///
    /// # Errors
    /// `error`, with the reason, where there is no proof.
    pub(super) async fn prove(&mut self, store: &CheckpointStore, error: EngineError) -> Result<(), EngineError> {
        let Some(Undescribed { name, since }) = error.undescribed.as_deref().cloned() else { return Err(error) };
        let Some(saved) = store.load()? else { return Err(error) };
        let checkpoint = saved.checkpoint;
        let rows = match (&error.place.file, error.place.position) {
            (Some(file), Some(offset)) => StatementPlace { file: file.clone(), offset },
            _ => return Err(error),
        };
        let place = match &since {
            ShapeSince::Statement(place) => place.clone(),
            ShapeSince::Start => StatementPlace { file: checkpoint.file.clone(), offset: checkpoint.position },
            ShapeSince::Rows => rows.clone(),
        };
        let server = checkpoint.server.unwrap_or_default();
        let mut backoff = self.backoff();
        let then = loop {
            let failed = match shape_at(&self.config.server, &server, &name, &place).await {
                Ok(then) => break then,
                Err(failed) => EngineError::from(failed),
            };
            let pause = backoff.next().filter(|_| failed.class() == ErrorClass::Retry);
            let Some(pause) = pause else { return Err(failed) };
            tracing::warn!(source = %self.config.name, pause_ms = pause.as_millis(), "{failed}");
            if self.pause(pause).await {
                // The stream sees at once that the source was stopped.
                return Ok(());
            }
        };
        let unproven = |why: String| {
            let what = format!("{}; the server's own description does not help: {why}", error.what);
            EngineError::new(ErrorKind::Undescribed, what)
                .remedy(error.remedy.clone().unwrap_or_default())
                .at((*error.place).clone())
        };
        let table = match then {
            ShapeThen::Same(table) => Some(*table),
            ShapeThen::Sequence => None,
            // The checks find the other server.
            ShapeThen::OtherServer => return Ok(()),
            ShapeThen::Changed(at) => {
                return Err(unproven(format!("the statement at {}:{} may have changed the table", at.file, at.offset)));
            }
            ShapeThen::Gone => return Err(unproven("the table does not exist any more".into())),
            ShapeThen::Purged => return Err(unproven("the log since then is not there any more".into())),
        };
        tracing::info!(source = %self.config.name, table = %name, since = %format!("{}:{}", place.file, place.offset),
            "the log shows that the table has not changed since; the server's description is used");
        let rows = (since == ShapeSince::Rows).then_some(rows);
        if self.proofs.add(Proof { name, since, rows, table }) { Ok(()) } else { Err(error) }
    }
}
