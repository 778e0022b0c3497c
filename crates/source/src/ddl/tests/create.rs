use super::*;

fn check(definition: &str, expected: &[&str]) {
    let catalog = catalog(&[&format!("CREATE TABLE t {definition}")]);
    assert_eq!(columns(&catalog), expected, "{definition}");
}

fn keys(statements: &[&str]) -> (Vec<String>, Vec<String>) {
    let catalog = catalog(statements);
    let table = catalog.table("d", "t").unwrap();
    (table.primary_key().to_vec(), table.identifying_columns().to_vec())
}

#[test]
fn types() {
    check(
        "(a INT, b INT(11) UNSIGNED ZEROFILL, c DECIMAL, d NUMERIC(8), e DEC(8,3) UNSIGNED, f DOUBLE PRECISION, g \
         FLOAT(7,3), h BIT, i YEAR(4), j TIMESTAMP(6) NULL, k BOOLEAN, l INTEGER SIGNED, m VECTOR(3), n UUID, o JSON, \
         p GEOMETRY SRID 4326)",
        &[
            "a INT",
            "b INT UNSIGNED ZEROFILL(11)",
            "c DECIMAL(10,0)",
            "d NUMERIC(8,0)",
            "e DEC UNSIGNED(8,3)",
            "f DOUBLE PRECISION",
            "g FLOAT(7,3)",
            "h BIT(1)",
            "i YEAR(4)",
            "j TIMESTAMP(6)",
            "k BOOLEAN",
            "l INTEGER",
            "m VECTOR(3)",
            "n UUID",
            "o JSON",
            "p GEOMETRY",
        ],
    );
    check(
        "(a CHAR, b CHARACTER VARYING(5), c NATIONAL CHAR VARYING(6), d NCHAR(3), e LONG, f LONG VARBINARY, g \
         TEXT(100), h VARCHAR(9) BINARY, i CHAR BYTE, j VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin, k TINYTEXT \
         COLLATE koi8r_bin, l CHAR(2) ASCII)",
        &[
            "a CHAR",
            "b CHARACTER VARYING(5)",
            "c NATIONAL CHAR VARYING(6) utf8",
            "d NCHAR(3) utf8",
            "e LONG",
            "f LONG VARBINARY",
            "g TEXT(100)",
            "h VARCHAR(9)",
            "i CHAR binary",
            "j VARCHAR(9) latin1",
            "k TINYTEXT koi8r",
            "l CHAR(2) latin1",
        ],
    );
    check(
        "(a ENUM('x','it''s', 'a\\'b', \"q\", ',)('), b SET(_latin1'a', x'62') CHARSET latin1 NOT NULL)",
        &["a ENUM[\"x\", \"it's\", \"a'b\", \"q\", \",)(\"]", "b SET[\"a\", \"b\"] latin1 NOT NULL"],
    );
}

#[test]
fn attributes() {
    check(
        "(a SERIAL, b INT NOT NULL DEFAULT -1 COMMENT 'it''s; (x', c BIGINT AUTO_INCREMENT UNIQUE KEY, d INT AS (a + \
         (1)) STORED, e VARCHAR(9) GENERATED ALWAYS AS (concat('(',`b`)) VIRTUAL NOT NULL COMMENT 'c', f INT DEFAULT 1 \
         /*!80023 INVISIBLE */, g TIMESTAMP DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE NOW(3), h INT CHECK (h > 0) NOT \
         ENFORCED, i INT CONSTRAINT x CHECK (i in (1,2)), j INT REFERENCES u (k) ON DELETE SET NULL, k INT \
         COLUMN_FORMAT FIXED STORAGE DISK, l BLOB COMPRESSED=zlib, m INT WITHOUT SYSTEM VERSIONING)",
        &[
            "a BIGINT UNSIGNED NOT NULL AUTO",
            "b INT NOT NULL Number(\"-1\") -- it's; (x",
            "c BIGINT NOT NULL AUTO",
            "d INT AS a + (1)",
            "e VARCHAR(9) NOT NULL AS concat('(',`b`) -- c",
            "f INT Number(\"1\") INVISIBLE",
            "g TIMESTAMP Now ON UPDATE",
            "h INT",
            "i INT",
            "j INT",
            "k INT",
            "l BLOB",
            "m INT",
        ],
    );
}

#[test]
fn defaults() {
    check(
        "(a INT DEFAULT NULL, b INT DEFAULT TRUE, c BIT(3) DEFAULT b'101', d BINARY(2) DEFAULT x'0aFF', e CHAR DEFAULT \
         _utf8mb4'x', f DATETIME DEFAULT now(), g CHAR(36) DEFAULT (uuid()), h INT DEFAULT ((1 + 2)) NOT NULL, i FLOAT \
         DEFAULT +1.5e3, j DATE DEFAULT current_timestamp, k VARBINARY(4) DEFAULT 0x0A, l INT DEFAULT nextval(`s`), m \
         CHAR(9) DEFAULT 'a' 'b', n DATE DEFAULT DATE'2024-01-01')",
        &[
            "a INT",
            "b INT Number(\"1\")",
            "c BIT(3) Bits(\"101\")",
            "d BINARY(2) Hex(\"0aFF\")",
            "e CHAR Text(\"x\")",
            "f DATETIME Now",
            "g CHAR(36) Expression(\"uuid()\")",
            "h INT NOT NULL Expression(\"(1 + 2)\")",
            "i FLOAT Number(\"1.5e3\")",
            "j DATE Now",
            "k VARBINARY(4) Hex(\"0A\")",
            "l INT Expression(\"nextval(`s`)\")",
            "m CHAR(9) Text(\"ab\")",
            "n DATE Text(\"2024-01-01\")",
        ],
    );
}

#[test]
fn keys_and_constraints_are_no_columns() {
    check(
        "(a INT, b INT, PRIMARY KEY (b, a), KEY k (a DESC), UNIQUE INDEX u USING BTREE (a), FULLTEXT KEY (b), SPATIAL \
         INDEX s (b), CONSTRAINT fk FOREIGN KEY (a) REFERENCES x (y) ON DELETE CASCADE, CHECK (a > b), CONSTRAINT \
         CHECK (a <> 1), INDEX e ((a + b)), VECTOR INDEX v (b) M=8, PERIOD FOR SYSTEM_TIME (a, b)) ENGINE=InnoDB \
         PARTITION BY HASH (a) PARTITIONS 4",
        &["a INT NOT NULL", "b INT NOT NULL"],
    );
    check(
        "(`key` INT, `primary` INT, comment INT, status INT, `check` INT)",
        &["key INT", "primary INT", "comment INT", "status INT", "check INT"],
    );
}

#[test]
fn primary_and_identifying_keys() {
    let of = |text: &str| keys(&[&format!("CREATE TABLE t {text}")]);
    let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(of("(a INT PRIMARY KEY, b INT)"), (some(&["a"]), some(&["a"])));
    assert_eq!(of("(a INT KEY)"), (some(&["a"]), some(&["a"])));
    assert_eq!(
        of("(A INT, b INT, UNIQUE (b), CONSTRAINT x PRIMARY KEY y USING BTREE (b, a))"),
        (some(&["b", "A"]), some(&["b", "A"]))
    );
    assert_eq!(of("(a INT, b INT NOT NULL, UNIQUE x (a), UNIQUE y (b))"), (some(&[]), some(&["b"])));
    assert_eq!(of("(a INT, b INT)"), (some(&[]), some(&[])));
    assert_eq!(of("(a INT NOT NULL, UNIQUE ((a + 1)), UNIQUE (a(3)))"), (some(&[]), some(&["a"])));
    let indexes = [
        "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL)",
        "CREATE INDEX i ON t (a)",
        "CREATE UNIQUE INDEX u ON t (b)",
    ];
    assert_eq!(keys(&indexes), (some(&[]), some(&["b"])));
    assert_eq!(keys(&[indexes[0], indexes[2], "DROP INDEX u ON t"]), (some(&[]), some(&[])));
    assert_eq!(keys(&["CREATE TABLE t (a INT PRIMARY KEY)", "DROP INDEX `PRIMARY` ON t"]), (some(&[]), some(&[])));
}

#[test]
fn character_sets_come_from_column_table_database_server() {
    for (before, text, expected) in [
        ("CREATE DATABASE d", "(a CHAR(1))", "a CHAR(1)"),
        ("CREATE DATABASE d CHARSET latin1", "(a CHAR(1))", "a CHAR(1) latin1"),
        ("ALTER DATABASE d COLLATE koi8r_bin", "(a CHAR(1))", "a CHAR(1) koi8r"),
        ("CREATE DATABASE d CHARSET latin1", "(a CHAR(1)) DEFAULT CHARACTER SET = cp850", "a CHAR(1) cp850"),
        ("CREATE DATABASE d CHARSET latin1", "(a CHAR(1)) COLLATE cp850_bin", "a CHAR(1) cp850"),
        ("CREATE DATABASE d", "(a CHAR(1) COLLATE cp866_bin) CHARSET 'latin1'", "a CHAR(1) cp866"),
        ("CREATE DATABASE d CHARSET latin1", "(a INT)", "a INT"),
    ] {
        assert_eq!(columns(&catalog(&[before, &format!("CREATE TABLE t {text}")])), [expected], "{before}; {text}");
    }
}

#[test]
fn options_and_comment() {
    let catalog = catalog(&[
        "CREATE TABLE IF NOT EXISTS d.t (a INT) ENGINE=InnoDB AUTO_INCREMENT=3, ROW_FORMAT=DYNAMIC COMMENT = 'ta''ble' \
         STATS_PERSISTENT=0 WITH SYSTEM VERSIONING PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10) COMMENT \
         = 'no', PARTITION p1 VALUES LESS THAN MAXVALUE)",
    ]);
    let table = catalog.table("d", "t").unwrap();
    assert_eq!(table.comment.as_deref(), Some("ta'ble"));
    assert_eq!(table.columns.len(), 1);
}

#[test]
fn like_and_select() {
    let source = "CREATE TABLE s (a INT PRIMARY KEY, b CHAR(2) CHARSET latin1) COMMENT 'x'";
    for like in ["CREATE TABLE t LIKE s", "CREATE TABLE t (LIKE d.s)", "CREATE TABLE IF NOT EXISTS t LIKE `s`"] {
        let catalog = catalog(&[source, like]);
        assert_eq!(columns(&catalog), ["a INT NOT NULL", "b CHAR(2) latin1"], "{like}");
        assert_eq!(catalog.table("d", "t").unwrap().comment.as_deref(), Some("x"));
    }
    for unknown in [
        "CREATE TABLE t LIKE nowhere",
        "CREATE TABLE t SELECT 1 AS a",
        "CREATE TABLE t AS SELECT * FROM s",
        "CREATE TABLE t (PRIMARY KEY (a)) ENGINE=InnoDB IGNORE AS SELECT a FROM s",
        "CREATE TABLE t (b INT) (SELECT 1)",
        "CREATE TABLE t (SELECT 1)",
        "CREATE TABLE t PARTITION BY HASH (a) AS SELECT 1 a",
        "CREATE TABLE t WITH x AS (SELECT 1) SELECT * FROM x",
    ] {
        let mut catalog = catalog(&[source]);
        let changes = catalog.apply(&scan_plain(unknown));
        assert_eq!(changes.len(), 1, "{unknown}");
        assert_eq!((changes[0].kind, &changes[0].table), (TableChangeKind::Create, &None), "{unknown}");
        assert!(catalog.table("d", "t").is_none(), "{unknown}");
    }
    let atomic = catalog(&["CREATE TABLE `t` (\n  `a` int NOT NULL\n) START TRANSACTION"]);
    assert_eq!(columns(&atomic), ["a INT NOT NULL"]);
}

#[test]
fn existing_tables() {
    let first = "CREATE TABLE t (a INT)";
    assert_eq!(columns(&catalog(&[first, "CREATE TABLE IF NOT EXISTS t (b INT)"])), ["a INT"]);
    assert_eq!(columns(&catalog(&[first, "CREATE OR REPLACE TABLE t (b INT)"])), ["b INT"]);
    assert_eq!(columns(&catalog(&[first, "CREATE TEMPORARY TABLE t (b INT)"])), ["a INT"]);
    assert_eq!(columns(&catalog(&[first, "DROP TEMPORARY TABLE t"])), ["a INT"]);
}
