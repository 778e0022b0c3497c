//! Server version and settings.

use std::collections::HashMap;

use super::{CheckName, CheckOptions, Report, Severity};
use crate::replication::other_replica;
use crate::wire::Connection;
use crate::{Error, Flavor};

/// Reports product and version.
pub(super) fn version(connection: &Connection, report: &mut Report) {
    let version = connection.version();
    let (oldest, enough) = match version.flavor {
        Flavor::Mysql => ("MySQL 8.0", version.at_least(8, 0, 1)),
        Flavor::Mariadb => ("MariaDB 10.5", version.at_least(10, 5, 0)),
    };
    if enough {
        report.ok(CheckName::Version, format!("The server is {version}"));
    } else {
        report.add(
            CheckName::Version,
            Severity::Failure,
            format!("The server is {version}, which does not write the metadata of columns to its binlog"),
            format!("Upgrade to {oldest} or newer"),
        );
    }
}

/// Global variables by name, in lower case.
#[derive(Debug)]
pub(super) struct Settings(HashMap<String, String>);

impl Settings {
    /// Reads the variables that the checks need.
    pub(super) async fn read(connection: &mut Connection) -> Result<Settings, Error> {
        let table = connection
            .query(
                "SHOW GLOBAL VARIABLES WHERE Variable_name LIKE '%log_bin%' OR Variable_name LIKE 'binlog%' OR \
                 Variable_name LIKE '%gtid%' OR Variable_name IN ('server_id', 'expire_logs_days', \
                 'log_replica_updates', 'log_slave_updates', 'read_only')",
            )
            .await?;
        Ok(Settings(
            table.rows().filter_map(|row| Some((row.text(0)?.to_ascii_lowercase(), row.text(1)?.to_owned()))).collect(),
        ))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("ON") || value == "1")
    }

    /// Returns whether the server writes a binlog.
    pub(super) fn log_bin(&self) -> bool {
        self.is_on("log_bin")
    }

    /// Checks all variables.
    pub(super) fn check(&self, connection: &Connection, _options: &CheckOptions, report: &mut Report) {
        if self.log_bin() {
            report.ok(CheckName::LogBin, "The binlog is on");
        } else {
            report.add(
                CheckName::LogBin,
                Severity::Failure,
                "The server writes no binlog",
                "Start the server with log_bin (and a server_id), for example log_bin=binlog in its configuration",
            );
        }
        self.wanted(report, CheckName::BinlogFormat, "ROW", "Rows are logged as they are changed");
        self.wanted(report, CheckName::BinlogRowImage, "FULL", "Whole rows are logged");
        self.row_metadata(report);
        if self.get("binlog_row_value_options").is_some_and(|value| value.to_ascii_uppercase().contains("PARTIAL_JSON"))
        {
            report.add(
                CheckName::BinlogRowValueOptions,
                Severity::Failure,
                "JSON updates are logged as differences (PARTIAL_JSON), which do not hold the whole value",
                "SET PERSIST binlog_row_value_options = '', and end the sessions that still use the old value",
            );
        }
        self.gtid(connection, report);
        self.retention(report);
        if connection.version().is_mariadb() || !self.log_bin() {
            return;
        }
        let replica = ["log_replica_updates", "log_slave_updates"].iter().any(|name| self.get(name) == Some("OFF"));
        if replica {
            report.add(
                CheckName::LogReplicaUpdates,
                Severity::Warning,
                "Changes that this server receives by replication are not in its binlog",
                "If it is a replica, set log_replica_updates = ON, or capture from its source",
            );
        }
    }

    /// Checks a variable that must have the value `wanted`. Newer MySQL versions lack `binlog_format`, because ROW is
    /// their only format.
    fn wanted(&self, report: &mut Report, name: CheckName, wanted: &str, why: &str) {
        match self.get(name.as_str()) {
            Some(value) if value.eq_ignore_ascii_case(wanted) => report.ok(name, format!("{why} ({name} = {value})")),
            None if name == CheckName::BinlogFormat => {
                report.ok(name, format!("{why} (the only format of this version)"));
            }
            found => report.add(
                name,
                Severity::Failure,
                format!("{name} is {}, but {wanted} is needed", found.unwrap_or("not known to this server")),
                format!(
                    "SET GLOBAL {name} = '{wanted}', write it into the server's configuration, and end the sessions \
                     that still use the old value"
                ),
            ),
        }
    }

    /// Without FULL metadata the log names no columns. Their names then come from the descriptions, which follow the
    /// statements of the log; that is enough as long as each statement is understood or its effect can be proven.
    fn row_metadata(&self, report: &mut Report) {
        let name = CheckName::BinlogRowMetadata;
        match self.get(name.as_str()) {
            Some(value) if value.eq_ignore_ascii_case("FULL") => {
                report.ok(name, format!("The names and kinds of columns are logged ({name} = {value})"));
            }
            found => report.add(
                name,
                Severity::Note,
                format!(
                    "{name} is {}: the log does not name columns, so their names follow the statements of the log",
                    found.unwrap_or("not known to this server")
                ),
                format!("SET GLOBAL {name} = 'FULL' spares the source from stopping at a change that it cannot prove"),
            ),
        }
    }

    fn gtid(&self, connection: &Connection, report: &mut Report) {
        if connection.version().is_mariadb() {
            report.add(CheckName::GtidMode, Severity::Note, "MariaDB always writes GTIDs; positions follow them", "");
        } else if self.get("gtid_mode") == Some("ON") {
            report.add(CheckName::GtidMode, Severity::Note, "GTIDs are on; positions follow them", "");
        } else {
            report.add(
                CheckName::GtidMode,
                Severity::Note,
                format!(
                    "gtid_mode is {}; positions are files and offsets of this one server",
                    self.get("gtid_mode").unwrap_or("OFF")
                ),
                "Set gtid_mode = ON if the source may fail over to another server",
            );
        }
    }

    fn retention(&self, report: &mut Report) {
        let seconds = match (self.get("binlog_expire_logs_seconds"), self.get("expire_logs_days")) {
            (Some(seconds), _) if seconds != "0" => seconds.parse::<f64>().ok(),
            (_, Some(days)) => days.parse::<f64>().ok().map(|days| days * 86_400.0),
            (Some(_), None) => Some(0.0),
            (None, None) => None,
        };
        match seconds {
            None => {}
            Some(0.0) => report.add(CheckName::Retention, Severity::Note, "The binlog is never purged by age", ""),
            Some(seconds) if seconds < 86_400.0 => report.add(
                CheckName::Retention,
                Severity::Warning,
                format!(
                    "The binlog is kept for {:.1} hours; a longer stop of the capture loses changes",
                    seconds / 3_600.0
                ),
                "Raise binlog_expire_logs_seconds to several days",
            ),
            Some(seconds) => report.add(
                CheckName::Retention,
                Severity::Note,
                format!("The binlog is kept for {:.1} days", seconds / 86_400.0),
                "",
            ),
        }
    }
}

/// Checks that the replica id is free.
pub(super) async fn server_id(
    connection: &mut Connection,
    options: &CheckOptions,
    report: &mut Report,
) -> Result<(), Error> {
    let remedy = "Set database.server.id to a number that no other server or replica of this source uses";
    let own = connection.query("SELECT @@global.server_id").await?;
    let own = own.first().and_then(|row| row.text(0)).and_then(|text| text.parse::<u32>().ok());
    if own == Some(options.server_id) {
        let message = format!("Server id {} is already used by the source itself", options.server_id);
        report.add(CheckName::ServerId, Severity::Failure, message, remedy);
        return Ok(());
    }
    match other_replica(connection, options.server_id, &options.replica_uuid).await {
        Ok(None) => report.ok(CheckName::ServerId, format!("Server id {} is free", options.server_id)),
        Ok(Some(other)) => {
            let message = format!("Server id {} is already used by {other}", options.server_id);
            report.add(CheckName::ReplicaId, Severity::Failure, message, remedy);
        }
        Err(error) if error.is_refusal() => report.add(
            CheckName::ServerId,
            Severity::Note,
            format!(
                "The account may not list replicas, so it is unknown whether another replica uses server id {}",
                options.server_id
            ),
            "Choose a number that no other replica uses",
        ),
        Err(error) => return Err(error),
    }
    Ok(())
}
