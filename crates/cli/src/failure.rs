//! Errors for users: one sentence with the remedy.

use std::fmt;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// Creates a failure with this sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Failure {
        Failure(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    /// Takes an error's own sentence, and behind it the deepest of its sources, most often the system's reason. No
    /// sentence says what is also a source, so nothing is printed twice.
    fn from(error: E) -> Failure {
        let mut sentence = error.to_string();
        let mut deepest = error.source();
        while let Some(next) = deepest.and_then(std::error::Error::source) {
            deepest = Some(next);
        }
        if let Some(reason) = deepest {
            sentence.push_str(&format!(" ({reason})"));
        }
        Failure(sentence)
    }
}

/// Prints a failure and returns the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    eprintln!("bitacora: {failure}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bitacora_config::{Environment, load_toml};
    use bitacora_engine::{EngineError, ErrorKind};

    use super::*;

    #[test]
    fn the_systems_reason_is_printed_once() {
        let refused = || std::io::Error::other("Permission denied");
        let untold = EngineError::new(ErrorKind::System, "the folder cannot be made").caused_by(refused());
        assert_eq!(Failure::from(untold).to_string(), "the folder cannot be made (Permission denied)");
        assert_eq!(Failure::from(EngineError::quoting(ErrorKind::System, refused())).to_string(), "Permission denied");
        let unreadable = load_toml(Path::new("/dev/null/none"), &Environment::default()).unwrap_err();
        let sentence = Failure::from(unreadable).to_string();
        assert_eq!(sentence.matches("os error").count(), 1, "{sentence}");
    }
}
