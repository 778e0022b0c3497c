//! The checks before a source starts, repeated until the server answers and has what the checkpoint asks for.

use std::time::{Duration, Instant};

use bitacora_source::check::{self, CheckName, PositionFault, Report, Severity, log_at};
use bitacora_source::{LogMark, LogPlace, Position};

use super::life::{Checked, Life};
use super::options::check_options;
use super::status::{self, SourceStatus};
use super::topic_names;
use crate::error::{EngineError, ErrorClass, ErrorKind};
use bitacora_config::SnapshotMode;

/// Pause before another server is asked again whether it has the transactions of the position.
pub(super) const LAGGING_PAUSE: Duration = Duration::from_secs(2);

/// Time for a failover to end. A writable server that follows no other may still get missing transactions by other
/// means; after this time it is taken for the new server as it is.
const NEVER_AFTER: Duration = Duration::from_secs(60);

/// What the source does after the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The source may start.
    Start,
    /// Another server answers than the one that wrote the log. Wait: its fault may pass, or the address may lead to
    /// the first server again.
    AwaitServer,
    /// The server's log does not hold what the checkpoint asks for; nothing else is wrong.
    PositionLost,
    /// What is wrong may pass: check again with back-off.
    TryAgain,
    /// The operator has to change the server or the configuration: stop.
    Fail,
}

/// The times until which something wrong is waited for.
#[derive(Debug)]
struct Patience {
    /// Latest moment at which the server notices that a replica with our id has ended.
    replica_gone: Instant,
    /// When another server that follows none was first seen.
    alone_since: Option<Instant>,
}

impl Patience {
    fn step(&mut self, report: &Report, former: Option<&str>, now: Instant) -> Step {
        if report.is_ready() {
            return Step::Start;
        }
        // A fault of a server that the checkpoint is not of may pass when the address leads back.
        let is_other = former.is_some() && report.server.is_some() && report.server.as_deref() != former;
        let may_come = match &report.position_fault {
            Some(PositionFault::NotYet(_)) => {
                self.alone_since = None;
                true
            }
            Some(PositionFault::Purged(_)) => false,
            _ => is_other && now.duration_since(*self.alone_since.get_or_insert(now)) < NEVER_AFTER,
        };
        if may_come {
            return Step::AwaitServer;
        }
        let failures: Vec<_> = report.failures().map(|finding| finding.name).collect();
        let may_pass = |name: &CheckName| match name {
            CheckName::ReplicaId => now < self.replica_gone,
            name => ErrorKind::Check(*name).class() == ErrorClass::Retry,
        };
        match failures[..] {
            [CheckName::Position] => Step::PositionLost,
            _ if failures.iter().all(may_pass) => Step::TryAgain,
            _ => Step::Fail,
        }
    }
}

impl Life {
    /// Checks the server until it answers, and until it has what lies before the position.
    pub(super) async fn check(&mut self, place: Option<LogPlace>) -> Result<Checked, EngineError> {
        let mut backoff = self.backoff();
        let former = place.as_ref().and_then(|place| place.server.clone());
        let options = check_options(&self.config, &self.replica, place);
        // A dead replica is noticed only when the second heartbeat cannot be sent, so 2.5 heartbeats are enough.
        let replica_gone = Instant::now() + Duration::from_millis(self.replica.heartbeat_ms) * 5 / 2;
        let mut patience = Patience { replica_gone, alone_since: None };
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
            let step = patience.step(&report, former.as_deref(), Instant::now());
            let Some(failure) = report.failures().next() else {
                return Ok(Checked::Ready { server: report.server.unwrap_or_default() });
            };
            let error = EngineError::new(ErrorKind::Check(failure.name), status::sentence(failure));
            let pause = match step {
                Step::AwaitServer => {
                    tracing::warn!(source = %self.config.name, server = report.server,
                        "waiting for the server behind {}: {error}", self.config.server.address());
                    LAGGING_PAUSE
                }
                Step::PositionLost if self.takes_new_snapshot() => {
                    tracing::warn!(source = %self.config.name, "a new snapshot is taken: {}", failure.message);
                    return Ok(Checked::Unusable);
                }
                Step::TryAgain => {
                    let Some(pause) = backoff.next() else { return Err(error) };
                    tracing::warn!(source = %self.config.name, pause_ms = pause.as_millis(), "{error}");
                    pause
                }
                Step::Start | Step::PositionLost | Step::Fail => return Err(error),
            };
            self.status.send_replace(SourceStatus::Waiting { reason: error.to_string() });
            if self.pause(pause).await {
                return Ok(Checked::Stopped);
            }
        }
    }

    /// Returns whether the source takes a new snapshot when the log or a topic lacks what the checkpoint relies on.
    pub(super) fn takes_new_snapshot(&self) -> bool {
        matches!(self.config.snapshot.mode, SnapshotMode::WhenNeeded | SnapshotMode::Always)
    }

    /// Returns the mark that tells this log from others at a position; `None` if the account may not read it.
    pub(super) async fn log_at(&self, server: &str, position: &Position) -> Result<Option<LogMark>, EngineError> {
        match log_at(&self.config.server, server, position).await {
            Err(error) if error.is_refusal() => {
                tracing::warn!(source = %self.config.name,
                    "a log that takes the place of this one before the first event is not noticed: {error}");
                Ok(None)
            }
            found => Ok(found?),
        }
    }
}

#[cfg(test)]
mod tests {
    use bitacora_source::check::Finding;

    use super::*;

    /// A report whose failures have names and no words.
    fn report(server: &str, failures: &[CheckName], position_fault: Option<PositionFault>) -> Report {
        let finding =
            |name| Finding { name, severity: Severity::Failure, message: String::new(), remedy: String::new() };
        Report {
            findings: failures.iter().copied().map(finding).collect(),
            server: Some(server.to_owned()).filter(|server| !server.is_empty()),
            position_fault,
            ..Report::default()
        }
    }

    #[test]
    fn the_name_of_a_check_says_what_follows_from_it() {
        use CheckName::{Connection, Credentials, Position, Reachable, ReplicaId, Statement, Topics};
        let now = Instant::now();
        for (failures, step) in [
            (&[][..], Step::Start),
            (&[Reachable], Step::TryAgain),
            (&[Connection], Step::TryAgain),
            (&[ReplicaId], Step::TryAgain),
            (&[ReplicaId, Connection], Step::TryAgain),
            (&[Position], Step::PositionLost),
            (&[Position, Topics], Step::Fail),
            (&[Position, Connection], Step::Fail),
            (&[Statement], Step::Fail),
            (&[Credentials], Step::Fail),
        ] {
            let mut patience = Patience { replica_gone: now + Duration::from_secs(1), alone_since: None };
            assert_eq!(patience.step(&report("a", failures, None), Some("a"), now), step, "{failures:?}");
        }
    }

    #[test]
    fn a_replica_that_is_there_after_its_heartbeats_lives() {
        let now = Instant::now();
        let mut patience = Patience { replica_gone: now, alone_since: None };
        assert_eq!(patience.step(&report("a", &[CheckName::ReplicaId], None), Some("a"), now), Step::Fail);
    }

    #[test]
    fn another_server_is_waited_for_while_it_may_still_get_what_it_lacks() {
        let start = Instant::now();
        let mut patience = Patience { replica_gone: start, alone_since: None };
        let mut step = |fault: PositionFault, seconds| {
            let lacks = report("b", &[CheckName::Position], Some(fault));
            patience.step(&lacks, Some("a"), start + Duration::from_secs(seconds))
        };
        let (never, not_yet) = (PositionFault::Never(String::new()), PositionFault::NotYet(String::new()));
        assert_eq!(step(PositionFault::Purged(String::new()), 0), Step::PositionLost);
        assert_eq!(step(never.clone(), 0), Step::AwaitServer);
        assert_eq!(step(not_yet, 61), Step::AwaitServer);
        assert_eq!(step(never.clone(), 62), Step::AwaitServer, "it followed another server meanwhile");
        assert_eq!(step(never, 122), Step::PositionLost);
    }
}
