//! Is the position from which the stream would start still in the server's log, and is it the same log?
//!
//! Three questions, in this order: has the server executed everything before the position, does it still have
//! everything after the position, and is this the log in which the position was taken? Only the server that wrote the
//! log is asked the third question: another server's log has the same GTIDs, but other files and offsets.

use super::role::{Role, role};
use super::{CheckName, CheckOptions, PositionFault, Report, Severity};
use crate::identity::server_identity;
use crate::log_mark::LogMark;
use crate::replication::{Look, file_mark, look};
use crate::wire::{Connection, Table};
use crate::{Error, Flavor, LogPlace, Position, ServerConfig};

/// Checks the position, if there is one. If the account may not ask, the finding is only a warning, because the server
/// refuses a purged position anyway when the stream begins.
pub(super) async fn check(
    config: &ServerConfig,
    connection: &mut Connection,
    options: &CheckOptions,
    report: &mut Report,
) -> Result<(), Error> {
    let Some(place) = &options.position else { return Ok(()) };
    let server = report.server.clone().unwrap_or_default();
    match find_fault(config, connection, &server, place).await {
        Ok(None) => report.ok(CheckName::Position, format!("The log still has everything after {}", place.position)),
        Ok(Some(fault)) => {
            report.add(CheckName::Position, Severity::Failure, fault.what(), fault.remedy());
            report.position_fault = Some(fault);
        }
        Err(error) if error.is_refusal() => {
            report.add(
                CheckName::Position,
                Severity::Warning,
                format!("The position could not be checked: {error}"),
                error.remedy(),
            );
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Checks, on a session of its own, whether a stream can continue at a place.
///
/// # Errors
/// Those of the connection. If the server refuses the questions, no fault can be found: the result is `None`.
pub async fn examine_position(config: &ServerConfig, place: &LogPlace) -> Result<Option<PositionFault>, Error> {
    let mut connection = Connection::open(config).await?;
    let server = server_identity(&mut connection).await?;
    match find_fault(config, &mut connection, &server, place).await {
        Err(error) if error.is_refusal() => Ok(None),
        found => found,
    }
}

/// Returns the mark of the log at a position: the time at which the position's file was created. `server` is the
/// identity of the server that gave the position; the result is `None` if the address leads to another server.
///
/// # Errors
/// Those of the connection, and [`Error::Server`] where the account may not read the log.
pub async fn log_at(config: &ServerConfig, server: &str, position: &Position) -> Result<Option<LogMark>, Error> {
    if position.file.is_empty() {
        return Ok(None);
    }
    file_mark(Connection::open(config).await?, server, position).await
}

async fn find_fault(
    config: &ServerConfig,
    connection: &mut Connection,
    server: &str,
    place: &LogPlace,
) -> Result<Option<PositionFault>, Error> {
    let position = &place.position;
    let is_other = place.server.as_deref().is_some_and(|former| former != server);
    let gap = match (connection.version().flavor, &position.gtid) {
        (Flavor::Mysql, Some(gtid)) => mysql_gtid(connection, &gtid.to_string()).await?,
        (Flavor::Mariadb, Some(gtid)) => mariadb_gtid(connection, &gtid.to_string()).await?,
        (_, None) if is_other => Some(Gap::Unknown(format!(
            "This is another server ({server}; the former one was {}), and without GTIDs a position in the log of one \
             server means nothing in the log of another",
            place.server.as_deref().unwrap_or_default()
        ))),
        (_, None) => file(connection, position).await?,
    };
    match (gap, &place.log) {
        (Some(Gap::Purged(what)), _) => Ok(Some(PositionFault::Purged(what))),
        (Some(Gap::Unknown(what)), _) if !is_other => Ok(Some(PositionFault::OtherLog(what))),
        (Some(Gap::Unknown(what)), _) => Ok(Some(match role(connection).await? {
            Role::MayFollow => PositionFault::NotYet(what),
            Role::Alone => PositionFault::Never(what),
        })),
        (None, Some(log)) if !is_other => {
            Ok(other_log(config, connection, server, position, log).await?.map(PositionFault::OtherLog))
        }
        (None, _) => Ok(None),
    }
}

/// Compares the log with its mark and returns how they differ; `None` if they agree or cannot be compared.
async fn other_log(
    config: &ServerConfig,
    connection: &mut Connection,
    server: &str,
    position: &Position,
    log: &LogMark,
) -> Result<Option<String>, Error> {
    let files = connection.query("SHOW BINARY LOGS").await?;
    let names: Vec<&str> = files.rows().filter_map(|row| row.text(0)).collect();
    if names.contains(&log.file.as_str()) {
        return Ok(match look(Connection::open(config).await?, server, log).await? {
            Look::Same => None,
            Look::Other(how) => Some(format!("The server's log is not the one that {position} was read from: {how}")),
        });
    }
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return Ok(None) };
    if number(last)
        .is_some_and(|last| number(&log.file).is_some_and(|ours| base_matches(&log.file, first) && ours > last))
    {
        return Ok(Some(format!(
            "The server's log is not the one that {position} was read from: its newest file is {last}"
        )));
    }
    // The file of the mark is purged. Everything before the position was in that file or in earlier ones, so in the
    // same log all of it is purged as well. If some of it is not, this is another log.
    let lacks = match (connection.version().flavor, &position.gtid) {
        (_, _) if log.event.is_none() => false,
        (Flavor::Mysql, Some(ours)) => {
            let ours = unquoted(&ours.to_string());
            let answer = connection.query(&format!("SELECT GTID_SUBTRACT('{ours}', @@global.gtid_purged)")).await?;
            answer.first().is_some_and(|row| !plain(row.text(0)).is_empty())
        }
        (Flavor::Mariadb, Some(ours)) => {
            let oldest = connection.query(&format!("SELECT BINLOG_GTID_POS('{}', 4)", unquoted(first))).await?;
            is_after(&ours.to_string(), oldest.first().and_then(|row| row.text(0)).unwrap_or_default())
        }
        (_, None) => false,
    };
    Ok(lacks.then(|| {
        format!(
            "The server's log is not the one that {position} was read from: it begins with {first}, which has \
            transactions from before the position"
        )
    }))
}

/// Returns the number at the end of a log file's name.
fn number(file: &str) -> Option<u64> {
    file.rsplit_once('.').and_then(|(_, number)| number.parse().ok())
}

fn base_matches(one: &str, other: &str) -> bool {
    one.rsplit_once('.').map(|(base, _)| base) == other.rsplit_once('.').map(|(base, _)| base)
}

/// Why a stream cannot begin at a position.
#[derive(Debug, PartialEq, Eq)]
enum Gap {
    /// The server no longer has the events after the position.
    Purged(String),
    /// The server never executed some transactions before the position.
    Unknown(String),
}

async fn mysql_gtid(connection: &mut Connection, ours: &str) -> Result<Option<Gap>, Error> {
    let quoted = unquoted(ours);
    let answer = connection
        .query(&format!(
            "SELECT GTID_SUBTRACT(@@global.gtid_purged, '{quoted}'), GTID_SUBTRACT('{quoted}', @@global.gtid_executed)"
        ))
        .await?;
    let Some(row) = answer.first() else { return Ok(None) };
    let (purged, unknown) = (plain(row.text(0)), plain(row.text(1)));
    // A restored copy may both lack transactions and have purged others. That it lacks some decides: it is not the log
    // that the source has read.
    Ok(if !unknown.is_empty() {
        Some(Gap::Unknown(format!("The position holds transactions that this server never executed: {unknown}")))
    } else if !purged.is_empty() {
        Some(Gap::Purged(format!("The server has purged transactions that were not captured yet: {purged}")))
    } else {
        None
    })
}

fn unquoted(text: &str) -> String {
    text.chars().filter(|c| *c != '\'' && *c != '\\').collect()
}

fn plain(text: Option<&str>) -> String {
    text.unwrap_or_default().replace(['\n', ' '], "")
}

async fn mariadb_gtid(connection: &mut Connection, ours: &str) -> Result<Option<Gap>, Error> {
    let logs = connection.query("SHOW BINARY LOGS").await?;
    let Some(first) = logs.first().and_then(|row| row.text(0)).map(unquoted) else { return Ok(None) };
    let answer = connection.query(&format!("SELECT BINLOG_GTID_POS('{first}', 4), @@global.gtid_binlog_pos")).await?;
    let Some(row) = answer.first() else { return Ok(None) };
    Ok(mariadb_gap(ours, row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default()))
}

/// Compares GTID lists. `oldest` is the state before the first event that the server still has, `newest` the state at
/// the end of its log.
fn mariadb_gap(ours: &str, oldest: &str, newest: &str) -> Option<Gap> {
    let ours = domains(ours);
    let newest = domains(newest);
    for (domain, sequence) in &ours {
        let known = sequence_of(&newest, *domain);
        if *sequence > known {
            return Some(Gap::Unknown(format!(
                "The position holds transactions that this server never executed: domain {domain}, {} to {sequence}",
                known + 1
            )));
        }
    }
    for (domain, sequence) in domains(oldest) {
        let known = sequence_of(&ours, domain);
        if known < sequence {
            return Some(Gap::Purged(format!(
                "The server has purged transactions that were not captured yet: domain {domain}, {} to {sequence}",
                known + 1
            )));
        }
    }
    None
}

/// Returns whether a position is after a state of the log. A domain that the state does not name is ignored, unless
/// the state names no domain at all.
fn is_after(ours: &str, state: &str) -> bool {
    let (ours, state) = (domains(ours), domains(state));
    let is_domain_after =
        |(domain, sequence): &(u32, u64)| state.iter().any(|(named, known)| named == domain && known < sequence);
    (state.is_empty() && !ours.is_empty()) || ours.iter().any(is_domain_after)
}

fn sequence_of(domains: &[(u32, u64)], domain: u32) -> u64 {
    domains.iter().find(|(named, _)| *named == domain).map_or(0, |(_, sequence)| *sequence)
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

async fn file(connection: &mut Connection, position: &Position) -> Result<Option<Gap>, Error> {
    let logs: Table = connection.query("SHOW BINARY LOGS").await?;
    let found = logs.rows().find(|row| row.text(0) == Some(position.file.as_str()));
    Ok(match found.map(|row| row.text(1).and_then(|size| size.parse::<u64>().ok()).unwrap_or_default()) {
        Some(size) if position.offset <= size => None,
        Some(size) => Some(Gap::Unknown(format!(
            "Offset {} lies behind the end of {} ({size} bytes)",
            position.offset, position.file
        ))),
        None => {
            let first = logs.first().and_then(|row| row.text(0)).unwrap_or("none");
            Some(Gap::Purged(format!(
                "The server no longer has the binlog file {} (its oldest is {first})",
                position.file
            )))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_domain_is_named() {
        assert_eq!(mariadb_gap("0-1-100", "0-1-90", "0-1-200"), None);
        let purged = |gap| {
            let Some(Gap::Purged(what)) = gap else { return false };
            what.contains("101 to 120") || what.contains("domain 7, 1 to 5")
        };
        assert!(purged(mariadb_gap("0-1-100", "0-1-120", "0-1-200")));
        assert!(purged(mariadb_gap("0-1-100", "0-1-90,7-1-5", "0-1-200")));
        let unknown = mariadb_gap("0-1-300", "0-1-90", "0-1-200");
        assert!(matches!(unknown, Some(Gap::Unknown(what)) if what.contains("201 to 300")));
    }

    #[test]
    fn a_log_that_begins_before_the_position_is_told_from_one_that_purged_it() {
        assert!(!is_after("0-1-100", "0-1-100"));
        assert!(!is_after("0-1-100,5-1-3", "0-1-100"));
        assert!(is_after("0-1-100", "0-1-90"));
        assert!(is_after("0-1-100", ""));
        assert!(!is_after("", ""));
    }
}
