//! The checks before a source starts, repeated until the server answers and has what the checkpoint asks for.

use std::time::{Duration, Instant};

use bitacora_source::check::{self, PositionFault, REPLICA_ID, Severity, log_at};
use bitacora_source::{Error as SourceError, LogMark, LogPlace, Position};

use super::snapshot::source_error;
use super::status::{self, SourceStatus};
use super::{Checked, Life, check_options, topic_names};
use crate::config::SnapshotMode;
use crate::error::EngineError;

/// Pause before another server is asked again whether it has what the position holds.
const LAGGING_PAUSE: Duration = Duration::from_secs(2);

/// A server that follows none and is writable may be in the middle of a failover: a replica that was taken from its source and
/// gets the rest by other means. After this time it is the new server as it is.
const NEVER_AFTER: Duration = Duration::from_secs(60);

impl Life {
    /// Checks the server until it answers, and until it has what lies before the position.
    pub(super) async fn check(&mut self, place: Option<LogPlace>) -> Result<Checked, EngineError> {
        let mut backoff = self.backoff();
        let former = place.as_ref().and_then(|place| place.server.clone());
        let options = check_options(&self.config, &self.replica, place);
        // The server sends to a replica that has ended once in vain before it fails: two heartbeats, and some time.
        let replica_gone = Instant::now() + Duration::from_millis(self.replica.heartbeat_ms) * 5 / 2;
        let mut alone_since: Option<Instant> = None;
        loop {
            self.status.send_replace(SourceStatus::Checking);
            let mut report = tokio::select! {
                report = check::run(&self.config.server, &options) => report,
                _ = self.stopped.wait_for(|stopped| *stopped) => return Ok(Checked::Stopped),
            };
            topic_names::check(&self.config, &mut report);
            for finding in report.findings.iter().filter(|finding| finding.severity == Severity::Warning) {
                tracing::warn!(source = %self.config.name, check = %finding.name, "{}", status::sentence(finding));
            }
            let Some(failure) = report.failures().next() else {
                return Ok(Checked::Ready { server: report.server.unwrap_or_default() });
            };
            let names: Vec<_> = report.failures().map(|finding| finding.name).collect();
            let error = EngineError::configuration(status::sentence(failure));
            // What is wrong with another server than the checkpoint's may pass when the address leads back.
            let is_other = former.is_some() && report.server.is_some() && report.server != former;
            let may_come = match &report.position_fault {
                Some(PositionFault::NotYet(_)) => {
                    alone_since = None;
                    true
                }
                Some(PositionFault::Purged(_)) => false,
                _ => is_other && alone_since.get_or_insert_with(Instant::now).elapsed() < NEVER_AFTER,
            };
            if may_come {
                tracing::warn!(source = %self.config.name, server = report.server, "waiting for the server behind {}: {error}", self.config.server.address());
                self.status.send_replace(SourceStatus::Waiting { reason: error.to_string() });
                if self.pause(LAGGING_PAUSE).await {
                    return Ok(Checked::Stopped);
                }
                continue;
            }
            if names == ["position"] {
                if matches!(self.config.snapshot.mode, SnapshotMode::WhenNeeded | SnapshotMode::Always) {
                    tracing::warn!(source = %self.config.name, "a new snapshot is taken: {}", status::sentence(failure));
                    return Ok(Checked::Unusable);
                }
                return Err(error);
            }
            // A server that cannot be reached may be starting, a replica with our id may have ended; everything else stays wrong
            // until someone mends it.
            let may_pass = |name: &str| match name {
                "reachable" | "connection" => true,
                REPLICA_ID => Instant::now() < replica_gone,
                _ => false,
            };
            if !names.iter().all(|name| may_pass(name)) {
                return Err(error);
            }
            let Some(pause) = backoff.next() else { return Err(error) };
            tracing::warn!(source = %self.config.name, pause_ms = pause.as_millis() as u64, "{error}");
            self.status.send_replace(SourceStatus::Waiting { reason: error.to_string() });
            if self.pause(pause).await {
                return Ok(Checked::Stopped);
            }
        }
    }

    /// What tells the log at a position from every other one; `None` where the account may not look.
    pub(super) async fn log_at(&self, server: &str, position: &Position) -> Result<Option<LogMark>, EngineError> {
        match log_at(&self.config.server, server, position).await {
            Err(error @ SourceError::Server { .. }) => {
                tracing::warn!(source = %self.config.name, "a log that takes the place of this one before the first event is not noticed: {error}");
                Ok(None)
            }
            found => found.map_err(source_error),
        }
    }
}
