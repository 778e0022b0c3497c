//! Is the place where the stream would start still in the server's log?

use super::{CheckOptions, Report, Severity};
use crate::wire::Connection;
use crate::{Error, Flavor, Position};

const NEW_SNAPSHOT: &str = "Take a new snapshot, and keep the binlog longer (binlog_expire_logs_seconds)";

/// Checks the position, if there is one. Without the privilege to ask, the stream itself tells at its start.
pub async fn check(connection: &mut Connection, options: &CheckOptions, report: &mut Report) -> Result<(), Error> {
    let Some(position) = &options.position else { return Ok(()) };
    let found = match (connection.version().flavor, &position.gtid) {
        (Flavor::Mysql, Some(gtid)) => mysql_gtid(connection, &gtid.to_string()).await,
        (Flavor::Mariadb, Some(gtid)) => mariadb_gtid(connection, &gtid.to_string()).await,
        (_, None) => file(connection, position).await,
    };
    match found {
        Ok(None) => report.ok("position", format!("The log still has everything after {position}")),
        Ok(Some(gap)) => report.add("position", Severity::Failure, gap, NEW_SNAPSHOT),
        Err(error @ Error::Server { .. }) => {
            report.add(
                "position",
                Severity::Warning,
                format!("The position could not be checked: {error}"),
                error.remedy(),
            );
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn mysql_gtid(connection: &mut Connection, ours: &str) -> Result<Option<String>, Error> {
    let quoted: String = ours.chars().filter(|c| *c != '\'' && *c != '\\').collect();
    let answer = connection
        .query(&format!(
            "SELECT GTID_SUBTRACT(@@global.gtid_purged, '{quoted}'), GTID_SUBTRACT('{quoted}', @@global.gtid_executed)"
        ))
        .await?;
    let Some(row) = answer.first() else { return Ok(None) };
    let (purged, unknown) = (plain(row.text(0)), plain(row.text(1)));
    Ok(if !purged.is_empty() {
        Some(format!("The server has purged transactions that were not captured yet: {purged}"))
    } else if !unknown.is_empty() {
        Some(format!("The position holds transactions that this server never executed: {unknown}"))
    } else {
        None
    })
}

fn plain(text: Option<&str>) -> String {
    text.unwrap_or_default().replace(['\n', ' '], "")
}

async fn mariadb_gtid(connection: &mut Connection, ours: &str) -> Result<Option<String>, Error> {
    let logs = connection.query("SHOW BINARY LOGS").await?;
    let Some(first) = logs.first().and_then(|row| row.text(0)) else { return Ok(None) };
    let first: String = first.chars().filter(|c| *c != '\'' && *c != '\\').collect();
    let answer = connection.query(&format!("SELECT BINLOG_GTID_POS('{first}', 4), @@global.gtid_binlog_pos")).await?;
    let Some(row) = answer.first() else { return Ok(None) };
    Ok(mariadb_gap(ours, row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default()))
}

/// Compares GTID lists: `oldest` is the state before the first event that the server still has, `newest` its end.
fn mariadb_gap(ours: &str, oldest: &str, newest: &str) -> Option<String> {
    let ours = domains(ours);
    let at = |domain: u32| ours.iter().find(|(d, _)| *d == domain).map_or(0, |(_, sequence)| *sequence);
    for (domain, sequence) in domains(oldest) {
        if at(domain) < sequence {
            return Some(format!(
                "The server has purged transactions that were not captured yet: domain {domain}, {} to {sequence}",
                at(domain) + 1
            ));
        }
    }
    let newest = domains(newest);
    for (domain, sequence) in &ours {
        let known = newest.iter().find(|(d, _)| d == domain).map_or(0, |(_, sequence)| *sequence);
        if *sequence > known {
            return Some(format!(
                "The position holds transactions that this server never executed: domain {domain}, {} to {sequence}",
                known + 1
            ));
        }
    }
    None
}

/// Reads `domain-server-sequence,…` into pairs of domain and sequence.
fn domains(list: &str) -> Vec<(u32, u64)> {
    list.split(',')
        .filter_map(|gtid| {
            let mut parts = gtid.trim().split('-');
            let domain = parts.next()?.parse().ok()?;
            let sequence = parts.nth(1)?.parse().ok()?;
            Some((domain, sequence))
        })
        .collect()
}

async fn file(connection: &mut Connection, position: &Position) -> Result<Option<String>, Error> {
    let logs = connection.query("SHOW BINARY LOGS").await?;
    let found = logs.rows().find(|row| row.text(0) == Some(position.file.as_str()));
    Ok(match found.map(|row| row.text(1).and_then(|size| size.parse::<u64>().ok()).unwrap_or_default()) {
        Some(size) if position.offset <= size => None,
        Some(size) => {
            Some(format!("Offset {} lies behind the end of {} ({size} bytes)", position.offset, position.file))
        }
        None => {
            let first = logs.first().and_then(|row| row.text(0)).unwrap_or("none");
            Some(format!("The server no longer has the binlog file {} (its oldest is {first})", position.file))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_domain_is_named() {
        assert_eq!(mariadb_gap("0-1-100", "0-1-90", "0-1-200"), None);
        assert!(mariadb_gap("0-1-100", "0-1-120", "0-1-200").is_some_and(|gap| gap.contains("101 to 120")));
        assert!(mariadb_gap("0-1-100", "0-1-90,7-1-5", "0-1-200").is_some_and(|gap| gap.contains("domain 7, 1 to 5")));
        assert!(mariadb_gap("0-1-300", "0-1-90", "0-1-200").is_some_and(|gap| gap.contains("201 to 300")));
    }
}
