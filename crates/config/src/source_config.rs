//! The configuration of one source: its server, what it captures, how its events look and where they go.

use std::path::PathBuf;

use bitacora_change::outbox::OutboxRule;
use bitacora_change::{ColumnRules, Connector, DebeziumForm, LargeRows, TopicCollision, ValueFormat};
use bitacora_pulsar::{Auth, ClientConfig, Endpoint};
use bitacora_source::{Filter, ServerConfig};

/// The kind of file that configures a source. It decides only defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FileKind {
    /// Our own TOML: by default Debezium 3.6's form, and NULL stays null.
    #[default]
    Own,
    /// A source file of Pulsar IO: by default Debezium 1.9's form, and NULL is printed as the column's default.
    PulsarIo,
}

/// When existing rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotMode {
    /// The source reads the rows once, at the first start, and then the stream.
    #[default]
    Initial,
    /// The source reads the rows once and then ends.
    InitialOnly,
    /// The source reads no rows, only the stream from now on (older name `schema_only`).
    NoData,
    /// The source reads the rows at every start, and then the stream.
    Always,
    /// The source reads the rows if there is no saved position, or if the server can no longer continue from it.
    WhenNeeded,
    /// The source reads no rows, only the stream from the oldest binlog that the server still has.
    Never,
}

/// How the snapshot is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotSettings {
    /// When rows are read.
    pub mode: SnapshotMode,
    /// Longest wait of one attempt to get a read lock.
    pub lock_timeout_ms: u64,
}

/// What the source does if a topic lacks messages that it had confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LostMessages {
    /// The source goes back in the server's log and sends them again.
    #[default]
    SendAgain,
    /// The source goes on without them.
    Accept,
}

/// How often and when the source connects again after a broken connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetrySettings {
    /// Tries before the source gives up; `None` means without end.
    pub max_retries: Option<u64>,
    /// First wait, which doubles with each try.
    pub initial_delay_ms: u64,
    /// Longest wait.
    pub max_delay_ms: u64,
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Destination {
    /// The broker in this process.
    #[default]
    Embedded,
    /// A Pulsar with this service URL, such as `pulsar://host:6650`.
    Pulsar {
        /// The URL.
        url: String,
    },
}

/// A known key that was set but has no effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedOption {
    /// The key as written in the file or the environment.
    pub key: String,
    /// Why nothing depends on it, without a final stop.
    pub reason: &'static str,
}

/// The complete and checked configuration of one source.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceConfig {
    /// Name of the source; unique in a configuration, part of producer names.
    pub name: String,
    /// The kind of file that configures the source.
    pub file_kind: FileKind,
    /// Debezium connector whose events are written.
    pub connector: Connector,
    /// The server to read.
    pub server: ServerConfig,
    /// Replica id under which the binlog is read; unique among the server's replicas.
    pub server_id: u32,
    /// Silence after which the binlog connection counts as dead; the server is asked for a heartbeat at 0.8 of it.
    pub keep_alive_interval_ms: u64,
    /// Databases and tables whose changes are published.
    pub filter: Filter,
    /// Which columns are published, masked or cut.
    pub columns: ColumnRules,
    /// Which of the captured tables are outboxes, and how their rows become messages.
    pub outboxes: Vec<OutboxRule>,
    /// What happens to rows whose message no broker takes.
    pub large_rows: LargeRows,
    /// Most topics of outbox rows that are open at once.
    pub open_topics_max: usize,
    /// What the source does if a topic lacks messages that it had confirmed.
    pub lost_messages: LostMessages,
    /// First part of every topic's name; `source.name` of the events.
    pub topic_prefix: String,
    /// What happens to tables whose topics would have the same name.
    pub topic_collision: TopicCollision,
    /// `tenant/namespace` of the topics.
    pub topic_namespace: String,
    /// Version of Debezium whose form the events have.
    pub form: DebeziumForm,
    /// Form of a message's key and value.
    pub value_format: ValueFormat,
    /// Whether a delete is followed by a message without value.
    pub tombstones_on_delete: bool,
    /// Whether NULL in a column with a default is printed as that default, as Kafka Connect's JSON converter does.
    pub replace_null_with_default: bool,
    /// Whether events carry the SQL statement (`source.query`) if the server logs it.
    pub include_query: bool,
    /// Whether schema changes are published on the topic named as the prefix.
    pub include_schema_changes: bool,
    /// How the snapshot is taken.
    pub snapshot: SnapshotSettings,
    /// How often and when the source connects again after a broken connection.
    pub retry: RetrySettings,
    /// Where events go.
    pub destination: Destination,
    /// How the source authenticates itself to Pulsar.
    pub auth: Auth,
    /// PEM file of the authorities that may have signed Pulsar's certificate; `None` for the public ones.
    pub tls_trust_certs_file: Option<PathBuf>,
    /// Keys that are known but have no effect.
    pub unused: Vec<UnusedOption>,
}

impl SourceConfig {
    /// Creates a source of which nothing is set yet.
    pub(super) fn empty(kind: FileKind) -> Self {
        SourceConfig {
            name: String::new(),
            file_kind: kind,
            connector: Connector::Mysql,
            server: ServerConfig::new("", 0, "", ""),
            server_id: 0,
            keep_alive_interval_ms: 0,
            filter: Filter::default(),
            columns: ColumnRules::default(),
            outboxes: Vec::new(),
            large_rows: LargeRows::default(),
            open_topics_max: 0,
            lost_messages: LostMessages::default(),
            topic_prefix: String::new(),
            topic_collision: TopicCollision::default(),
            topic_namespace: String::new(),
            form: DebeziumForm::V3_6,
            value_format: ValueFormat::Json,
            tombstones_on_delete: false,
            replace_null_with_default: false,
            include_query: false,
            include_schema_changes: false,
            snapshot: SnapshotSettings::default(),
            retry: RetrySettings::default(),
            destination: Destination::default(),
            auth: Auth::None,
            tls_trust_certs_file: None,
            unused: Vec::new(),
        }
    }

    /// Returns the configuration of the source's clients for a broker at `endpoint`.
    pub fn client(&self, endpoint: Endpoint) -> ClientConfig {
        let mut config = ClientConfig::new(endpoint);
        config.auth = self.auth.clone();
        config.tls_ca_file.clone_from(&self.tls_trust_certs_file);
        config
    }

    /// Returns the sentence to show once at start if there are keys without effect.
    pub fn unused_notice(&self) -> Option<String> {
        if self.unused.is_empty() {
            return None;
        }
        let list: Vec<String> =
            self.unused.iter().map(|option| format!("{} ({})", option.key, option.reason)).collect();
        Some(format!("source {}: these keys are known but have no effect here: {}", self.name, list.join(", ")))
    }
}
