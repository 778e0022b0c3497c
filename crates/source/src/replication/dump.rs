//! The commands that ask for the stream.
//!
//! Formats: "COM_BINLOG_DUMP" and "COM_BINLOG_DUMP_GTID" in the MySQL Server Developer Documentation; "COM_BINLOG_DUMP"
//! in the MariaDB Knowledge Base. MariaDB takes a GTID position from `@slave_connect_state`.

use bitacora_binlog::gtid::{GtidSet, MysqlGtidSet};

use super::options::{ReplicaOptions, Waiting};
use super::register::annotate_flag;
use crate::wire::Connection;
use crate::{Error, Flavor, Position};

const COM_BINLOG_DUMP: u8 = 0x12;
const COM_BINLOG_DUMP_GTID: u8 = 0x1e;
const NON_BLOCK: u16 = 1;
const THROUGH_GTID: u16 = 4;

/// Offset of the first event in a binlog file; four magic bytes come before it.
const FIRST_POSITION: u32 = 4;

/// Sends the command that suits the server and the position.
pub(super) async fn request(
    connection: &mut Connection,
    options: &ReplicaOptions,
    position: &Position,
) -> Result<(), Error> {
    let flags = match options.waiting {
        Waiting::ForEvents => 0,
        Waiting::Never => NON_BLOCK,
    };
    let payload = match (connection.version().flavor, &position.gtid) {
        // Both products write an empty set the same way, so the set of a server without transactions suits either.
        (Flavor::Mysql, Some(set)) if set.is_empty() || matches!(set, GtidSet::Mysql(_)) => {
            let mut encoded = Vec::new();
            match set {
                GtidSet::Mysql(set) => set.encode(&mut encoded),
                GtidSet::Mariadb(_) => MysqlGtidSet::default().encode(&mut encoded),
            }
            dump_gtid(options.server_id, flags, &encoded)
        }
        (Flavor::Mariadb, Some(set)) if set.is_empty() || matches!(set, GtidSet::Mariadb(_)) => {
            connection
                .execute(&format!(
                    "SET @slave_connect_state = '{set}', @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0"
                ))
                .await?;
            dump_file(options.server_id, flags | annotate_flag(options), "", FIRST_POSITION)
        }
        (flavor, None) => {
            let offset = u32::try_from(position.offset.max(FIRST_POSITION.into())).map_err(|_| Error::Position {
                reason: format!(
                    "offset {} of {} is beyond the 4 GiB that the dump command can name; only a GTID could name it",
                    position.offset, position.file
                ),
            })?;
            let flags = if flavor == Flavor::Mariadb { flags | annotate_flag(options) } else { flags };
            dump_file(options.server_id, flags, &position.file, offset)
        }
        (flavor, Some(_)) => {
            let product = match flavor {
                Flavor::Mysql => "MySQL",
                Flavor::Mariadb => "MariaDB",
            };
            return Err(Error::Position { reason: format!("its GTIDs are not in the format of {product}") });
        }
    };
    connection.command(&payload, "asking for the replication stream").await
}

/// Returns the command that asks for a file from an offset on.
pub(super) fn dump_file(server_id: u32, flags: u16, file: &str, offset: u32) -> Vec<u8> {
    let mut payload = vec![COM_BINLOG_DUMP];
    payload.extend_from_slice(&offset.to_le_bytes());
    payload.extend_from_slice(&flags.to_le_bytes());
    payload.extend_from_slice(&server_id.to_le_bytes());
    payload.extend_from_slice(file.as_bytes());
    payload
}

#[expect(clippy::cast_possible_truncation, reason = "a packet of this size would not be sent")]
fn dump_gtid(server_id: u32, flags: u16, encoded: &[u8]) -> Vec<u8> {
    let mut payload = vec![COM_BINLOG_DUMP_GTID];
    payload.extend_from_slice(&(flags | THROUGH_GTID).to_le_bytes());
    payload.extend_from_slice(&server_id.to_le_bytes());
    payload.extend_from_slice(&0_u32.to_le_bytes());
    payload.extend_from_slice(&u64::from(FIRST_POSITION).to_le_bytes());
    payload.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
    payload.extend_from_slice(encoded);
    payload
}
