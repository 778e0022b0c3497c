//! A server's defaults for its sessions do not change what this crate reads from it.
//!
//! After `SET GLOBAL sql_select_limit = 500` the snapshot once silently ended after 500 rows of each table, and the
//! checks at the start found neither tables nor a binlog.

use std::collections::{BTreeMap, BTreeSet};

use bitacora_source::check::{CheckOptions, SnapshotPlanned, run};
use bitacora_source::schema::{describe, list_tables, missing_tables, server_defaults};
use bitacora_source::{Connection, session_variables};
use bitacora_source::{Filter, FilterOptions, Flavor, ServerConfig};
use bitacora_source::{Snapshot, SnapshotChunk, SnapshotOptions, SnapshotState};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::config;

fn filter() -> Filter {
    Filter::new(&FilterOptions { database_include_list: Some("lim".into()), ..FilterOptions::default() }).unwrap()
}

const TABLES: &str = r#"
CREATE DATABASE lim CHARACTER SET utf8mb4; USE lim; SET NAMES utf8mb4;
CREATE TABLE t (id INT PRIMARY KEY, a TIMESTAMP NULL, b CHAR(9), c ENUM('uno','dós'), d VARCHAR(30) DEFAULT 'a''b\\c'
  COMMENT 'año');
CREATE TABLE `qu"oted` (id_of_the_same_beginning_1 INT, id_of_the_same_beginning_2 INT, n INT NOT NULL,
  UNIQUE KEY key_of_the_same_beginning_1 (id_of_the_same_beginning_1, n),
  UNIQUE KEY key_of_the_same_beginning_2 (id_of_the_same_beginning_2, n));
CREATE TABLE keyless (a INT, b VARCHAR(5));
INSERT INTO keyless VALUES (1, 'x'), (2, 'y');
INSERT INTO `qu"oted` VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO t VALUES (1, '2024-07-01 12:00:00', 'x', 'dós', 'ñandú'), (2, NULL, NULL, NULL, NULL),
  (3, NULL, 'z', 'uno', '');
"#;

/// Returns everything that this crate asks a server for, as text; the rows of a table as their bytes.
async fn answers(config: &ServerConfig) -> BTreeMap<String, String> {
    let options = CheckOptions {
        server_id: 5002,
        replica_uuid: "11111111-2222-4333-8444-555555555555".into(),
        filter: filter(),
        position: None,
        snapshot: SnapshotPlanned::Yes,
    };
    let mut answers = BTreeMap::new();
    answers.insert("check".to_owned(), format!("{:#?}", run(config, &options).await));
    let missing = missing_tables(config, &filter(), |_, _| false).await.unwrap();
    answers.insert("missing tables".to_owned(), format!("{missing:#?}"));
    let mut connection = Connection::open(config).await.unwrap();
    let names = list_tables(&mut connection, &filter()).await.unwrap();
    let mut facts = describe(&mut connection, &names).await.unwrap();
    facts.iter_mut().for_each(|facts| facts.row_estimate = None);
    answers.insert("descriptions".to_owned(), format!("{facts:#?}"));
    answers.insert("defaults".to_owned(), format!("{:#?}", server_defaults(&mut connection).await.unwrap()));
    let refused = connection.query("SELECT 1 FROM lim.no_such_table").await.unwrap_err();
    answers.insert("message".to_owned(), refused.to_string());
    let mut snapshot = Snapshot::begin(config, &filter(), &SnapshotOptions::default()).await.unwrap();
    let mut chunk = SnapshotChunk::new();
    while snapshot.read_chunk(&mut chunk).await.unwrap() == SnapshotState::Rows {
        let table = &snapshot.tables()[chunk.table_index];
        let rows = format!("{} rows {:?}", chunk.row_count, chunk.images);
        answers.entry(format!("rows of {}", table.map.table)).or_default().push_str(&rows);
    }
    for table in snapshot.tables() {
        answers.insert(format!("create {}", table.map.table), table.create_statement.clone());
    }
    answers
}

/// Variables, each with a value that once changed an answer or would change one; `None` if the server cannot have such
/// a default.
const HOSTILE: &[(&str, Option<&str>)] = &[
    ("sql_mode", Some("'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,ONLY_FULL_GROUP_BY'")),
    ("sql_select_limit", Some("2")),
    ("max_join_size", Some("1")),
    ("sql_big_selects", None),
    ("max_execution_time", Some("1")),
    ("max_statement_time", Some("0.0001")),
    ("sql_buffer_result", Some("1")),
    ("max_sort_length", Some("8")),
    ("group_concat_max_len", Some("4")),
    ("completion_type", Some("'RELEASE'")),
    ("autocommit", Some("0")),
    ("sql_auto_is_null", Some("1")),
    ("sql_safe_updates", Some("1")),
    ("character_set_client", Some("latin1")),
    ("character_set_connection", Some("latin1")),
    ("collation_connection", Some("latin1_bin")),
    ("character_set_results", Some("latin1")),
    ("time_zone", Some("'-11:00'")),
    ("lc_messages", Some("'es_ES'")),
    ("lock_wait_timeout", Some("1")),
    ("innodb_lock_wait_timeout", Some("1")),
    ("net_read_timeout", Some("1")),
    ("net_write_timeout", Some("1")),
    ("wait_timeout", Some("1")),
    ("idle_transaction_timeout", Some("1")),
    ("idle_readonly_transaction_timeout", Some("1")),
    ("idle_write_transaction_timeout", Some("1")),
    ("max_session_mem_used", Some("65536")),
    ("max_tmp_session_space_usage", Some("65536")),
    ("tmp_disk_table_size", Some("1024")),
    ("use_secondary_engine", None), // has no global value; see INIT_CONNECT
    ("show_gipk_in_create_table_and_information_schema", Some("OFF")),
    ("show_create_table_skip_secondary_engine", None),
    ("show_create_table_verbosity", Some("ON")),
    ("show_old_temporals", Some("ON")),
    ("sql_quote_show_create", Some("0")),
    ("information_schema_stats_expiry", Some("0")),
    ("system_versioning_asof", Some("'2001-01-01 00:00:00'")),
    ("old_mode", Some("'ZERO_DATE_TIME_CAST,NO_PROGRESS_INFO'")),
    ("query_cache_type", None),
    ("group_replication_consistency", Some("'BEFORE'")),
    ("wsrep_sync_wait", Some("15")),
    ("wsrep_dirty_reads", Some("ON")),
    ("in_predicate_conversion_threshold", Some("1")),
    ("terminology_use_previous", Some("'BEFORE_8_2_0'")),
    ("transaction_isolation", Some("'READ-UNCOMMITTED'")),
    ("transaction_read_only", Some("ON")),
    ("tx_isolation", Some("'READ-UNCOMMITTED'")),
    ("tx_read_only", Some("ON")),
];

/// Statements of `init_connect` that change a session.
const INIT_CONNECT: [&str; 5] = [
    "SET autocommit = 0; BEGIN",
    "SET sql_select_limit = 1",
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET NAMES latin1",
    "SET /*!80000 use_secondary_engine = FORCED, */ sql_big_selects = 0, max_join_size = 1",
];

/// Returns the session variables that the server has.
fn own_variables(server: &DatabaseServer, flavor: Flavor) -> BTreeSet<String> {
    let sql = match flavor {
        Flavor::Mysql => {
            "SELECT LOWER(VARIABLE_NAME) FROM performance_schema.variables_metadata WHERE VARIABLE_SCOPE <> 'GLOBAL'"
        }
        Flavor::Mariadb => {
            "SELECT LOWER(VARIABLE_NAME) FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_SCOPE LIKE 'SESSION%' \
            AND READ_ONLY = 'NO'"
        }
    };
    server.client(sql).lines().map(str::to_owned).collect()
}

async fn check(server: &DatabaseServer, flavor: Flavor) {
    let config = config(server);
    let own = own_variables(server, flavor);
    let set: BTreeSet<&str> = session_variables(flavor).collect();
    let left = include_str!("session_variables.txt");
    let left: BTreeSet<&str> = left
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(": "))
        .flat_map(|(_, names)| names.split(' '))
        .collect();
    let undecided: Vec<&String> =
        own.iter().filter(|name| !set.contains(name.as_str()) && !left.contains(name.as_str())).collect();
    assert!(undecided.is_empty(), "nobody has decided what these variables do to an answer: {undecided:?}");
    for name in &set {
        assert!(HOSTILE.iter().any(|(known, _)| known == name), "{name} is not tried");
    }

    server.client(TABLES);
    if flavor == Flavor::Mysql {
        server.client(
            "SET sql_generate_invisible_primary_key = ON; CREATE TABLE lim.invisible (a INT); INSERT INTO \
            lim.invisible VALUES (1), (2)",
        );
    } else {
        server.client(
            "CREATE TABLE lim.versioned (a INT) WITH SYSTEM VERSIONING; INSERT INTO lim.versioned VALUES (1), (2)",
        );
    }
    let right = answers(&config).await;
    assert!(right["rows of t"].starts_with("3 rows"), "{right:#?}");
    let globals = server.client("SHOW GLOBAL VARIABLES");
    let before = |name: &str| {
        let found = globals.lines().find_map(|line| line.strip_prefix(&format!("{name}\t")).map(str::to_owned));
        found.unwrap_or_else(|| panic!("{name} has no global value"))
    };
    let compare = async |setting: &str| {
        for (what, answer) in answers(&config).await {
            assert_eq!(answer, right[&what], "{what} with {setting}");
        }
    };
    for (name, value) in HOSTILE {
        let (true, true, Some(value)) = (set.contains(name), own.contains(*name), value) else { continue };
        let former = before(name);
        // On some versions two names mean one variable, and not every version accepts every value.
        if server.try_client(&format!("SET GLOBAL {name} = {value}")).is_err() {
            eprintln!("{name} = {value} is not a value of this server");
            continue;
        }
        compare(&format!("{name} = {value}")).await;
        let former = if former.parse::<f64>().is_ok() { former } else { format!("'{former}'") };
        // The client opens a session of its own, whose sql_mode must not be the hostile one.
        let back = if *name == "system_versioning_asof" { "DEFAULT".to_owned() } else { former };
        server.client(&format!("SET SESSION sql_mode = ''; SET GLOBAL {name} = {back}"));
    }
    for statement in INIT_CONNECT {
        server.client(&format!("SET GLOBAL init_connect = '{statement}'"));
        compare(&format!("init_connect = {statement}")).await;
    }
}

#[tokio::test]
async fn defaults_of_mysql_change_no_answer() {
    check(&Mysql::start(MysqlOptions::default()), Flavor::Mysql).await;
}

#[tokio::test]
async fn defaults_of_mariadb_change_no_answer() {
    check(&Mariadb::start(MariadbOptions::default()), Flavor::Mariadb).await;
}

#[tokio::test]
async fn defaults_of_mariadb_11_change_no_answer() {
    let options = MariadbOptions { release: "trixie".into(), ..MariadbOptions::default() };
    check(&Mariadb::start(options), Flavor::Mariadb).await;
}
