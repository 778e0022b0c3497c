//! Classifies the errors of a server: does the cause pass by itself, or must somebody change something first?
//!
//! [`ROWS`] covers the complete error lists of MySQL 9.7 (`performance_schema.events_errors_summary_global_by_error`)
//! and MariaDB 11.8 (`errmsg.sys`), and the errors that ProxySQL (9001 and others), Galera (1047 with "WSREP") and
//! Group Replication (3032, 3797 and others) send in the server's place. The first row that matches decides.
//!
//! An error that no row names is tried again. That loses nothing, because a source only reads, and goes on from its
//! checkpoint. So a row that ends a source needs a reason, which is above the row. Most numbers above 1900 belong
//! to one server. Where both servers use a number, only one of its meanings can answer a source's statements.

use super::class::ErrorClass::{self, FixConfiguration, Retry, Stop};

/// Errors of one class with one remedy.
struct Row {
    codes: &'static [u16],
    /// The message must contain one of these texts. An empty list matches every message.
    words: &'static [&'static str],
    class: ErrorClass,
    remedy: &'static str,
}

const fn row(codes: &'static [u16], class: ErrorClass, remedy: &'static str) -> Row {
    Row { codes, words: &[], class, remedy }
}

const fn with_words(
    codes: &'static [u16],
    words: &'static [&'static str],
    class: ErrorClass,
    remedy: &'static str,
) -> Row {
    Row { codes, words, class, remedy }
}

const NEW_SNAPSHOT_UNKNOWN: &str = "The server does not know the position's GTID: it is another server, was reset or \
                                    has purged the GTID; take a new snapshot";
const LONGER_BINLOG: &str = "take a new snapshot and keep the binlog longer (binlog_expire_logs_seconds)";
const DUPLICATE: &str =
    "Set database.server.id to a number that no other replica uses; the server ends one of two replicas with one id";

/// Texts by which both servers name the cause: a second replica with this source's id.
const SAME_REPLICA: &[&str] = &["same server_uuid/server_id", "same server_id"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // A second replica uses this source's id. Trying again would end the other one's stream, which would then end ours,
    // and so on for ever.
    with_words(&[1236, 1220, 13117, 1789, 4052], SAME_REPLICA, FixConfiguration, DUPLICATE),

    // The login. Each failed try counts towards the lock of the account, so the source does not try again:
    // ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED, and MariaDB's 4150 and
    // 4151.
    row(&[1045, 1698, 3118, 4150, 4151], FixConfiguration,
        "Check user name and password, and that the account may log in from this host and is not locked"),
    // ER_HOST_NOT_PRIVILEGED: no account may log in from this host.
    row(&[1130], FixConfiguration, "Create the account for this client's host (CREATE USER 'name'@'host')"),
    // ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN: refused until somebody sets a new password.
    row(&[1820, 1862], FixConfiguration, "Set a new password for the account; the old one has expired"),
    // ER_NOT_SUPPORTED_AUTH_MODE, ER_PLUGIN_IS_NOT_LOADED: this client or the server lacks the account's plugin.
    row(&[1251, 1524], FixConfiguration,
        "Use an account with caching_sha2_password (MySQL) or mysql_native_password (MariaDB)"),
    // ER_SECURE_TRANSPORT_REQUIRED, ER_NO_SECURE_TRANSPORTS_CONFIGURED: the server accepts only encrypted connections.
    row(&[3159, 3160], FixConfiguration,
        "Set the TLS mode to required or stronger; the server refuses connections without TLS"),
    // ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK: the lock ends after some time.
    row(&[3955], Retry, "Wait until the account's temporary lock ends, or run ALTER USER … ACCOUNT UNLOCK"),

    // Privileges, which stay missing until somebody grants them: ER_DBACCESS_DENIED_ERROR, ER_DB_ACCESS_DENIED;
    // ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR; ER_SPECIFIC_ACCESS_DENIED_ERROR,
    // ER_SPECIFIC_ACCESS_DENIED, ER_PROCACCESS_DENIED_ERROR, ER_KILL_DENIED_ERROR.
    row(&[1044, 3879], FixConfiguration, "Grant the account access to this database"),
    row(&[1142, 1143], FixConfiguration,
        "Grant the missing privilege on the table, for example GRANT SELECT ON database.* TO the account"),
    row(&[1227, 6038, 1370, 1095], FixConfiguration, "Grant the privilege that the server names to the account"),
    // ER_XAER_RMERR: MySQL's answer to XA RECOVER without the privilege.
    row(&[1401], FixConfiguration, "Grant XA_RECOVER_ADMIN ON *.* to the account"),

    // The server does not know a statement of this crate, and will not until one of the two is replaced:
    // ER_PARSE_ERROR, ER_SYNTAX_ERROR, ER_UNKNOWN_TABLE (of information_schema), ER_UNKNOWN_CHARACTER_SET,
    // ER_UNKNOWN_COLLATION, ER_NOT_SUPPORTED_YET, ER_SP_DOES_NOT_EXIST, ER_FEATURE_DISABLED,
    // ER_UNKNOWN_SYSTEM_VARIABLE, ER_WRONG_VALUE_FOR_VAR, ER_WRONG_TYPE_FOR_VAR, ER_INCORRECT_GLOBAL_LOCAL_VAR,
    // ER_UNKNOWN_TIME_ZONE.
    row(&[1193], FixConfiguration, "The server lacks this variable; its version is too old or too new for this option"),
    row(&[1064, 1149, 1109, 1115, 1273, 1235, 1305, 1289, 1231, 1232, 1238, 1298], FixConfiguration,
        "The server does not know this statement; use the server's own address if this is a proxy's, or a supported \
        version of the server"),
    // ER_UNKNOWN_COM_ERROR. A Galera node answers with it while it joins or after it lost its cluster; otherwise a
    // proxy does that does not know the replication protocol.
    with_words(&[1047], &["WSREP", "wsrep"], Retry,
        "Wait until the node is part of its cluster again (wsrep_ready), or use the address of another node"),
    row(&[1047], FixConfiguration,
        "Use the server's own address: what answers here does not know the replication protocol"),

    // The log. ER_NO_BINARY_LOGGING, ER_AUTO_POSITION_REQUIRES_GTID_MODE_NOT_OFF: settings of the server.
    row(&[1381], FixConfiguration, "Start the server with log_bin"),
    // ER_MALFORMED_GTID_SET_SPECIFICATION: a GTID of MariaDB at a MySQL server, or the other way round.
    row(&[1772], FixConfiguration,
        "Let the address lead to a server of the product that gave the position, or take a new snapshot"),
    row(&[1776, 1777], FixConfiguration, "Set gtid_mode = ON again, or take a new snapshot"),
    // ER_SOURCE_FATAL_ERROR_READING_BINLOG for a cause that passes: the server lacks memory or file descriptors.
    with_words(&[1236], &["memory allocation failed", "Out of memory", "Too many open files", "errno 24"], Retry,
        "Look into the server's error log; the server lacks memory or file descriptors"),
    // For every other cause the log lacks what the source asks for, or cannot be read: changes would be missing.
    with_words(&[1236, 1789], &["Could not find first log"], Stop,
        "The server no longer has the position's binlog file; take a new snapshot and keep the binlog longer \
        (binlog_expire_logs_seconds)"),
    with_words(&[1236], &["impossible position", "> file size"], Stop,
        "The position lies after the end of the server's log: the server lost transactions or is another one; take a \
        new snapshot"),
    with_words(&[1236], &["not in the master's binlog", "not in the primary"], Stop, NEW_SNAPSHOT_UNKNOWN),
    row(&[1236], Stop,
        "The server's text says why it refuses the position; take a new snapshot if the log was lost"),
    // ER_ERROR_WHEN_EXECUTING_COMMAND, ER_SOURCE_HAS_PURGED_REQUIRED_GTIDS, ER_UNKNOWN_TARGET_BINLOG.
    row(&[1220, 13117, 1789, 1373], Stop,
        "The server's text says why it refuses the position; take a new snapshot if the log was lost"),
    // MariaDB: ER_GTID_POSITION_NOT_FOUND_IN_BINLOG and its second form, ER_GTID_START_FROM_BINLOG_HOLE,
    // ER_BINLOG_MUST_BE_EMPTY.
    row(&[1945, 1951, 1955, 1956], Stop, NEW_SNAPSHOT_UNKNOWN),
    // ER_REPLICA_CORRUPT_EVENT, ER_BINLOG_LOGICAL_CORRUPTION, ER_NETWORK_READ_EVENT_CHECKSUM_FAILURE: the server's log
    // is damaged.
    row(&[1610, 1866, 1743], Stop, "Check the server's disk; take a new snapshot if the log is damaged"),

    // Damaged tables stay so until somebody repairs them, and a snapshot without their rows would have a gap:
    // ER_CRASHED_ON_USAGE, ER_CRASHED_ON_REPAIR, ER_NOT_KEYFILE, ER_OLD_KEYFILE, ER_TABLE_NEEDS_UPGRADE,
    // ER_TABLE_NEEDS_REBUILD, ER_INDEX_CORRUPT, ER_TABLESPACE_MISSING, ER_INNODB_INDEX_CORRUPT, ER_TABLE_CORRUPT,
    // ER_NO_SUCH_TABLE_IN_ENGINE (MariaDB).
    row(&[1194, 1195, 1034, 1035, 1459, 1707, 1712, 1812, 1817, 1877, 1932], Stop, "Repair the table, or exclude it"),

    // Errors that pass, with a better remedy than the default. ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS,
    // ER_USER_LIMIT_REACHED.
    row(&[1040, 1203, 1226], Retry, "Raise max_connections or the account's limit, or end idle connections"),
    // ER_HOST_IS_BLOCKED: the server blocks a host after many broken connections, until somebody unblocks it.
    row(&[1129], Retry,
        "Unblock this client's host on the server (FLUSH HOSTS, or TRUNCATE performance_schema.host_cache)"),
    // ER_NEW_ABORTING_CONNECTION, ER_ABORTING_CONNECTION.
    row(&[1152, 1184], Retry, "Look into the server's error log; if it names init_connect, correct that statement"),
    // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_LOCK_NOWAIT, ER_SESSION_WAS_KILLED.
    row(&[1205, 1213, 3572, 3169], Retry,
        "Another session holds the lock; the source tries again. If this repeats, raise the lock timeout"),
    // ER_TABLE_DEF_CHANGED, ER_BAD_FIELD_ERROR, ER_NEED_REPREPARE, ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR, ER_NO_SUCH_DB,
    // ER_TABLESPACE_DISCARDED.
    row(&[1412, 1054, 1615, 1146, 1049, 3503, 1814], Retry,
        "A table changed in the meantime; the source tries again. Exclude tables that change all the time"),
    // ER_SERVER_OFFLINE_MODE, ER_SERVER_OFFLINE_MODE_REASON: also a member that Group Replication has expelled.
    row(&[3032, 6400], Retry, "Set offline_mode = OFF on the server, or let its cluster take it back"),
    // ER_SERVER_SHUTDOWN, ER_QUERY_INTERRUPTED, ER_CONNECTION_KILLED (MariaDB), ER_CLIENT_INTERACTION_TIMEOUT.
    row(&[1053, 1077, 1079, 1317, 1927, 4031], Retry,
        "The server is shutting down, or somebody killed the session; the source tries again"),
    // ER_QUERY_TIMEOUT (MySQL), ER_STATEMENT_TIMEOUT and ER_QUERY_EXCEEDED_ROWS_EXAMINED_LIMIT (MariaDB).
    row(&[3024, 1969, 1931], Retry,
        "The server ends long statements; raise max_execution_time or max_statement_time"),
    // ER_OUT_OF_RESOURCES, ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_OUTOFMEMORY, ER_OUT_OF_SORTMEMORY,
    // ER_CANT_CREATE_THREAD, ER_ENGINE_OUT_OF_MEMORY, ER_DA_GLOBAL_CONN_LIMIT, ER_DA_CONN_LIMIT.
    row(&[1041, 1021, 1114, 1037, 1038, 1135, 3015, 4081, 4082], Retry,
        "The server lacks memory, disk or threads; the source tries again"),
    // ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE: a server that changes its role is read-only for a while.
    row(&[1290, 1836], Retry,
        "The server runs with an option that forbids the statement, for example read-only during a change of roles"),
    // ProxySQL finds no server in the host group in time, or reached a limit. Neither MySQL nor MariaDB uses these
    // numbers.
    row(&[9000, 9001, 9002, 9003, 9004, 9005, 9006], Retry,
        "Check the proxy's servers and host groups; the source tries again"),
    // ER_GR_HOLD_WAIT_TIMEOUT, ER_GR_HOLD_KILLED, ER_GR_HOLD_MEMBER_STATUS_ERROR, ER_GRP_TRX_CONSISTENCY_BEFORE and its
    // neighbours, ER_RUN_HOOK_ERROR.
    row(&[3781, 3782, 3783, 3796, 3797, 3798, 3799, 3100, 3101], Retry,
        "Wait until the group has elected its primary and the member has caught up"),
];

/// Stands for the errors that no row names.
const UNKNOWN: Row = row(&[], Retry, "Look up the error number in the server's manual; the source tries again");

fn find(code: u16, message: &str) -> &'static Row {
    ROWS.iter()
        .find(|row| {
            row.codes.contains(&code) && (row.words.is_empty() || row.words.iter().any(|words| message.contains(words)))
        })
        .unwrap_or(&UNKNOWN)
}

/// Returns what the caller does about an error of a server.
pub(super) fn class(code: u16, message: &str) -> ErrorClass {
    find(code, message).class
}

/// Returns what the operator can do about an error of a server.
pub(super) fn remedy(code: u16, message: &str) -> String {
    let row = find(code, message);
    if code == 1227
        && let Some(rest) = message.find("need (at least one of) the ").and_then(|at| message.get(at + 27..))
        && let Some((privilege, _)) = rest.split_once(" privilege")
    {
        return format!("Grant {privilege} ON *.* to the account");
    }
    let is_purged = message.contains("purged") || message.contains("missing");
    if code == 1236 && row.class == Stop && is_purged {
        return format!(
            "The server no longer has the events after the position{}; {LONGER_BINLOG}",
            missing_part(message)
        );
    }
    row.remedy.to_owned()
}

/// Returns the missing GTIDs from MySQL's message, or an empty text if the message does not name them.
fn missing_part(message: &str) -> String {
    let start = ["missing transactions are '", "The missing transactions are '"]
        .iter()
        .find_map(|marker| message.find(marker).map(|at| at + marker.len()));
    match start.and_then(|at| message.get(at..)).and_then(|rest| rest.split_once('\'')) {
        Some((gtids, _)) => format!(" (missing: {gtids})"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offline mode, a node that joined its cluster, a proxy without a server and a statement timeout once ended the
    /// process.
    #[test]
    fn what_passes_does_not_end_a_source() {
        for (code, message) in [
            (3032, "The server is currently in offline mode"),
            (6400, "The server is currently in offline mode since 2026-01-01, reason: maintenance"),
            (1047, "WSREP has not yet prepared node for application use"),
            (1969, "Query execution was interrupted (max_statement_time exceeded)"),
            (3024, "Query execution was interrupted, maximum statement execution time exceeded"),
            (9001, "Max connect timeout reached while reaching hostgroup 1 after 10000ms"),
            (1412, "Table definition has changed, please retry transaction"),
            (1146, "Table 'sd.z' doesn't exist"),
            (1053, "Server shutdown in progress"),
            (1290, "The MySQL server is running with the --super-read-only option"),
            (3797, "Error while waiting for group transactions commit"),
            (1236, "memory allocation failed reading log event"),
            // A number that no server uses yet.
            (64_000, "Something new"),
        ] {
            assert_eq!(class(code, message), Retry, "{code} {message}");
            assert!(!remedy(code, message).is_empty());
        }
    }

    #[test]
    fn what_somebody_has_to_change_ends_it() {
        for (code, message, expected) in [
            (1045, "Access denied for user 'x'@'y'", FixConfiguration),
            (1047, "Unknown command", FixConfiguration),
            (1142, "SELECT command denied", FixConfiguration),
            (1064, "You have an error in your SQL syntax", FixConfiguration),
            (1951, "The binlog on the master is missing the GTID 0-1-3 requested by the slave", Stop),
            (1236, "Could not find first log file name in binary log index file", Stop),
            (1932, "Table 'a.b' doesn't exist in engine", Stop),
        ] {
            assert_eq!(class(code, message), expected, "{code} {message}");
        }
    }

    /// Of two rows without words for one number the second would never apply.
    #[test]
    fn each_number_has_one_row_for_all_messages() {
        let all: Vec<u16> = ROWS.iter().filter(|row| row.words.is_empty()).flat_map(|row| row.codes).copied().collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
    }
}
