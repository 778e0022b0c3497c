//! Where a source goes on after a restart.
//!
//! A checkpoint names a transaction end in the server's log before which every message is durable at the sink, and the
//! logical offset there. Position, offset and table descriptions change in one transaction of the store: a restart sees
//! all of them from the same moment, so no schema history has to be replayed.
//!
//! The logical offset is the source of all sequence ids (see [`crate::pipeline::logical_offset`]). A source that begins
//! (no checkpoint, a new snapshot, the log of another server) gets a *base*: an [`Epoch`] and a logical offset to count
//! from. The epoch is part of the names of the source's producers, so a broker never compares ids of two bases
//! (`docs/decisions/0010-identities.md`).

mod epoch;
mod error;
mod format;
mod mark;
mod milestone;
mod store;

pub use epoch::Epoch;
pub use error::CheckpointError;
pub use mark::TopicMark;
pub use store::{CheckpointStore, FormerMarks, Save, Saved};

use bitacora_source::LogMark;
use serde::{Deserialize, Serialize};

/// A point in the server's log before which everything is durable at the sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Binlog file.
    pub file: String,
    /// Byte position in the file, behind a transaction's last event.
    pub position: u64,
    /// Every GTID up to here in the server's own notation; absent where the server has none.
    pub gtid: Option<String>,
    /// Logical offset at the position.
    pub logical_offset: u64,
    /// Identity of the server that wrote the log (`server_uuid`, or `server_id` and `server_uid` on MariaDB); absent in stores of
    /// the first versions.
    pub server: Option<String>,
    /// The base that the logical offset belongs to; absent in stores of the first format, whose producers had no epoch in their
    /// names.
    #[serde(default)]
    pub epoch: Option<Epoch>,
    /// What tells the log from another one with the same file names; absent where it was not read yet.
    #[serde(default)]
    pub log: Option<LogMark>,
}

#[cfg(test)]
mod tests;
