//! Why the command ends with a code that is not zero.

use std::error::Error;
use std::process::ExitCode;

/// One sentence for whoever runs the program.
#[derive(Debug)]
pub struct Fallo {
    sentence: String,
}

impl Fallo {
    /// Creates a failure out of its sentence.
    pub fn nuevo(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into() }
    }

    /// Writes the sentence to standard error and returns the exit code.
    pub fn informar(&self) -> ExitCode {
        eprintln!("aeroalpes: {}", self.sentence);
        ExitCode::FAILURE
    }
}

impl<E: Error> From<E> for Fallo {
    /// Takes an error and what caused it, in one line.
    fn from(error: E) -> Self {
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            let text = source.to_string();
            // Some errors already say their cause.
            if !sentence.contains(&text) {
                sentence = format!("{sentence}: {text}");
            }
            cause = source.source();
        }
        Self { sentence }
    }
}
