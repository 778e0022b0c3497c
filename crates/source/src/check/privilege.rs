//! The privileges of the account, from `SHOW GRANTS`.

use std::collections::BTreeSet;

use super::{CheckName, CheckOptions, Report, Severity, SnapshotPlanned};
use crate::Error;
use crate::wire::Connection;

/// Privileges of the account and of its active roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Privileges {
    global: BTreeSet<String>,
    /// Pairs of object (`database.*` or `database.table`, without quotes) and privilege.
    local: BTreeSet<(String, String)>,
}

impl Privileges {
    /// Reads the privileges from the server.
    pub(super) async fn read(connection: &mut Connection) -> Result<Privileges, Error> {
        let mut statement = "SHOW GRANTS".to_owned();
        if !connection.version().is_mariadb() {
            let roles = connection.query("SELECT CURRENT_ROLE()").await?;
            match roles.first().and_then(|row| row.text(0)) {
                None | Some("NONE" | "") => {}
                Some(roles) => statement = format!("SHOW GRANTS FOR CURRENT_USER() USING {roles}"),
            }
        }
        let grants = connection.query(&statement).await?;
        let mut privileges = Privileges::default();
        for row in grants.rows() {
            privileges.add(row.text(0).unwrap_or_default());
        }
        Ok(privileges)
    }

    /// Adds the privileges of one line of `SHOW GRANTS`. Lines that grant roles or proxies are skipped: the privileges
    /// of active roles have lines of their own.
    fn add(&mut self, line: &str) {
        let Some((list, rest)) = line.strip_prefix("GRANT ").and_then(|line| line.split_once(" ON ")) else { return };
        let Some((object, _)) = rest.split_once(" TO ") else { return };
        for privilege in outside_parentheses(list) {
            let privilege = privilege.trim().to_ascii_uppercase();
            if object == "*.*" {
                self.global.insert(privilege);
            } else {
                let object = object.trim_start_matches("TABLE ").replace('`', "").replace("\\_", "_");
                self.local.insert((object, privilege));
            }
        }
    }

    /// Returns whether one of the privileges is granted on all databases.
    pub(super) fn global(&self, names: &[&str]) -> bool {
        self.global.contains("ALL PRIVILEGES")
            || self.global.contains("SUPER") && names.contains(&"SUPER")
            || names.iter().any(|name| self.global.contains(*name))
    }

    /// Returns whether the privilege is granted on at least one database or table.
    fn somewhere(&self, name: &str) -> bool {
        self.local.iter().any(|(_, privilege)| privilege == name || privilege == "ALL PRIVILEGES")
    }

    /// Checks the privileges that the stream and the snapshot need.
    pub(super) fn check(&self, connection: &Connection, options: &CheckOptions, report: &mut Report) {
        let mariadb = connection.version().is_mariadb();
        let need = |report: &mut Report, names: &[&str], grant: &str, purpose: &str| {
            if self.global(names) {
                report.ok(CheckName::Privileges, format!("The account has {grant}"));
            } else {
                report.add(
                    CheckName::Privileges,
                    Severity::Failure,
                    format!("The account lacks {grant}, which is needed {purpose}"),
                    format!("GRANT {grant} ON *.* TO the account"),
                );
            }
        };
        need(report, &["REPLICATION SLAVE"], "REPLICATION SLAVE", "to read the binlog");
        let client = if mariadb { "BINLOG MONITOR" } else { "REPLICATION CLIENT" };
        need(report, &["BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"], client, "to ask for the position");
        if options.snapshot == SnapshotPlanned::No {
            return;
        }
        if !self.global(&["SELECT"]) && !self.somewhere("SELECT") {
            need(report, &["SELECT"], "SELECT", "to read the tables");
        }
        // MariaDB gives an exact position without any lock, and MySQL does in a moment without transactions.
        if mariadb || self.global(&["RELOAD", "FLUSH_TABLES"]) || self.may_lock_tables() {
            return;
        }
        report.add(
            CheckName::Privileges,
            Severity::Note,
            "The snapshot needs a lock only if the server is never quiet for a moment; this account may take none, so \
            the snapshot would wait",
            "GRANT RELOAD ON *.* TO the account if the server is busy all the time",
        );
    }

    /// Returns whether LOCK TABLES is granted on at least one database.
    pub(super) fn may_lock_tables(&self) -> bool {
        self.global(&["LOCK TABLES"]) || self.somewhere("LOCK TABLES")
    }
}

/// Splits at commas that are not inside a column list.
fn outside_parentheses(list: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    list.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Privileges {
        let mut privileges = Privileges::default();
        lines.iter().for_each(|line| privileges.add(line));
        privileges
    }

    #[test]
    fn grants_of_both_servers_are_read() {
        let privileges = read(&[
            "GRANT SELECT, RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `debezium`@`%` IDENTIFIED BY PASSWORD \
            '*0'",
            "GRANT LOCK TABLES ON `my\\_shop`.* TO `debezium`@`%`",
            "GRANT SELECT (a, b), INSERT ON `shop`.`t` TO `debezium`@`%`",
            "GRANT `reader`@`%` TO `debezium`@`%`",
        ]);
        assert!(privileges.global(&["REPLICATION SLAVE"]));
        assert!(!privileges.global(&["LOCK TABLES"]));
        assert!(privileges.somewhere("LOCK TABLES"));
        assert!(privileges.local.contains(&("my_shop.*".into(), "LOCK TABLES".into())));
        assert!(privileges.local.contains(&("shop.t".into(), "INSERT".into())));
    }

    #[test]
    fn all_privileges_hold_each_one() {
        assert!(read(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"]).global(&["RELOAD"]));
        assert!(!read(&["GRANT USAGE ON *.* TO `x`@`%`"]).global(&["RELOAD"]));
    }
}
