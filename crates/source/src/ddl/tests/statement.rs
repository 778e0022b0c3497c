use super::*;
use crate::TableName;

fn check_other(sql: &str, what: &str) {
    assert_eq!(statement(sql), Statement::Other { what: what.into() }, "{sql}");
}

#[test]
fn kinds_that_do_not_change_tables() {
    for sql in ["BEGIN", "COMMIT", "rollback", "SAVEPOINT `a`", "XA START 'x'", "ROLLBACK TO `s1`", "START TRANSACTION"]
    {
        assert_eq!(statement(sql), Statement::Transaction, "{sql}");
    }
    for sql in [
        "GRANT SELECT ON *.* TO 'a'@'%'",
        "REVOKE ALL ON d.* FROM a",
        "CREATE USER 'a'@'%' IDENTIFIED BY 'p'",
        "ALTER USER a IDENTIFIED WITH caching_sha2_password AS '$A$'",
        "DROP USER a",
        "SET PASSWORD FOR a = 'x'",
        "CREATE ROLE r",
        "RENAME USER a TO b",
    ] {
        assert_eq!(statement(sql), Statement::Account, "{sql}");
    }
    for sql in ["ANALYZE TABLE t", "OPTIMIZE LOCAL TABLE t", "REPAIR TABLE t", "CHECKSUM TABLE t"] {
        assert_eq!(statement(sql), Statement::Maintenance, "{sql}");
    }
    for sql in ["", "  -- nothing\n", "/* only a comment */", "# Dummy event replacing event type 160", ";"] {
        assert_eq!(statement(sql), Statement::Empty, "{sql}");
    }
}

/// Compares the targets of a statement in database `d`; an empty list means that they are unknown.
fn check_rows(sql: &str, expected: &[&str]) {
    let Statement::Rows { targets } = statement(sql) else { panic!("{sql}") };
    let targets: Vec<String> = targets.unwrap_or_default().iter().map(TableName::to_string).collect();
    assert_eq!(targets, expected, "{sql}");
}

#[test]
fn targets_of_row_changes() {
    for (sql, expected) in [
        ("INSERT INTO t VALUES (1)", "d.t"),
        ("insert low_priority ignore shop.`or``ders` (a) SELECT 1 FROM x", "shop.or`ders"),
        (
            "INSERT /*! HIGH_PRIORITY */ /* x */ INTO /*!40000 shop.*/t SET a = 1 ON DUPLICATE KEY UPDATE a = 2",
            "shop.t",
        ),
        ("INSERT DELAYED t() VALUES ()", "d.t"),
        ("REPLACE INTO t VALUES (1); ", "d.t"),
        // pt-table-checksum reads the table of the session's database and writes into its own.
        (
            "REPLACE INTO `percona`.`checksums` (db, tbl) SELECT 'shop', 'orders' FROM `shop`.`orders` FORCE \
            INDEX(`PRIMARY`) /*checksum chunk*/",
            "percona.checksums",
        ),
        (
            "LOAD DATA LOW_PRIORITY LOCAL INFILE 'a INTO TABLE x' IGNORE INTO TABLE `shop`.`t` FIELDS TERMINATED BY \
            ','",
            "shop.t",
        ),
        ("LOAD XML INFILE 'x' REPLACE INTO TABLE t ROWS IDENTIFIED BY '<r>'", "d.t"),
        ("update t set a = 1", "d.t"),
        (
            "UPDATE LOW_PRIORITY IGNORE shop.t AS x PARTITION (p) SET a = (SELECT 1 FROM u), b = 2 ORDER BY a, b LIMIT \
            1",
            "shop.t",
        ),
        ("UPDATE t FOR PORTION OF p FROM '2000-01-01' TO '2001-01-01' SET a = 1", "d.t"),
        ("UPDATE a.t, shop.u SET t.a = u.b", "a.t"),
        ("UPDATE a.t x JOIN shop.u AS y ON x.set = y.join SET y.b = x.a, y.c := 1 WHERE x.d IN (1, 2)", "shop.u"),
        (
            "UPDATE a.t USE INDEX FOR JOIN (i) LEFT JOIN (b.u CROSS JOIN c.v) ON FIND_IN_SET(1, u.w) SET c.v.x = 1",
            "c.v",
        ),
        ("UPDATE a.t JOIN (SELECT id FROM shop.u) s USING (id) SET a = 1", "a.t"),
        (
            "UPDATE a.t, ((SELECT 1 x) UNION (SELECT 2)) s, LATERAL (SELECT t.a) l, JSON_TABLE('[]', '$' COLUMNS (x \
            INT PATH '$')) j SET t.a = 1",
            "a.t",
        ),
        // The text does not tell which table changes, so all are targets.
        ("UPDATE a.t JOIN shop.u SET a = 1", "a.t shop.u"),
        ("UPDATE a.t JOIN shop.u SET t.a = 1, b = 1", "a.t shop.u"),
        ("UPDATE { OJ a.t LEFT OUTER JOIN ((SELECT 1 x) s JOIN shop.u) ON 1 = 1 } SET b = 1", "a.t shop.u"),
        ("DELETE FROM t", "d.t"),
        ("DELETE QUICK FROM shop.t AS x WHERE x.a IN (SELECT a FROM u) ORDER BY a LIMIT 1", "shop.t"),
        ("DELETE x, b.u.* FROM a.t AS x, b.u JOIN c.v ON v.a = u.a WHERE 1", "a.t b.u"),
        ("DELETE a.t.* FROM a.t STRAIGHT_JOIN t", "a.t d.t"),
        ("DELETE IGNORE FROM x, u USING a.t x NATURAL JOIN b.u, c.v WHERE 1", "a.t b.u"),
        ("DELETE HISTORY FROM shop.t BEFORE SYSTEM_TIME '2000-01-01'", "shop.t d.HISTORY"),
        (
            "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c), e AS (SELECT 2) DELETE FROM shop.t \
            WHERE a IN (SELECT n FROM c)",
            "shop.t",
        ),
        ("WITH c AS (SELECT 1 x) UPDATE shop.t JOIN c SET a = 1", "shop.t"),
        ("SET STATEMENT max_statement_time = 1 FOR INSERT INTO shop.t VALUES (1)", "shop.t"),
    ] {
        check_rows(sql, &expected.split(' ').collect::<Vec<_>>());
    }
    for sql in [
        "CALL p()",
        "DO f()",
        "SELECT `shop`.`f`()",
        "HANDLER t OPEN",
        "TABLE t",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "LOAD INDEX INTO CACHE t",
        "INSERT INTO (SELECT 1)",
        "UPDATE t, (u",
        "UPDATE 7 SET a = 1",
        "DELETE a, b FROM (",
        "DELETE FROM t, u WHERE 1",
    ] {
        check_rows(sql, &[]);
    }
    check_rows(&format!("UPDATE {}t SET a = 1", "(".repeat(100_000)), &[]);
}

#[test]
fn objects_other_than_tables() {
    check_other("CREATE VIEW v AS SELECT 1", "CREATE VIEW");
    check_other(
        "CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW `v` AS SELECT 1",
        "CREATE VIEW",
    );
    check_other(
        "CREATE DEFINER=`root`@`localhost` TRIGGER tr AFTER UPDATE ON t FOR EACH ROW BEGIN SET @a = 1; DROP TABLE t; \
        END",
        "CREATE TRIGGER",
    );
    check_other("CREATE PROCEDURE p() BEGIN CREATE TABLE t (a INT); DROP TABLE x; END", "CREATE PROCEDURE");
    check_other("CREATE FUNCTION f(a INT) RETURNS INT RETURN a", "CREATE FUNCTION");
    check_other("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t; ", "CREATE EVENT");
    check_other("CREATE SEQUENCE s START WITH 1", "CREATE SEQUENCE");
    check_other("CREATE TABLE s (next_not_cached_value bigint(21) NOT NULL) ENGINE=InnoDB SEQUENCE=1", "CREATE TABLE");
    check_other("DROP VIEW IF EXISTS v", "DROP VIEW");
    check_other("ALTER VIEW v AS SELECT 2", "ALTER VIEW");
    check_other("CREATE LIBRARY l LANGUAGE JAVASCRIPT AS $$ export function f() {} $$", "CREATE LIBRARY");
    check_other("FLUSH TABLES", "FLUSH TABLES");
    check_other("CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x'", "CREATE SPATIAL");
    check_other("INSTALL PLUGIN a SONAME 'b'", "INSTALL PLUGIN");
}

#[test]
fn databases() {
    let created = |sql: &str| match statement(sql) {
        Statement::CreateDatabase { name, charset } => (name, charset.resolved().map(str::to_owned)),
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(created("CREATE DATABASE a"), ("a".into(), None));
    assert_eq!(
        created("create schema if not exists `a b` default charset = 'Latin1' collate latin1_bin"),
        ("a b".into(), Some("latin1".into()))
    );
    assert_eq!(created("CREATE DATABASE a COLLATE utf8mb4_bin"), ("a".into(), Some("utf8mb4".into())));
    assert_eq!(
        created("CREATE DATABASE a /*!40100 DEFAULT CHARACTER SET koi8r */ /*!80016 DEFAULT ENCRYPTION='N' */"),
        ("a".into(), Some("koi8r".into()))
    );
    assert_eq!(statement("DROP DATABASE IF EXISTS a"), Statement::DropDatabase { name: "a".into() });
    assert_eq!(statement("USE `a`"), Statement::Use { name: "a".into() });
    assert_eq!(
        statement("ALTER DATABASE CHARACTER SET latin2"),
        Statement::AlterDatabase { name: "d".into(), charset: charset("latin2") }
    );
    assert_eq!(
        statement("ALTER SCHEMA x READ ONLY = 1"),
        Statement::AlterDatabase { name: "x".into(), charset: CharsetChoice::default() }
    );
}

#[test]
fn names_of_tables() {
    for (sql, database, table) in [
        ("TRUNCATE t", "d", "t"),
        ("TRUNCATE TABLE `a b`.`c``d`", "a b", "c`d"),
        ("TRUNCATE TABLE x . y", "x", "y"),
        ("TRUNCATE TABLE a.1st", "a", "1st"),
        ("TRUNCATE TABLE テーブル", "d", "テーブル"),
        ("TRUNCATE TABLE db.2024", "db", "2024"),
        ("/* c */ TRUNCATE -- x\n TABLE /*!40101 t */", "d", "t"),
        ("SET STATEMENT max_statement_time=1, sql_mode='' FOR TRUNCATE TABLE t", "d", "t"),
    ] {
        assert_eq!(statement(sql), Statement::TruncateTable(TableName::new(database, table)), "{sql}");
    }
    let ansi = scan("TRUNCATE TABLE \"a\".\"b\"", "d", SqlMode { ansi_quotes: true, ..SqlMode::default() });
    assert_eq!(ansi.statements, [Statement::TruncateTable(TableName::new("a", "b"))]);
}

#[test]
fn drops_and_renames() {
    let Statement::DropTable { tables, temporary, prefix } =
        statement("drop  table if exists `a`,b.`c` /* generated by server */")
    else {
        panic!("a drop expected")
    };
    assert_eq!((prefix.as_str(), temporary), ("drop  table if exists ", Temporary::No));
    assert_eq!(tables, [TableName::new("d", "a"), TableName::new("b", "c")]);
    assert!(matches!(statement("DROP TEMPORARY TABLE a"), Statement::DropTable { temporary: Temporary::Yes, .. }));
    let Statement::RenameTable { renames, prefix } = statement("RENAME TABLE a TO x.b, c WAIT 3 TO `d`") else {
        panic!("a rename expected")
    };
    assert_eq!(prefix, "RENAME TABLE ");
    let pairs: Vec<(String, String, &str)> =
        renames.iter().map(|rename| (rename.from.to_string(), rename.to.to_string(), rename.text.as_str())).collect();
    assert_eq!(pairs, [("d.a".into(), "x.b".into(), "a TO x.b"), ("d.c".into(), "d.d".into(), "c WAIT 3 TO `d`")]);
}

#[test]
fn several_statements_in_one_text() {
    let facts = scan_plain("CREATE TABLE a (b INT); DROP TABLE c;; TRUNCATE d");
    assert_eq!(facts.statements.len(), 3);
}

#[test]
fn unknown_parts_are_warnings() {
    let facts = scan_plain("CREATE TABLE t (a INT SHINY, b INT, 'c' INT)");
    assert_eq!(
        facts.warnings,
        ["column a: SHINY was skipped", "the element \"'c' INT\" of a table was not understood"]
    );
    let Statement::CreateTable(CreateTable { shape: Shape::Columns(definition), .. }) = &facts.statements[0] else {
        panic!()
    };
    assert_eq!(definition.columns.len(), 2);
    let facts = scan_plain("ALTER TABLE t ADD COLUMN a INT, FROBNICATE 7 (1, 2), DROP COLUMN b, DROP 7");
    let Statement::AlterTable(alter) = &facts.statements[0] else { panic!() };
    assert_eq!(alter.clauses.len(), 4);
    assert_eq!(alter.clauses[2], AlterClause::DropColumn { name: "b".into() });
    assert_eq!(
        facts.warnings,
        ["the clause \"FROBNICATE 7 (1, 2)\" was not understood", "the clause \"DROP 7\" was not understood"]
    );
}
