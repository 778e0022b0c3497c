//! The engine's error: what happened, where, and what the operator can do.
//!
//! Every failure of a source run ends in one [`EngineError`]. Its class decides what the engine does (try again, stop,
//! wait for a change of the configuration); its `Display` form is the one sentence that a user reads, with the remedy.

use std::fmt;

/// What the engine does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The cause passes by itself (a connection was cut): connect again with back-off.
    Retry,
    /// A topic lacks what it had confirmed: the source begins again at its checkpoint, which finds out what to send again.
    BeginAgain,
    /// Going on would lose or invent data: the source stops.
    Stop,
    /// The configuration or the server's settings must be changed first.
    FixConfiguration,
}

/// Where in the server's log an error happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Host and port of the server.
    pub server: Option<String>,
    /// Binlog file.
    pub file: Option<String>,
    /// Byte position of the event in that file.
    pub position: Option<u64>,
    /// GTID of the transaction.
    pub gtid: Option<String>,
    /// `database.table`.
    pub table: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            let written = write!(f, "{separator}{text}");
            separator = ", ";
            written
        };
        if let Some(server) = &self.server {
            part(f, format_args!("server {server}"))?;
        }
        if let Some(table) = &self.table {
            part(f, format_args!("table {table}"))?;
        }
        match (&self.file, self.position) {
            (Some(file), Some(position)) => part(f, format_args!("binlog {file}:{position}"))?,
            (Some(file), None) => part(f, format_args!("binlog {file}"))?,
            _ => {}
        }
        if let Some(gtid) = &self.gtid {
            part(f, format_args!("GTID {gtid}"))?;
        }
        Ok(())
    }
}

impl Place {
    fn is_empty(&self) -> bool {
        *self == Place::default()
    }
}

/// A failure of a source run.
#[derive(Debug)]
#[non_exhaustive]
pub struct EngineError {
    /// What the engine does about it.
    pub class: ErrorClass,
    /// What happened, without a final stop.
    pub what: String,
    /// Where it happened.
    pub place: Box<Place>,
    /// What the operator can do, without a final stop.
    pub remedy: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl EngineError {
    /// Makes an error of the given class.
    pub fn new(class: ErrorClass, what: impl Into<String>) -> Self {
        EngineError { class, what: what.into(), place: Box::default(), remedy: None, source: None }
    }

    /// An error after which the source stops.
    pub fn stop(what: impl Into<String>) -> Self {
        EngineError::new(ErrorClass::Stop, what)
    }

    /// An error that passes by itself.
    pub fn retry(what: impl Into<String>) -> Self {
        EngineError::new(ErrorClass::Retry, what)
    }

    /// An error that a change of the configuration mends.
    pub fn configuration(what: impl Into<String>) -> Self {
        EngineError::new(ErrorClass::FixConfiguration, what)
    }

    /// Says what the operator can do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
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

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
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
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_with_place_and_remedy() {
        let error = EngineError::stop("a row could not be decoded")
            .at(Place { file: Some("binlog.000001".into()), position: Some(120), ..Place::default() })
            .remedy("restore the file from a replica")
            .at(Place { table: Some("a.b".into()), position: Some(7), ..Place::default() });
        assert_eq!(
            error.to_string(),
            "a row could not be decoded (table a.b, binlog binlog.000001:120); restore the file from a replica"
        );
    }
}
