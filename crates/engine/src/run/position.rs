//! Positions in the checkpoint store.

use bitacora_source::{LogMark, LogPlace, Position};

use super::base::Base;
use crate::checkpoint::Checkpoint;
use crate::error::{EngineError, ErrorKind};
use crate::pipeline::core::End;

/// The position of a stored checkpoint.
pub(super) fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Position, EngineError> {
    let gtid = checkpoint.gtid.as_deref().map(str::parse).transpose().map_err(|error: bitacora_binlog::Error| {
        EngineError::new(ErrorKind::StoredState, "the GTIDs in the checkpoint store cannot be understood")
            .remedy("restore the store from a copy, or remove it to begin with a new snapshot")
            .caused_by(error)
    })?;
    Ok(Position { file: checkpoint.file.clone(), offset: checkpoint.position, gtid })
}

/// The place of a stored checkpoint.
pub(super) fn place_of(checkpoint: &Checkpoint) -> Result<LogPlace, EngineError> {
    Ok(LogPlace {
        position: of_checkpoint(checkpoint)?,
        log: checkpoint.log.clone(),
        server: checkpoint.server.clone(),
    })
}

/// A position in a base's log as it is stored.
pub(super) fn checkpoint(position: &Position, log: Option<LogMark>, logical_offset: u64, base: &Base) -> Checkpoint {
    Checkpoint {
        file: position.file.clone(),
        position: position.offset,
        gtid: position.gtid.as_ref().map(ToString::to_string),
        logical_offset,
        server: Some(base.server.clone()),
        epoch: base.epoch,
        log,
    }
}

/// A transaction end in a base's log as it is stored.
pub(super) fn of_end(end: &End, base: &Base) -> Checkpoint {
    checkpoint(&end.position, end.log.clone(), end.logical_offset, base)
}
