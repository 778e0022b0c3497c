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
    /// Takes an error's own sentence, and appends the reason of the innermost error if the sentence does not give it.
    fn from(error: E) -> Failure {
        let mut sentence = error.to_string();
        let mut deepest = error.source();
        while let Some(next) = deepest.and_then(std::error::Error::source) {
            deepest = Some(next);
        }
        if let Some(reason) = deepest.map(ToString::to_string)
            && !sentence.contains(&reason)
        {
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
