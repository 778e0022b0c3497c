//! What a source reports about itself.

use bitacora_source::SnapshotProgress;
use bitacora_source::check::Finding;

/// What a source is doing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SourceStatus {
    /// It checks the server.
    Checking,
    /// It waits to try again.
    Waiting {
        /// Why, in one sentence.
        reason: String,
    },
    /// It reads the first snapshot.
    Snapshot(SnapshotProgress),
    /// It follows the log.
    Streaming {
        /// Where it began.
        position: String,
    },
    /// It was stopped; everything it read is delivered.
    Ended,
    /// It failed for good.
    Failed {
        /// Why, in one sentence.
        reason: String,
    },
}

impl SourceStatus {
    /// The names of all states, as [`SourceStatus::state`] gives them.
    pub const STATES: [&'static str; 6] = ["checking", "waiting", "snapshot", "streaming", "ended", "failed"];

    /// The name of the state, without what belongs to it.
    pub fn state(&self) -> &'static str {
        match self {
            SourceStatus::Checking => "checking",
            SourceStatus::Waiting { .. } => "waiting",
            SourceStatus::Snapshot(_) => "snapshot",
            SourceStatus::Streaming { .. } => "streaming",
            SourceStatus::Ended => "ended",
            SourceStatus::Failed { .. } => "failed",
        }
    }

    /// Returns whether the source failed for good.
    pub fn is_failed(&self) -> bool {
        matches!(self, SourceStatus::Failed { .. })
    }
}

/// A finding as one sentence with its remedy.
pub(super) fn sentence(finding: &Finding) -> String {
    let message = finding.message.trim_end_matches('.');
    match finding.remedy.trim_end_matches('.') {
        "" => message.to_owned(),
        remedy => format!("{message}; {remedy}"),
    }
}
