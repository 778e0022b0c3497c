//! Findings of the checks.

use std::fmt;

use super::{CheckName, PositionFault};
use crate::{Error, TableName};

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing, nothing to do.
    Note,
    /// Capture works, but may fail or surprise later.
    Warning,
    /// Capture is impossible until this is corrected.
    Failure,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub name: CheckName,
    /// How bad the result is.
    pub severity: Severity,
    /// What was found: one sentence without a final stop.
    pub message: String,
    /// What to do: one sentence without a final stop; empty if there is nothing to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.severity {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Failure => "FAILED",
        };
        write!(f, "{mark:<8}{}: {}.", self.name, self.message)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, " {}.", self.remedy) }
    }
}

/// All results in the order of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The results.
    pub findings: Vec<Finding>,
    /// Identity of the server that answered (`server_uuid`, or `server_id` and `server_uid` on MariaDB); `None` if no
    /// server did.
    pub server: Option<String>,
    /// What is wrong with the position, if anything is.
    pub position_fault: Option<PositionFault>,
    /// The captured tables that exist.
    pub tables: Vec<TableName>,
}

impl Report {
    /// Returns whether capture may start.
    pub fn is_ready(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the failures in the order of the checks.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Failure)
    }

    /// Returns the result of a check, and the worst one if the check gave several.
    pub fn find(&self, name: CheckName) -> Option<&Finding> {
        self.findings.iter().filter(|finding| finding.name == name).max_by_key(|finding| finding.severity)
    }

    pub(super) fn ok(&mut self, name: CheckName, message: impl Into<String>) {
        self.add(name, Severity::Ok, message, "");
    }

    pub(super) fn add(
        &mut self,
        name: CheckName,
        severity: Severity,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.findings.push(Finding { name, severity, message: message.into(), remedy: remedy.into() });
    }

    pub(super) fn failed(&mut self, name: CheckName, error: &Error) {
        self.add(name, Severity::Failure, error.to_string(), error.remedy());
    }
}
