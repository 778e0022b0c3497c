//! Which server answers: the same address may lead to another one after a failover, with the same data in another log.

use crate::Error;
use crate::wire::Connection;

/// Asks for what tells a server from every other: `server_uuid`, or `server_id` on MariaDB, which has no UUID.
///
/// # Errors
/// Those of the connection.
pub async fn server_identity(connection: &mut Connection) -> Result<String, Error> {
    let variable = if connection.version().is_mariadb() { "server_id" } else { "server_uuid" };
    let answer = connection.query(&format!("SELECT @@global.{variable}")).await?;
    answer.first().and_then(|row| row.text(0)).map(str::to_owned).ok_or_else(|| connection.malformed("server identity"))
}
