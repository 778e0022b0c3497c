//! Sets the variables of every SQL session, so that no default of the server can cut, refuse, delay or reword an
//! answer, or leave a lock behind.
//!
//! A server's owner may set any session variable for all new sessions, globally or with `init_connect`. Each row of
//! [`SETTINGS`] names a variable and the value that makes answers complete; the comment above it says what another
//! value would do. The values are written out, because `DEFAULT` would mean the server's global value. The other
//! variables of the servers cannot change an answer to this crate; `tests/server/session_variables.txt` says why, for
//! each of them.
//!
//! Life cycle: [`crate::wire::Connection::open`] calls [`settle`] once, after the login. One statement sets all
//! variables of this product. If the server refuses one of them, each variable is set by a statement of its own, and
//! the server's refusals are skipped. So no table of versions is needed.

use super::connection::Connection;
use crate::{Error, Flavor};

/// `ER_UNKNOWN_SYSTEM_VARIABLE`.
const UNKNOWN: u16 = 1193;
/// `ER_SPECIFIC_ACCESS_DENIED_ERROR`: a newer server may require a privilege that an older one does not.
const NOT_ALLOWED: u16 = 1227;
/// `ER_WRONG_VALUE_FOR_VAR`, `ER_WRONG_TYPE_FOR_VAR`, `ER_INCORRECT_GLOBAL_LOCAL_VAR`: this version has the variable,
/// but with other values or as a global one.
const OTHER_FORM: [u16; 3] = [1231, 1232, 1238];

/// One variable of the session.
struct Setting {
    name: &'static str,
    value: &'static str,
    /// The product that has the variable; `None` for both.
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

/// Largest value of a 64-bit variable, which means "no limit".
const NO_LIMIT: &str = "18446744073709551615";

const SETTINGS: &[Setting] = &[
    // ANSI_QUOTES, PAD_CHAR_TO_FULL_LENGTH, NO_BACKSLASH_ESCAPES, HIGH_NOT_PRECEDENCE, ORACLE and others change how
    // statements are read and values printed. The value is a number, because '' would be NULL under
    // EMPTY_STRING_IS_NULL, and the server refuses NULL.
    both("sql_mode", "0"),
    // Every SELECT and SHOW without LIMIT, also the snapshot's, would silently end after this many rows.
    both("sql_select_limit", NO_LIMIT),
    // The server refuses statements that may examine more than max_join_size rows (1104), unless sql_big_selects is
    // set. Setting max_join_size resets sql_big_selects, so the order matters.
    both("max_join_size", NO_LIMIT),
    both("sql_big_selects", "1"),
    // The server would end longer statements (3024 on MySQL, 1969 on MariaDB).
    mysql("max_execution_time", "0"),
    mariadb("max_statement_time", "0"),
    // The server would copy a whole table into a temporary one before it sends the first row.
    both("sql_buffer_result", "0"),
    // ORDER BY would mix up names that differ only after this length.
    both("max_sort_length", "1024"),
    // GROUP_CONCAT would cut its text at this length without an error.
    both("group_concat_max_len", "1048576"),
    // With CHAIN or RELEASE a COMMIT or ROLLBACK would begin a new transaction or end the session.
    both("completion_type", "0"),
    // With OFF every statement would open a transaction, which keeps its metadata locks and its view.
    both("autocommit", "1"),
    // With 1 the first `IS NULL` of a session may mean the last inserted id.
    both("sql_auto_is_null", "0"),
    // With 1 the server refuses writes without a key, and MariaDB and older MySQL versions refuse other statements too.
    both("sql_safe_updates", "0"),
    // Statements, names, labels and comments are sent and received as UTF-8. The snapshot later asks for rows in each
    // column's own character set.
    both("character_set_client", "utf8mb4"),
    both("character_set_connection", "utf8mb4"),
    both("collation_connection", "utf8mb4_general_ci"),
    both("character_set_results", "utf8mb4"),
    // The server prints TIMESTAMP values in this zone.
    both("time_zone", "'+00:00'"),
    // This crate searches messages for English words: the missing privilege, the purged GTIDs, the other replica.
    both("lc_messages", "'en_US'"),
    // Longest wait for a metadata lock in seconds. With 1 a short ALTER would make statements fail (1205).
    both("lock_wait_timeout", "600"),
    both("innodb_lock_wait_timeout", "50"),
    // The server ends a session that reads slowly or is idle for so many seconds, also between two rows of a snapshot.
    both("net_read_timeout", "600"),
    both("net_write_timeout", "600"),
    both("wait_timeout", "2147483"),
    mariadb("idle_transaction_timeout", "0"),
    mariadb("idle_readonly_transaction_timeout", "0"),
    mariadb("idle_write_transaction_timeout", "0"),
    // Statements on information_schema use temporary tables, which these limits would refuse (1290, 4217, 1114).
    // max_session_mem_used is signed inside the server, where NO_LIMIT would become no memory at all.
    mariadb("max_session_mem_used", "9223372036854775807"),
    mariadb("max_tmp_session_space_usage", "0"),
    mariadb("tmp_disk_table_size", NO_LIMIT),
    // FORCED would refuse statements that the secondary engine cannot run. With ON the server may read that engine's
    // copy of the rows, which lags behind.
    mysql("use_secondary_engine", "OFF"),
    // OFF would hide a generated invisible primary key, which the log has.
    mysql("show_gipk_in_create_table_and_information_schema", "ON"),
    // SHOW CREATE TABLE must have the form that the DDL scanner reads: all attributes, quoted names, no comments about
    // old formats.
    mysql("show_create_table_skip_secondary_engine", "OFF"),
    mysql("show_create_table_verbosity", "OFF"),
    mysql("show_old_temporals", "OFF"),
    both("sql_quote_show_create", "1"),
    // With 0 the server would open each table to read its row estimate.
    mysql("information_schema_stats_expiry", "86400"),
    // With a point in time every SELECT of a system-versioned table would return the rows of that time. Here `DEFAULT`
    // is a value of the variable and means "now"; it does not mean the global value.
    mariadb("system_versioning_asof", "DEFAULT"),
    // Old modes give `utf8` another meaning and collations other numbers.
    mariadb("old_mode", "0"),
    // A cached answer could be older than this session.
    mariadb("query_cache_type", "0"),
    // Other values would let reads wait for other nodes, fail without them, or be answered by a node that has lost its
    // cluster.
    mysql("group_replication_consistency", "EVENTUAL"),
    mariadb("wsrep_sync_wait", "0"),
    mariadb("wsrep_dirty_reads", "0"),
    // With a low number MariaDB would turn lists of names in IN (…) into subqueries.
    mariadb("in_predicate_conversion_threshold", "0"),
    // This crate looks for the new names of columns in SHOW statements; an old value would bring the former names.
    mysql("terminology_use_previous", "NONE"),
];

/// A consistent view needs REPEATABLE READ. A statement sets it, because the variables have other names on other
/// versions.
const TRANSACTIONS: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE";

/// Variables that [`TRANSACTIONS`] sets.
const BY_STATEMENT: [&str; 4] = ["transaction_isolation", "transaction_read_only", "tx_isolation", "tx_read_only"];

/// Returns the names of all variables that a session sets on a server of this product.
pub fn session_variables(flavor: Flavor) -> impl Iterator<Item = &'static str> {
    settings(flavor).map(|setting| setting.name).chain(BY_STATEMENT)
}

fn settings(flavor: Flavor) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.flavor.is_none_or(|only| only == flavor))
}

/// Sets all variables of a session that has just logged in.
///
/// # Errors
/// Those of the connection, and [`Error::Server`]. A variable is skipped if the server does not know it, refuses its
/// value, or requires a privilege for it.
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
    // Ends a transaction that `init_connect` may have begun, and drops what it chose for the next transaction only.
    connection.execute("ROLLBACK").await
}

async fn set_alone(connection: &mut Connection, assignment: &str) -> Result<(), Error> {
    match connection.execute(&format!("SET SESSION {assignment}")).await {
        Err(Error::Server { code: UNKNOWN, .. }) => Ok(()),
        Err(error @ Error::Server { code, .. }) if is_one_by_one(code) => {
            tracing::warn!(server = %connection.address(),
                "`{assignment}` could not be set for this session, so the server's own value applies: {error}");
            Ok(())
        }
        done => done,
    }
}

fn is_one_by_one(code: u16) -> bool {
    code == UNKNOWN || code == NOT_ALLOWED || OTHER_FORM.contains(&code)
}
