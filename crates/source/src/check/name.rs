//! The names of the checks.

use std::fmt;

/// The check that gave a finding. Callers decide by this name what to do about a finding, never by its sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckName {
    /// A server answers at the address and is ready for logins.
    Reachable,
    /// The connection lasted until all checks were done.
    Connection,
    /// The server knows the statements of the checks.
    Statement,
    /// The account may log in.
    Credentials,
    /// The connection can be encrypted as configured.
    Tls,
    /// Product and version of the server.
    Version,
    /// The server writes a binlog.
    LogBin,
    /// Variable `binlog_format`.
    BinlogFormat,
    /// Variable `binlog_row_image`.
    BinlogRowImage,
    /// Variable `binlog_row_metadata`.
    BinlogRowMetadata,
    /// Variable `binlog_row_value_options`.
    BinlogRowValueOptions,
    /// Whether positions follow GTIDs.
    GtidMode,
    /// How long the binlog is kept.
    Retention,
    /// Whether changes that the server receives by replication are in its log.
    LogReplicaUpdates,
    /// The configured replica id is not the server's own.
    ServerId,
    /// No other replica uses the configured id. The server lists a replica that vanished without closing its connection
    /// until the next heartbeat to it fails.
    ReplicaId,
    /// Privileges of the account.
    Privileges,
    /// The stream can begin at the position.
    Position,
    /// The expressions of the filter lists.
    Filter,
    /// At least one table is captured.
    Tables,
    /// Captured tables of engines without a consistent view.
    Engines,
    /// Captured tables without a primary key.
    PrimaryKey,
    /// Each captured table has a topic of its own.
    Topics,
}

impl CheckName {
    /// Returns the name for people. A check of a server variable has the variable's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Connection => "connection",
            Self::Statement => "statement",
            Self::Credentials => "credentials",
            Self::Tls => "tls",
            Self::Version => "version",
            Self::LogBin => "log_bin",
            Self::BinlogFormat => "binlog_format",
            Self::BinlogRowImage => "binlog_row_image",
            Self::BinlogRowMetadata => "binlog_row_metadata",
            Self::BinlogRowValueOptions => "binlog_row_value_options",
            Self::GtidMode => "gtid_mode",
            Self::Retention => "retention",
            Self::LogReplicaUpdates => "log_replica_updates",
            Self::ServerId => "server_id",
            Self::ReplicaId => "replica_id",
            Self::Privileges => "privileges",
            Self::Position => "position",
            Self::Filter => "filter",
            Self::Tables => "tables",
            Self::Engines => "engines",
            Self::PrimaryKey => "primary_key",
            Self::Topics => "topics",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
