//! One checkpoint.

use bitacora_source::LogMark;
use serde::{Deserialize, Serialize};

use super::epoch::Epoch;

/// A point in the server's log before which everything is durable at the sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Binlog file.
    pub file: String,
    /// Byte position in the file, behind a transaction's last event.
    pub position: u64,
    /// Every GTID up to here in the server's own notation; absent where the server has none.
    pub gtid: Option<String>,
    /// Logical offset at the position.
    pub logical_offset: u64,
    /// Identity of the server that wrote the log (`server_uuid`, or `server_id` and `server_uid` on MariaDB); absent in
    /// stores of the first versions.
    pub server: Option<String>,
    /// The base that the logical offset belongs to; absent in stores of the first format, whose producers had no epoch
    /// in their names.
    #[serde(default)]
    pub epoch: Option<Epoch>,
    /// What tells the log from another one with the same file names; absent where it was not read yet.
    #[serde(default)]
    pub log: Option<LogMark>,
}
