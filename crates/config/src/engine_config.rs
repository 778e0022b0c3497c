//! What one process runs.

use std::path::PathBuf;

use super::source_config::SourceConfig;

/// The embedded broker's addresses and defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrokerConfig {
    /// `host:port` of Pulsar's binary protocol.
    pub listen: String,
    /// `host:port` of the admin REST.
    pub http: String,
    /// Names by which the admin REST is meant to be asked, beside `localhost` and addresses.
    pub http_names: Vec<String>,
    /// Whether addresses that other machines can reach are meant.
    pub allow_remote: bool,
    /// How a topic's schema may change where the policy of its namespace does not say, in Pulsar's words.
    pub schema_compatibility_strategy: String,
    /// Largest entry that clients may send, in bytes.
    pub max_message_size: u32,
}

/// A whole configuration, complete and checked.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Folder of everything durable: checkpoints, and the broker's log if it runs here.
    pub data_dir: PathBuf,
    /// The embedded broker, if it runs in this process: the file has a `[broker]` table or a source delivers into it.
    pub broker: Option<BrokerConfig>,
    /// `host:port` of `/metrics`, if the sources have one of their own.
    pub metrics: Option<String>,
    /// The sources.
    pub sources: Vec<SourceConfig>,
    /// Sentences to show once at start (misspelt environment variables).
    pub notes: Vec<String>,
}
