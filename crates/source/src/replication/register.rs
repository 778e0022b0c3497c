//! Settles what must be known before the dump: checksum, heartbeat, identity, and that the replica id is free.
//!
//! Sources: "Replication and Binary Logging Options and Variables" and "COM_REGISTER_SLAVE" for MySQL, "Replica
//! Protocol" for MariaDB. Both spellings of a variable are set; a server ignores user variables that it does not know.

use bitacora_binlog::ChecksumAlgorithm;

use super::options::{AnnotateRows, ReplicaOptions};
use crate::Error;
use crate::wire::{Connection, put_length};

const COM_REGISTER_SLAVE: u8 = 0x15;

/// Negotiates, registers, and returns the checksum that events will carry.
pub(super) async fn register(
    connection: &mut Connection,
    options: &ReplicaOptions,
) -> Result<ChecksumAlgorithm, Error> {
    check_server_id(connection, options).await?;
    let mariadb = connection.version().is_mariadb();
    let heartbeat_ns = options.heartbeat_ms.max(1).saturating_mul(1_000_000);
    connection
        .execute(&format!(
            "SET @master_heartbeat_period = {heartbeat_ns}, @source_heartbeat_period = {heartbeat_ns}, \
             @slave_uuid = '{uuid}', @replica_uuid = '{uuid}'",
            uuid = escaped(&options.replica_uuid)
        ))
        .await?;
    if mariadb {
        // 4: this replica understands GTID events, so the server need not replace them.
        connection.execute("SET @mariadb_slave_capability = 4").await?;
    }
    let checksum = negotiate_checksum(connection).await?;
    connection.command(&registration(options), "registering as a replica").await?;
    connection.acknowledged("the registration as a replica").await?;
    Ok(checksum)
}

/// Asks for events with the checksums that the log has, and returns their algorithm.
pub(super) async fn negotiate_checksum(connection: &mut Connection) -> Result<ChecksumAlgorithm, Error> {
    connection
        .execute(
            "SET @master_binlog_checksum = @@global.binlog_checksum, \
             @source_binlog_checksum = @@global.binlog_checksum",
        )
        .await?;
    let answer = connection.query("SELECT @master_binlog_checksum").await?;
    match answer.first().and_then(|row| row.text(0)) {
        Some("CRC32") => Ok(ChecksumAlgorithm::Crc32),
        _ => Ok(ChecksumAlgorithm::None),
    }
}

/// Refuses an id that the server itself or another replica uses. If the account may not list the replicas, a conflict
/// shows only later, when the server ends one of the two streams.
async fn check_server_id(connection: &mut Connection, options: &ReplicaOptions) -> Result<(), Error> {
    let own = connection.query("SELECT @@global.server_id").await?;
    let own = own.first().and_then(|row| row.text(0)).and_then(|text| text.parse::<u32>().ok());
    if own == Some(options.server_id) {
        return Err(Error::ServerIdInUse { server_id: options.server_id, other: "the source itself".into() });
    }
    match other_replica(connection, options.server_id, &options.replica_uuid).await {
        Ok(None) => Ok(()),
        Ok(Some(other)) => Err(Error::ServerIdInUse { server_id: options.server_id, other }),
        Err(error) if error.is_refusal() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns a description of another replica with the id, if there is one.
pub(crate) async fn other_replica(
    connection: &mut Connection,
    server_id: u32,
    replica_uuid: &str,
) -> Result<Option<String>, Error> {
    let version = connection.version();
    let statement =
        if !version.is_mariadb() && version.at_least(8, 0, 22) { "SHOW REPLICAS" } else { "SHOW SLAVE HOSTS" };
    let replicas = connection.query(statement).await?;
    for row in replicas.rows() {
        let same_id = row.text(0).and_then(|text| text.parse::<u32>().ok()) == Some(server_id);
        let host = row.named("Host").unwrap_or_default();
        // MariaDB shows no UUID, so the identity is also registered as the host name.
        let ours = [row.named("Replica_UUID"), row.named("Slave_UUID"), Some(host)].contains(&Some(replica_uuid));
        if same_id && !ours {
            let host = if host.is_empty() { "on an unknown host" } else { host };
            return Ok(Some(format!("another replica ({host})")));
        }
    }
    Ok(None)
}

fn registration(options: &ReplicaOptions) -> Vec<u8> {
    let mut payload = vec![COM_REGISTER_SLAVE];
    payload.extend_from_slice(&options.server_id.to_le_bytes());
    let host: String = options.replica_uuid.chars().take(60).collect();
    put_length(&mut payload, host.len() as u64);
    payload.extend_from_slice(host.as_bytes());
    // Two bytes for an empty user and an empty password, then port 0 (two bytes), rank 0 and source id 0 (four each).
    payload.extend_from_slice(&[0; 2 + 2 + 4 + 4]);
    payload
}

fn escaped(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// Returns the flag of the dump command that asks for annotate events, or 0.
pub(super) fn annotate_flag(options: &ReplicaOptions) -> u16 {
    match options.annotate_rows {
        AnnotateRows::Send => 2,
        AnnotateRows::Omit => 0,
    }
}
