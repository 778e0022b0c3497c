use super::*;

const TABLE: &str = "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20), c CHAR(4) CHARACTER SET latin1 DEFAULT 'x')";

fn check(clauses: &str, expected: &[&str]) {
    let sql = format!("ALTER TABLE t {clauses}");
    assert_eq!(columns(&catalog(&[TABLE, &sql])), expected, "{clauses}");
}

const A: &str = "a INT NOT NULL";
const B: &str = "b VARCHAR(20)";
const C: &str = "c CHAR(4) latin1 Text(\"x\")";

#[test]
fn adds() {
    check("ADD x INT", &[A, B, C, "x INT"]);
    check("ADD COLUMN x INT FIRST", &["x INT", A, B, C]);
    check("ADD COLUMN x INT NOT NULL DEFAULT 5 AFTER `A`", &[A, "x INT NOT NULL Number(\"5\")", B, C]);
    check("ADD x INT AFTER a, ADD y INT AFTER x, ADD z INT FIRST", &["z INT", A, "x INT", "y INT", B, C]);
    check("ADD COLUMN (x INT, y VARCHAR(3) NOT NULL, INDEX (x))", &[A, B, C, "x INT", "y VARCHAR(3) NOT NULL"]);
    check("ADD COLUMN IF NOT EXISTS b INT, ADD COLUMN IF NOT EXISTS x INT", &[A, B, C, "x INT"]);
    check("ADD B INT FIRST, ADD x INT", &[A, B, C, "x INT"]);
    check("ADD x TEXT CHARACTER SET koi8r COMMENT 'a, b'", &[A, B, C, "x TEXT koi8r -- a, b"]);
    check(
        "ADD INDEX i (b), ADD UNIQUE KEY u (c), ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES x (y), ADD CHECK (a > 0)",
        &[A, B, C],
    );
}

#[test]
fn changes_in_place_and_with_position() {
    check("MODIFY b TEXT NOT NULL", &[A, "b TEXT NOT NULL", C]);
    check("MODIFY COLUMN c CHAR(5)", &[A, B, "c CHAR(5)"]);
    check("MODIFY COLUMN c CHAR(4) FIRST", &["c CHAR(4)", A, B]);
    check("MODIFY a INT AFTER b", &[B, A, C]);
    check("CHANGE b b2 INT", &[A, "b2 INT", C]);
    check("CHANGE COLUMN b b2 INT AFTER c, ADD x INT AFTER b2", &[A, C, "b2 INT", "x INT"]);
    check("CHANGE b c INT, CHANGE c b INT", &[A, "c INT", "b INT"]);
    check("MODIFY c INT FIRST, MODIFY b INT FIRST", &["b INT", "c INT", A]);
    check("RENAME COLUMN b TO x, ADD y INT AFTER x", &[A, "x VARCHAR(20)", "y INT", C]);
    check("RENAME COLUMN b TO c, RENAME COLUMN c TO b", &[A, "c VARCHAR(20)", "b CHAR(4) latin1 Text(\"x\")"]);
    check("CHANGE COLUMN IF EXISTS b x INT", &[A, "x INT", C]);
}

#[test]
fn drops() {
    check("DROP b", &[A, C]);
    check("DROP COLUMN b, DROP COLUMN IF EXISTS nope, DROP COLUMN c CASCADE", &[A]);
    check("DROP b, ADD b INT", &[A, C, "b INT"]);
    check("DROP COLUMN b, ADD COLUMN b INT AFTER a", &[A, "b INT", C]);
    check(
        "DROP INDEX x, DROP KEY y, DROP FOREIGN KEY z, DROP CHECK w, DROP CONSTRAINT v, DROP PARTITION p0, p1",
        &[A, B, C],
    );
}

#[test]
fn defaults_and_visibility() {
    check("ALTER COLUMN b SET DEFAULT 'q'", &[A, "b VARCHAR(20) Text(\"q\")", C]);
    check(
        "ALTER c DROP DEFAULT, ALTER b SET DEFAULT (uuid())",
        &[A, "b VARCHAR(20) Expression(\"uuid()\")", "c CHAR(4) latin1"],
    );
    check("ALTER COLUMN b SET INVISIBLE", &[A, "b VARCHAR(20) INVISIBLE", C]);
    check("ALTER INDEX i INVISIBLE, ALTER CHECK k NOT ENFORCED", &[A, B, C]);
}

#[test]
fn character_sets() {
    check("CONVERT TO CHARACTER SET cp850", &[A, "b VARCHAR(20) cp850", "c CHAR(4) cp850 Text(\"x\")"]);
    check(
        "CONVERT TO CHARSET latin2 COLLATE latin2_bin, ADD x TEXT",
        &[A, "b VARCHAR(20) latin2", "c CHAR(4) latin2 Text(\"x\")", "x TEXT latin2"],
    );
    check("DEFAULT CHARACTER SET cp850", &[A, B, C]);
    check("CHARSET = cp850, ADD x TEXT", &[A, B, C, "x TEXT cp850"]);
    check("COLLATE latin2_bin, MODIFY b TEXT", &[A, "b TEXT latin2", C]);
}

#[test]
fn irrelevant_clauses() {
    for clauses in [
        "ENGINE=InnoDB",
        "FORCE, ALGORITHM=INPLACE, LOCK=NONE",
        "ORDER BY a, b",
        "AUTO_INCREMENT = 100 ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE 8",
        "PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
        "ADD PARTITION (PARTITION p2 VALUES IN (1, 2))",
        "REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (5))",
        "EXCHANGE PARTITION p WITH TABLE u WITHOUT VALIDATION",
        "REMOVE PARTITIONING",
        "DISABLE KEYS",
        "DISCARD TABLESPACE",
        "ADD SYSTEM VERSIONING",
        "DROP SYSTEM VERSIONING",
        "ADD PERIOD FOR SYSTEM_TIME (s, e)",
        "SECONDARY_LOAD",
        "WITH VALIDATION",
        "",
    ] {
        check(clauses, &[A, B, C]);
    }
    check("COMMENT='n' ENGINE=InnoDB", &[A, B, C]);
    let catalog = catalog(&[TABLE, "ALTER TABLE t COMMENT='n' ENGINE=InnoDB"]);
    assert_eq!(catalog.table("d", "t").unwrap().comment.as_deref(), Some("n"));
}

#[test]
fn forms_of_the_head() {
    for head in [
        "ALTER TABLE d.t",
        "ALTER IGNORE TABLE t",
        "ALTER ONLINE TABLE t",
        "ALTER TABLE IF EXISTS t",
        "alter table `t` WAIT 5",
        "ALTER TABLE t NOWAIT",
    ] {
        assert_eq!(columns(&catalog(&[TABLE, &format!("{head} DROP b")])), [A, C], "{head}");
    }
}

#[test]
fn keys() {
    let keys = |clauses: &str| {
        let catalog = catalog(&[TABLE, &format!("ALTER TABLE t {clauses}")]);
        let table = catalog.table("d", "t").unwrap();
        (table.primary_key().join(","), table.identifying_columns().join(","))
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(keys("DROP PRIMARY KEY"), pair("", ""));
    assert_eq!(keys("DROP PRIMARY KEY, ADD PRIMARY KEY (b, a)"), pair("b,a", "b,a"));
    assert_eq!(keys("CHANGE a id BIGINT"), pair("id", "id"));
    assert_eq!(keys("RENAME COLUMN a TO id"), pair("id", "id"));
    assert_eq!(keys("DROP a"), pair("", ""));
    assert_eq!(keys("DROP PRIMARY KEY, MODIFY b VARCHAR(20) NOT NULL UNIQUE"), pair("", "b"));
    assert_eq!(keys("DROP PRIMARY KEY, ADD x INT PRIMARY KEY"), pair("x", "x"));
    assert_eq!(
        keys("DROP PRIMARY KEY, MODIFY b CHAR(1) NOT NULL, ADD UNIQUE INDEX u (b), DROP INDEX nope"),
        pair("", "b")
    );
    assert_eq!(keys("MODIFY a INT AFTER c"), pair("a", "a"));
}

#[test]
fn renames_and_drops_of_tables() {
    for (sql, expected) in [
        ("ALTER TABLE t RENAME u", "d.u"),
        ("ALTER TABLE t RENAME TO u", "d.u"),
        ("ALTER TABLE t RENAME AS x.u, DROP b", "x.u"),
        ("ALTER TABLE t RENAME = `u`", "d.u"),
        ("RENAME TABLE t TO x.u", "x.u"),
        ("RENAME TABLES t TO v, v TO w", "d.w"),
    ] {
        let mut catalog = catalog(&[TABLE]);
        let changes = catalog.apply(&scan_plain(sql));
        assert_eq!(changes.last().unwrap().id.to_string(), expected, "{sql}");
        assert!(changes[0].previous_id.as_ref().is_some_and(|id| id.to_string() == "d.t"), "{sql}");
        let names: Vec<String> = catalog.tables().map(|table| table.name.to_string()).collect();
        assert_eq!(names, [expected], "{sql}");
    }
    let mut swap = catalog(&[TABLE, "CREATE TABLE u (z INT)"]);
    swap.apply(&scan_plain("RENAME TABLE t TO old, u TO t"));
    assert_eq!(columns(&swap), ["z INT"]);
    let dropped = swap.apply(&scan_plain("DROP DATABASE d"));
    assert_eq!(dropped.iter().map(|change| change.id.table.as_str()).collect::<Vec<_>>(), ["old", "t"]);
    assert_eq!(swap.tables().count(), 0);
}

#[test]
fn unknown_tables_have_no_shape() {
    let mut catalog = Catalog::default();
    let changes = catalog.apply(&scan_plain("ALTER TABLE t ADD a INT"));
    assert_eq!((changes[0].kind, &changes[0].table), (TableChangeKind::Alter, &None));
    assert_eq!(catalog.apply(&scan_plain("DROP TABLE t"))[0].kind, TableChangeKind::Drop);
}

#[test]
fn names_of_columns_do_not_depend_on_case() {
    let catalog = catalog(&["CREATE TABLE d.t (a INT, `Σ` INT)", "ALTER TABLE d.t MODIFY A BIGINT, DROP `σ`"]);
    assert_eq!(columns(&catalog), ["A BIGINT"]);
}

/// Two tables whose names differ in case once shared one description.
#[test]
fn names_of_tables_are_compared_as_the_server_does() {
    let statements = [
        "CREATE TABLE D.T (a INT)",
        "CREATE TABLE IF NOT EXISTS d.t (b INT)",
        "ALTER TABLE d.t ADD c INT",
        "ALTER TABLE D.T RENAME TO d.U",
        "CREATE DATABASE D CHARSET latin1",
        "DROP DATABASE D",
    ];
    let known = |names: NameCase, count: usize| {
        let mut catalog = Catalog::default();
        catalog.set_name_case(names);
        for sql in &statements[..count] {
            catalog.apply(&scan_plain(sql));
        }
        let shown = catalog
            .tables()
            .map(|table| format!("{}: {}", table.name, table.columns.iter().map(shown).collect::<Vec<_>>().join(", ")));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(known(NameCase::Sensitive, 3), ["D.T: a INT", "d.t: b INT, c INT"]);
    assert_eq!(known(NameCase::Lowered, 3), ["d.t: a INT, c INT"]);
    assert_eq!(known(NameCase::Insensitive, 3), ["D.T: a INT, c INT"]);
    assert_eq!(known(NameCase::Sensitive, 6), ["d.U: a INT", "d.t: b INT, c INT"]);
    assert_eq!(known(NameCase::Lowered, 4), ["d.u: a INT, c INT"]);
    assert_eq!(known(NameCase::Insensitive, 6), [""; 0]);
}
