//! Tells servers apart: after a failover the same address may lead to another server, which has the same data in
//! another log.

use crate::Error;
use crate::wire::Connection;

/// Returns the server's identity: `server_uuid`; on MariaDB `server_id` and, if the version has it, `server_uid`,
/// because the nodes of a Galera cluster may share one `server_id`.
///
/// # Errors
/// Those of the connection.
pub(crate) async fn server_identity(connection: &mut Connection) -> Result<String, Error> {
    let names = if connection.version().is_mariadb() { "'server_id', 'server_uid'" } else { "'server_uuid'" };
    let answer = connection.query(&format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")).await?;
    let values: Vec<&str> = answer.rows().filter_map(|row| row.text(1)).collect();
    if values.is_empty() { Err(connection.malformed("server identity")) } else { Ok(values.join(" ")) }
}
