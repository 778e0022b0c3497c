//! Does the server receive transactions from another one, so that missing transactions may still arrive?

use crate::Error;
use crate::wire::Connection;

/// Whether a server can still receive transactions from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The server follows another one, belongs to a cluster or is read-only, or the account may not ask.
    MayFollow,
    /// The server follows no other one and is writable.
    Alone,
}

/// Returns the role of a server. An account that may not ask gets [`Role::MayFollow`], because waiting loses nothing.
pub(super) async fn role(connection: &mut Connection) -> Result<Role, Error> {
    match follows(connection).await {
        Ok(false) => Ok(Role::Alone),
        Ok(true) => Ok(Role::MayFollow),
        Err(error) if error.is_refusal() || error.is_table_gone() => Ok(Role::MayFollow),
        Err(error) => Err(error),
    }
}

async fn follows(connection: &mut Connection) -> Result<bool, Error> {
    let version = connection.version();
    let is_mariadb = version.is_mariadb();
    let replicas = match (is_mariadb, version.at_least(8, 0, 22)) {
        (true, _) => "SHOW ALL SLAVES STATUS",
        (false, true) => "SHOW REPLICA STATUS",
        (false, false) => "SHOW SLAVE STATUS",
    };
    if connection.query(replicas).await?.first().is_some() {
        return Ok(true);
    }
    let read_only = connection.query("SHOW GLOBAL VARIABLES LIKE 'read_only'").await?;
    if read_only.first().and_then(|row| row.text(1)).is_some_and(|value| !value.eq_ignore_ascii_case("off")) {
        return Ok(true);
    }
    let cluster = if is_mariadb {
        "SHOW GLOBAL STATUS WHERE Variable_name = 'wsrep_connected' AND Value = 'ON'"
    } else {
        "SELECT 1 FROM performance_schema.replication_group_members WHERE MEMBER_STATE NOT IN ('', 'OFFLINE')"
    };
    Ok(connection.query(cluster).await?.first().is_some())
}
