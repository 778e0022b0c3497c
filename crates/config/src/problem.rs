//! What is wrong with a configuration: all problems at once, each one sentence with its place and remedy.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A key in a file.
    File {
        /// The file's name as given.
        file: Arc<str>,
        /// One-based line.
        line: usize,
        /// Full path of the key, `configs.database.hostname`.
        path: String,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The default of the table of options.
    Default {
        /// The option's name.
        key: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { file, line, path } => write!(f, "{file}:{line}: {path}"),
            Origin::Environment { variable } => write!(f, "environment variable {variable}"),
            Origin::Default { key } => write!(f, "default of {key}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {cause}; check the path and its permissions", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not YAML or TOML.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// The file's name as given.
        file: Arc<str>,
        /// One-based line.
        line: usize,
        /// What the parser found.
        message: String,
    },
    /// A key that is not in the table of options.
    #[error("{origin} is not a known key; the nearest known key is {nearest}")]
    UnknownKey {
        /// Where the key stands.
        origin: Origin,
        /// The known key with the smallest edit distance.
        nearest: String,
    },
    /// A key given twice, possibly under its old and its new name.
    #[error("{origin} sets {key} again, after {first}; remove one of them")]
    Duplicate {
        /// The second place.
        origin: Origin,
        /// The option's current name.
        key: &'static str,
        /// The first place.
        first: Origin,
    },
    /// A value that the option does not take. Values of secrets are never part of it.
    #[error("{origin}: {reason}")]
    WrongValue {
        /// Where the value stands.
        origin: Origin,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// A key whose effect is not available here, and which would change the events.
    #[error("{origin} is not supported: {because}; remove the key to go on without it")]
    Refused {
        /// Where the key stands.
        origin: Origin,
        /// Why it cannot be ignored.
        because: String,
    },
    /// A required option without a value.
    #[error("{file}: {key} is missing; {remedy}")]
    Missing {
        /// The file's name as given.
        file: Arc<str>,
        /// The option's name in this file.
        key: String,
        /// How to set it.
        remedy: String,
    },
    /// Options that exclude each other, or a value that does not fit another one.
    #[error("{file}: {reason}")]
    Conflict {
        /// The file's name as given.
        file: Arc<str>,
        /// What does not fit together, and what to do.
        reason: String,
    },
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub struct ConfigError {
    /// The problems in the order of the file; never empty.
    pub problems: Vec<Problem>,
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        ConfigError { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
