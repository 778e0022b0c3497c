//! The engine's error: what happened, where, and what the operator can do.
//!
//! Every failure of a source run ends in one [`EngineError`]. Its [`ErrorKind`] says what went wrong, and the kind's
//! [`ErrorClass`] what the engine does (try again, wait, begin again, stop). Its `Display` form is the one sentence
//! that a user reads, with the remedy; nothing is decided by that sentence.

mod from;
mod kind;
mod place;

use std::fmt;

use bitacora_source::TableName;
use bitacora_source::ddl::Doubt;

pub use kind::{ErrorClass, ErrorKind};
pub use place::Place;

/// A failure of a source run.
#[derive(Debug)]
#[non_exhaustive]
pub struct EngineError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// What happened, without a final stop.
    pub what: String,
    /// Where it happened.
    pub place: Box<Place>,
    /// What the operator can do, without a final stop.
    pub remedy: Option<String>,
    /// Of [`ErrorKind::Undescribed`]: which table, and where its shape has to be proven.
    pub(crate) undescribed: Option<Box<Undescribed>>,
    cause: Option<Cause>,
}

/// A table whose rows came without names, and which no description fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undescribed {
    pub name: TableName,
    /// Why its shape is not known; `None` if the rows, whose place is the error's, are the first sign of it.
    pub doubt: Option<Doubt>,
}

/// The error that caused another one.
#[derive(Debug)]
struct Cause {
    error: Box<dyn std::error::Error + Send + Sync>,
    /// Whether the sentence has its words already. Then only what lies behind it is a source.
    is_quoted: bool,
}

impl EngineError {
    /// Creates an error of a kind with the sentence that says what happened.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        EngineError {
            kind,
            what: said(what.into()),
            place: Box::default(),
            remedy: None,
            undescribed: None,
            cause: None,
        }
    }

    /// Creates an error of a kind with the sentence of its cause.
    pub fn quoting(kind: ErrorKind, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        EngineError::new(kind, cause.to_string()).quoted(cause)
    }

    /// Returns what the engine does about it.
    pub fn class(&self) -> ErrorClass {
        self.kind.class()
    }

    /// Puts a clause about the work under way before the sentence that says what happened.
    #[must_use]
    pub fn during(mut self, work: &str) -> Self {
        self.what = said(format!("{work}: {}", self.what));
        self
    }

    /// Says what the operator can do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(said(remedy.into()));
        self
    }

    /// Says where it happened; parts that are already known stay.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        let known = std::mem::take(&mut *self.place);
        *self.place = Place {
            server: known.server.or(place.server),
            file: known.file.or(place.file),
            position: known.position.or(place.position),
            gtid: known.gtid.or(place.gtid),
            table: known.table.or(place.table),
        };
        self
    }

    /// Keeps the error that caused this one, of which the sentence says nothing yet.
    #[must_use]
    pub fn caused_by(mut self, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Cause { error: Box::new(error), is_quoted: false });
        self
    }

    /// Keeps the error that caused this one, whose words the sentence has.
    #[must_use]
    pub fn quoted(mut self, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Cause { error: Box::new(error), is_quoted: true });
        self
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.place.is_empty() {
            write!(f, " ({})", self.place)?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for EngineError {
    /// Returns the cause that the sentence does not say.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let cause = self.cause.as_ref()?;
        if cause.is_quoted { cause.error.source() } else { Some(&*cause.error) }
    }
}

/// Returns a sentence as it goes into an error.
#[cfg(not(test))]
fn said(sentence: String) -> String {
    sentence
}

/// Returns a sentence as it goes into an error; it becomes `x` where a test wants errors without words.
#[cfg(test)]
fn said(sentence: String) -> String {
    if WORDLESS.get() { "x".to_owned() } else { sentence }
}

#[cfg(test)]
thread_local! {
    /// Whether errors that are made on this thread have their words replaced.
    pub(crate) static WORDLESS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_with_place_and_remedy() {
        let error = EngineError::new(ErrorKind::Log, "a row could not be decoded")
            .at(Place { file: Some("binlog.000001".into()), position: Some(120), ..Place::default() })
            .remedy("restore the file from a replica")
            .at(Place { table: Some("a.b".into()), position: Some(7), ..Place::default() });
        assert_eq!(
            error.to_string(),
            "a row could not be decoded (table a.b, binlog binlog.000001:120); restore the file from a replica"
        );
    }

    #[test]
    fn a_source_is_what_the_sentence_does_not_say() {
        use std::error::Error as _;

        let system = || std::io::Error::other("no space left");
        let untold = EngineError::new(ErrorKind::System, "the thread cannot be started").caused_by(system());
        assert_eq!(untold.source().unwrap().to_string(), "no space left");
        let quoted = EngineError::quoting(ErrorKind::System, system());
        assert_eq!(quoted.to_string(), "no space left");
        assert!(quoted.source().is_none());
        let two = EngineError::quoting(ErrorKind::System, untold);
        assert_eq!(two.to_string(), "the thread cannot be started");
        assert_eq!(two.source().unwrap().to_string(), "no space left");
    }
}
