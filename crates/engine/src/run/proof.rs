//! Proving what a table looked like, where the log does not name its columns and no description is certain.

use std::sync::Arc;

use bitacora_source::ddl::StatementPlace;
use bitacora_source::replication::{ShapeThen, shape_at};

use super::life::Life;
use crate::checkpoint::CheckpointStore;
use crate::error::{EngineError, ErrorKind, Undescribed};
use crate::pipeline::proofs::Proof;

impl Life {
    /// Proves by the log that a table still has the shape that the source met; the stream then begins again, and uses
    /// the proof where it meets that shape.
    ///
    /// # Errors
    /// `error`, with the reason, where there is no proof.
    pub(super) async fn prove(&mut self, store: &CheckpointStore, error: EngineError) -> Result<(), EngineError> {
        let Some(Undescribed { name, doubt }) = error.undescribed.as_deref().cloned() else { return Err(error) };
        let (Some(saved), Some(file), Some(offset)) = (store.load()?, &error.place.file, error.place.position) else {
            return Err(error);
        };
        let checkpoint = saved.checkpoint;
        let since = match doubt {
            Some(doubt) => doubt.since,
            None => Some(StatementPlace { file: file.clone(), offset }),
        };
        if self.proofs.get(&name, since.as_ref()).is_some() {
            // Another proof of the same cannot help.
            return Err(error);
        }
        let begin = || StatementPlace { file: checkpoint.file.clone(), offset: checkpoint.position };
        let place = since.clone().unwrap_or_else(begin);
        let server = checkpoint.server.clone().unwrap_or_default();
        let config = Arc::clone(&self.config);
        let Some(then) = self.until_answered(|| shape_at(&config.server, &server, &name, &place)).await? else {
            // The stream sees at once that the source was stopped.
            return Ok(());
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
        self.proofs.add(Proof { name, since, table });
        Ok(())
    }
}
