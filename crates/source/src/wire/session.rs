//! The variables that every SQL session sets, so that no default of the server cuts, refuses, delays, rewords or locks
//! an answer.
//!
//! A server's owner may set any session variable for all new sessions, globally or with `init_connect`. Each row of
//! [`SETTINGS`] names a variable and the value that makes answers complete, with what another value would do. The
//! values are written out: `DEFAULT` would mean the server's global value again. Variables of the servers that are not
//! in the table cannot change an answer of ours; `tests/server/session_variables.txt` says why, for each one.
//!
//! Life cycle: [`crate::wire::Connection::open`] calls [`settle`] once, after the login. One statement sets all
//! variables that this kind of server should have. Where the server lacks one of them, each variable is set by itself
//! and an unknown one is passed over, so that versions need no table.

use super::connection::Connection;
use crate::{Error, Flavor};

/// `ER_UNKNOWN_SYSTEM_VARIABLE`.
const UNKNOWN: u16 = 1193;
/// `ER_SPECIFIC_ACCESS_DENIED_ERROR`: a newer server may ask for a privilege that an older one does not.
const NOT_ALLOWED: u16 = 1227;
/// `ER_WRONG_VALUE_FOR_VAR`, `ER_WRONG_TYPE_FOR_VAR`, `ER_INCORRECT_GLOBAL_LOCAL_VAR`: the server knows the variable in
/// another form.
const OTHER_FORM: [u16; 3] = [1231, 1232, 1238];

/// One variable of the session.
struct Setting {
    name: &'static str,
    value: &'static str,
    flavor: Option<Flavor>,
}

const fn both(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, flavor: None }
}

const fn mysql(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, flavor: Some(Flavor::Mysql) }
}

const fn mariadb(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, flavor: Some(Flavor::Mariadb) }
}

/// Largest value of a 64-bit variable, which stands for "no limit".
const NO_LIMIT: &str = "18446744073709551615";

const SETTINGS: &[Setting] = &[
    // ANSI_QUOTES, PAD_CHAR_TO_FULL_LENGTH, NO_BACKSLASH_ESCAPES, HIGH_NOT_PRECEDENCE, ORACLE and others change how
    // statements are read and values printed. A number, because '' is NULL under EMPTY_STRING_IS_NULL, which would be
    // refused.
    both("sql_mode", "0"),
    // Every SELECT and SHOW without LIMIT, the snapshot's too, ends silently after so many rows.
    both("sql_select_limit", NO_LIMIT),
    // Statements that may look at more rows than max_join_size are refused (1104); setting the latter resets the
    // former.
    both("max_join_size", NO_LIMIT),
    both("sql_big_selects", "1"),
    // A longer statement is ended: 3024 on MySQL, 1969 on MariaDB.
    mysql("max_execution_time", "0"),
    mariadb("max_statement_time", "0"),
    // A whole table would be copied into a temporary one before its first row is sent.
    both("sql_buffer_result", "0"),
    // Names that differ only behind this length would be mixed where a result is ordered by them.
    both("max_sort_length", "1024"),
    // GROUP_CONCAT cuts its text here without an error.
    both("group_concat_max_len", "1048576"),
    // CHAIN and RELEASE let COMMIT and ROLLBACK begin a transaction or end the session.
    both("completion_type", "0"),
    // OFF lets every statement open a transaction, whose metadata locks and view stay.
    both("autocommit", "1"),
    // The first `IS NULL` of a session may mean the last inserted id.
    both("sql_auto_is_null", "0"),
    // MariaDB and older MySQL versions refuse more than writes when sql_select_limit comes from this mode.
    both("sql_safe_updates", "0"),
    // Names, labels and comments are sent and received as UTF-8. The snapshot asks for the rows' own bytes later.
    both("character_set_client", "utf8mb4"),
    both("character_set_connection", "utf8mb4"),
    both("collation_connection", "utf8mb4_general_ci"),
    both("character_set_results", "utf8mb4"),
    // TIMESTAMP values are printed in this zone.
    both("time_zone", "'+00:00'"),
    // Messages are searched for words: the missing privilege, the purged GTIDs, the other replica.
    both("lc_messages", "'en_US'"),
    // Longest wait for a metadata lock; 1 would refuse (1205) what a short ALTER delays.
    both("lock_wait_timeout", "600"),
    both("innodb_lock_wait_timeout", "50"),
    // The server ends a session that reads slowly or says nothing for so long, also between two rows of a snapshot.
    both("net_read_timeout", "600"),
    both("net_write_timeout", "600"),
    both("wait_timeout", "2147483"),
    mariadb("idle_transaction_timeout", "0"),
    mariadb("idle_readonly_transaction_timeout", "0"),
    mariadb("idle_write_transaction_timeout", "0"),
    // Statements on information_schema use temporary tables: these limits refuse them (1290, 4217, 1114).
    // This one is signed inside of the server, and the largest number would mean nothing at all.
    mariadb("max_session_mem_used", "9223372036854775807"),
    mariadb("max_tmp_session_space_usage", "0"),
    mariadb("tmp_disk_table_size", NO_LIMIT),
    // FORCED refuses statements that the secondary engine cannot run; ON may read from its copy of the rows, which
    // lags.
    mysql("use_secondary_engine", "OFF"),
    // OFF hides the generated invisible primary key, which the log has.
    mysql("show_gipk_in_create_table_and_information_schema", "ON"),
    // SHOW CREATE TABLE as the DDL scanner knows it: all attributes, quoted names, no comments about old formats.
    mysql("show_create_table_skip_secondary_engine", "OFF"),
    mysql("show_create_table_verbosity", "OFF"),
    mysql("show_old_temporals", "OFF"),
    both("sql_quote_show_create", "1"),
    // 0 lets every look at a table's row estimate open the table.
    mysql("information_schema_stats_expiry", "86400"),
    // A point in time lets every SELECT of a system-versioned table return the rows of that time. The word is this
    // variable's own value "now", not the global one.
    mariadb("system_versioning_asof", "DEFAULT"),
    // Other meanings of `utf8` and other numbers of collations.
    mariadb("old_mode", "0"),
    // A cached answer could be one from before this session.
    mariadb("query_cache_type", "0"),
    // Reads would wait for other nodes, or fail for lack of them; or be served by a node that has lost its cluster.
    mysql("group_replication_consistency", "EVENTUAL"),
    mariadb("wsrep_sync_wait", "0"),
    mariadb("wsrep_dirty_reads", "0"),
    // A low number turns our lists of names into subqueries.
    mariadb("in_predicate_conversion_threshold", "0"),
    // Columns of SHOW statements are found by their new names first.
    mysql("terminology_use_previous", "NONE"),
];

/// A consistent view needs REPEATABLE READ; the variables behind this statement have other names on other versions.
const TRANSACTIONS: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE";

/// Variables that are set by [`TRANSACTIONS`].
const BY_STATEMENT: [&str; 4] = ["transaction_isolation", "transaction_read_only", "tx_isolation", "tx_read_only"];

/// Returns the names of all variables that a session sets on this kind of server.
pub fn session_variables(flavor: Flavor) -> impl Iterator<Item = &'static str> {
    settings(flavor).map(|setting| setting.name).chain(BY_STATEMENT)
}

fn settings(flavor: Flavor) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.flavor.is_none_or(|only| only == flavor))
}

/// Sets all variables of a session that has just logged in.
///
/// # Errors
/// Those of the connection; the server's, except that it does not know a variable, wants another form of value or a
/// privilege for it.
pub(super) async fn settle(connection: &mut Connection) -> Result<(), Error> {
    let flavor = connection.version().flavor;
    let assignments: Vec<String> =
        settings(flavor).map(|setting| format!("{} = {}", setting.name, setting.value)).collect();
    match connection.execute(&format!("SET SESSION {}", assignments.join(", SESSION "))).await {
        Ok(()) => {}
        Err(Error::Server { code, .. }) if is_one_by_one(code) => {
            for assignment in &assignments {
                set_alone(connection, assignment).await?;
            }
        }
        Err(error) => return Err(error),
    }
    connection.execute(TRANSACTIONS).await?;
    // What `init_connect` may have begun, and what it chose for the next transaction only.
    connection.execute("ROLLBACK").await
}

async fn set_alone(connection: &mut Connection, assignment: &str) -> Result<(), Error> {
    match connection.execute(&format!("SET SESSION {assignment}")).await {
        Err(Error::Server { code: UNKNOWN, .. }) => Ok(()),
        Err(error @ Error::Server { code, .. }) if is_one_by_one(code) => {
            tracing::warn!(server = %connection.address(),
                "`{assignment}` is not set for this session, so the server's own value holds: {error}");
            Ok(())
        }
        done => done,
    }
}

fn is_one_by_one(code: u16) -> bool {
    code == UNKNOWN || code == NOT_ALLOWED || OTHER_FORM.contains(&code)
}
