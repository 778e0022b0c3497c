//! The problems of a configuration: all at once, each one sentence with its place and remedy.

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
        /// Full path of the key, such as `configs.database.hostname`.
        path: String,
    },
    /// An environment variable.
    Environment {
        /// Name of the variable.
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

/// One problem.
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
        /// Where the key is.
        origin: Origin,
        /// The known key with the smallest edit distance.
        nearest: String,
    },
    /// An option that is set twice, possibly by its old and its new name.
    #[error("{origin} sets {key} again, after {first}; remove one of them")]
    Duplicate {
        /// The second place.
        origin: Origin,
        /// The option's current name.
        key: &'static str,
        /// The first place.
        first: Origin,
    },
    /// A value that the option does not take. The text never shows the value of a secret.
    #[error("{origin}: {reason}")]
    WrongValue {
        /// Where the value is.
        origin: Origin,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// An option that is not supported and cannot be ignored, because the events would change.
    #[error("{origin} is not supported: {because}; remove the key to go on without it")]
    Refused {
        /// Where the key is.
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
    /// Options that contradict each other.
    #[error("{file}: {reason}")]
    Conflict {
        /// The file's name as given.
        file: Arc<str>,
        /// The contradiction, and what to do.
        reason: String,
    },
}

/// All problems of a configuration.
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
