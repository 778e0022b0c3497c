//! The thread that stores checkpoints, so that a disk that syncs slowly never holds up an event.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use bitacora_source::ddl::Catalog;

use super::base::Base;
use super::position::of_end;
use super::{catalog_text, unusable_store};
use crate::checkpoint::CheckpointStore;
use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::pipeline::core::End;

/// The worker's end of the thread.
pub(super) struct Saver {
    ends: SyncSender<End>,
    thread: JoinHandle<Result<(), EngineError>>,
}

impl Saver {
    /// Starts the thread. `stored` is the catalog that the store holds, `base` is what it goes on with.
    pub fn start(
        store: Arc<CheckpointStore>,
        stored: Arc<Catalog>,
        base: Base,
        metrics: Arc<SourceMetrics>,
    ) -> Result<Saver, EngineError> {
        let (ends, taken) = sync_channel::<End>(1);
        let mut stored = stored;
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(move || {
            while let Ok(end) = taken.recv() {
                save(&store, &end, &base, &mut stored)?;
                metrics.checkpoint_count.add(1);
            }
            Ok(())
        });
        let thread = thread.map_err(|error| {
            EngineError::stop("the checkpoint thread cannot be started")
                .remedy("raise the limit of threads")
                .caused_by(error)
        })?;
        Ok(Saver { ends, thread })
    }

    /// Hands an end over; gives it back while an earlier one is still being stored.
    pub fn offer(&self, end: End) -> Result<Option<End>, EngineError> {
        match self.ends.try_send(end) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full(end)) => Ok(Some(end)),
            Err(TrySendError::Disconnected(_)) => Err(EngineError::stop("the checkpoint thread has ended")),
        }
    }

    /// Stores the last end, if there is one, and ends the thread.
    pub fn finish(self, last: Option<End>) -> Result<(), EngineError> {
        if let Some(end) = last {
            // A thread that has ended says why below.
            let _ = self.ends.send(end);
        }
        drop(self.ends);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(EngineError::stop("the checkpoint thread ended by a fault of the program")))
    }
}

fn save(store: &CheckpointStore, end: &End, base: &Base, stored: &mut Arc<Catalog>) -> Result<(), EngineError> {
    let catalog = if Arc::ptr_eq(&end.catalog, stored) { None } else { Some(catalog_text(&end.catalog)?) };
    store.save(&of_end(end, base), catalog.as_deref()).map_err(unusable_store)?;
    *stored = Arc::clone(&end.catalog);
    Ok(())
}
