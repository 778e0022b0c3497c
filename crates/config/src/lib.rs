//! Reads the configuration of a process from a file and the environment.
//!
//! One table (`option`) says everything about each option. A file becomes a tree with line numbers (`document`). The
//! tree's values become settings, which the environment overrides and defaults complete. The settings are applied to a
//! draft, and the draft is checked as a whole. The result is complete: no later stage fills in a default. All problems
//! of a file are reported at once, each with its place and remedy, and none of them shows a secret.
//!
//! Life cycle: the configuration is read once at start. It is not watched or reloaded.

mod apply;
mod columns;
mod document;
mod draft;
mod engine_config;
mod environment;
mod event_router;
mod large_rows;
mod nearest;
mod option;
mod outbox;
mod own_toml;
mod placeholder;
mod problem;
mod pulsar_io;
mod raw;
mod reference;
mod settings;
mod source_config;
#[cfg(test)]
mod tests;
mod variables;

use std::path::Path;

pub use self::engine_config::{BrokerConfig, EngineConfig};
pub use self::environment::Environment;
pub use self::own_toml::parse_toml_config;
pub use self::problem::{ConfigError, Origin, Problem};
pub use self::pulsar_io::parse_pulsar_io;
pub use self::reference::markdown;
pub use self::source_config::{
    Destination, FileKind, LostMessages, RetrySettings, SnapshotMode, SnapshotSettings, SourceConfig, UnusedOption,
};

/// Longest configuration file that is read.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Loads a source file of Pulsar IO's Debezium connector.
pub fn load_pulsar_io(path: &Path, environment: &Environment) -> Result<EngineConfig, ConfigError> {
    parse_pulsar_io(&read(path)?, &path.display().to_string(), environment)
}

/// Loads our own TOML.
pub fn load_toml(path: &Path, environment: &Environment) -> Result<EngineConfig, ConfigError> {
    parse_toml_config(&read(path)?, &path.display().to_string(), environment)
}

fn read(path: &Path) -> Result<String, Problem> {
    let unreadable = |cause| Problem::Unreadable { path: path.to_owned(), cause };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_FILE_BYTES {
        return Err(unreadable(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it is longer than {MAX_FILE_BYTES} bytes"),
        )));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
