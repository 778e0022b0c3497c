//! The thread that stores checkpoints, so that a disk that syncs slowly never holds up an event.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use bitacora_source::ddl::Catalog;

use super::base::Base;
use super::clock::now_ms;
use super::position::of_end;
use super::stored_catalog::catalog_text;
use crate::checkpoint::{CheckpointStore, FormerMarks, Save, TopicMark};
use crate::error::{EngineError, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::pipeline::core::End;

/// What is stored with one transaction end.
#[derive(Debug)]
pub(super) struct Offer {
    /// The end.
    pub end: End,
    /// Ends of topics that changed since the last offer.
    pub marks: Vec<TopicMark>,
}

/// The worker's end of the thread.
pub(super) struct Saver {
    offers: SyncSender<Offer>,
    thread: JoinHandle<Result<(), EngineError>>,
}

impl Saver {
    /// Starts the thread. `stored` is the catalog that the store holds, `base` is what it goes on with.
    pub(super) fn start(
        store: Arc<CheckpointStore>,
        stored: Arc<Catalog>,
        base: Base,
        metrics: Arc<SourceMetrics>,
    ) -> Result<Saver, EngineError> {
        let (offers, taken) = sync_channel::<Offer>(1);
        let mut stored = stored;
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(move || {
            while let Ok(offer) = taken.recv() {
                save(&store, &offer, &base, &mut stored)?;
                metrics.checkpoint_count.add(1);
            }
            Ok(())
        });
        let thread = thread.map_err(|error| {
            EngineError::new(ErrorKind::System, "the checkpoint thread cannot be started")
                .remedy("raise the limit of threads")
                .caused_by(error)
        })?;
        Ok(Saver { offers, thread })
    }

    /// Hands an offer over; returns it while an earlier one is still being stored.
    pub(super) fn offer(&self, offer: Offer) -> Result<Option<Offer>, EngineError> {
        match self.offers.try_send(offer) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full(offer)) => Ok(Some(offer)),
            Err(TrySendError::Disconnected(_)) => {
                Err(EngineError::new(ErrorKind::Fault, "the checkpoint thread has ended"))
            }
        }
    }

    /// Stores the last offer, if there is one, and ends the thread.
    pub(super) fn finish(self, last: Option<Offer>) -> Result<(), EngineError> {
        if let Some(offer) = last {
            // If the thread has ended, its result below says why.
            let _ = self.offers.send(offer);
        }
        drop(self.offers);
        self.thread.join().unwrap_or_else(|_| {
            Err(EngineError::new(ErrorKind::Fault, "the checkpoint thread ended by a fault of the program"))
        })
    }
}

fn save(store: &CheckpointStore, offer: &Offer, base: &Base, stored: &mut Arc<Catalog>) -> Result<(), EngineError> {
    let end = &offer.end;
    let catalog = if Arc::ptr_eq(&end.catalog, stored) { None } else { Some(catalog_text(&end.catalog)?) };
    let checkpoint = of_end(end, base);
    let save = Save { catalog: catalog.as_deref(), marks: &offer.marks, ..Save::of(&checkpoint, now_ms()) };
    store.save(&save, FormerMarks::Keep)?;
    *stored = Arc::clone(&end.catalog);
    Ok(())
}
