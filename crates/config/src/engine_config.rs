//! The configuration of one process.

use std::path::PathBuf;

use super::source_config::SourceConfig;

/// The embedded broker's addresses and defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrokerConfig {
    /// `host:port` of Pulsar's binary protocol.
    pub listen: String,
    /// `host:port` of the admin REST.
    pub http: String,
    /// Host names under which the admin REST accepts requests, besides `localhost` and addresses.
    pub http_names: Vec<String>,
    /// Whether the addresses may be reachable from other machines.
    pub allow_remote: bool,
    /// Pulsar's strategy for changes of a topic's schema, if the policy of its namespace names none.
    pub schema_compatibility_strategy: String,
    /// Largest entry that clients may send, in bytes.
    pub max_message_size: u32,
}

/// A complete and checked configuration.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Folder of everything durable: checkpoints, and the broker's log if it runs here.
    pub data_dir: PathBuf,
    /// The embedded broker, if it runs in this process: the file has a `[broker]` table or a source delivers into it.
    pub broker: Option<BrokerConfig>,
    /// `host:port` of a `/metrics` for the sources alone, if configured.
    pub metrics: Option<String>,
    /// The sources.
    pub sources: Vec<SourceConfig>,
    /// Notes to show once at start, one sentence each (misspelt environment variables).
    pub notes: Vec<String>,
}
