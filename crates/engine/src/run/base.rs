//! Bases: where sequence ids begin, and whose they are.

use crate::checkpoint::{CheckpointStore, Epoch};
use crate::error::EngineError;
use crate::sink::names::ProducerNames;

use super::{Life, now_ms};

/// What all checkpoints of one base have in common.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// Whose log is read.
    pub server: String,
    /// `None` for a base of the first format.
    pub epoch: Option<Epoch>,
}

impl Life {
    /// Begins a base; its epoch is stored before the first message that carries it.
    pub(super) fn begin_base(&self, store: &CheckpointStore, server: &str) -> Result<Base, EngineError> {
        let epoch = Epoch::random();
        store.begin_epoch(epoch, now_ms())?;
        Ok(Base { server: server.to_owned(), epoch: Some(epoch) })
    }

    /// The names of the producers of a base.
    pub(super) fn names(&self, store: &CheckpointStore, base: &Base) -> Result<ProducerNames, EngineError> {
        Ok(ProducerNames::new(&self.config.name, base.epoch, store.epochs()?))
    }
}
