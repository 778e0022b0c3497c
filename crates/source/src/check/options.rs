//! What the checks are asked about.

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
    /// Where the stream would start; `None` before the first snapshot.
    pub position: Option<LogPlace>,
    /// Whether rows will be read.
    pub snapshot: SnapshotPlanned,
}

/// Whether a snapshot will be taken: it needs more privileges than the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPlanned {
    /// Rows will be read.
    Yes,
    /// Only the stream.
    No,
}
