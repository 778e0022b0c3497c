//! Options of the checks.

use crate::{Filter, LogPlace};

/// What is going to be captured, and how.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// `database.server.id` of this process.
    pub server_id: u32,
    /// Identity of this process as a replica.
    pub replica_uuid: String,
    /// Captured databases and tables.
    pub filter: Filter,
    /// Position from which the stream would start; `None` before the first snapshot.
    pub position: Option<LogPlace>,
    /// Whether a snapshot will read rows.
    pub snapshot: SnapshotPlanned,
}

/// Whether a snapshot will be taken. A snapshot needs more privileges than the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPlanned {
    /// A snapshot will read rows.
    Yes,
    /// Only the stream will be read.
    No,
}
