//! Opens the snapshot's sessions.

use super::options::SnapshotOptions;
use crate::wire::Connection;
use crate::{Error, ServerConfig};

/// Longest wait of a read behind a change of its table. It may be longer than the wait for a lock, because no other
/// session waits behind it.
pub(super) const READ_WAIT_S: u32 = 3600;

/// Opens a session with the snapshot's own limits.
pub(super) async fn session(config: &ServerConfig, options: &SnapshotOptions) -> Result<Connection, Error> {
    let mut connection = Connection::open(config).await?;
    let write_s = options.write_timeout_ms.div_ceil(1000).clamp(1, 31_536_000);
    let limits = format!("SET SESSION lock_wait_timeout = {READ_WAIT_S}, net_write_timeout = {write_s}");
    connection.execute(&limits).await?;
    Ok(connection)
}
