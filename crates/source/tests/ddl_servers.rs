//! The catalog against real servers: after each statement, its columns and keys equal what `information_schema` says, both
//! when it followed the statements and when it reads `SHOW CREATE TABLE`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use bitacora_source::ddl::{Catalog, CharsetChoice, ColumnDefinition, DefaultValue, KeyKind, SqlMode, Table, scan};
use bitacora_source::schema::{ColumnFacts, TableFacts, describe, show_create_table};
use bitacora_source::wire::Connection;
use bitacora_source::{ServerConfig, TableName};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};

/// Statements on `t`; each group starts without it.
const BOTH: &[&[&str]] = &[
    &[
        "CREATE TABLE t (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT, e BIGINT UNSIGNED, f INTEGER, g INT1, h INT8, i MIDDLEINT)",
    ],
    &[
        "CREATE TABLE t (a BOOL, b BOOLEAN NOT NULL DEFAULT TRUE, c TINYINT(1), d INT(7) ZEROFILL, e INT UNSIGNED ZEROFILL)",
    ],
    &["CREATE TABLE t (a DECIMAL, b NUMERIC(8), c DEC(8,3) UNSIGNED, d FIXED(5,5), e DECIMAL(6,2) ZEROFILL)"],
    &[
        "CREATE TABLE t (a FLOAT, b FLOAT(7,3), c FLOAT(24), d FLOAT(25), e DOUBLE PRECISION, f REAL, g DOUBLE(10,4) UNSIGNED, h FLOAT4, i FLOAT8)",
    ],
    &[
        "CREATE TABLE t (a BIT, b BIT(12) DEFAULT b'101', c YEAR, d DATE, e TIME(3), f DATETIME(6), g TIMESTAMP(2) NULL, h TIME, i DATETIME)",
    ],
    &[
        "CREATE TABLE t (a CHAR, b CHAR(7), c CHARACTER VARYING(5), d NCHAR(3), e NATIONAL VARCHAR(4), f NVARCHAR(6), g NATIONAL CHAR VARYING(6))",
    ],
    &[
        "CREATE TABLE t (a TINYTEXT, b TEXT, c MEDIUMTEXT, d LONGTEXT, e TEXT(100), f TEXT(70000), g LONG, h LONG VARCHAR, i LONG VARBINARY)",
    ],
    &[
        "CREATE TABLE t (a BINARY, b BINARY(3), c VARBINARY(9), d TINYBLOB, e BLOB, f MEDIUMBLOB, g LONGBLOB, h BLOB(100))",
    ],
    &[
        "CREATE TABLE t (a CHAR(4) CHARACTER SET binary, b VARCHAR(4) CHARSET binary, c TEXT CHARACTER SET binary, d CHAR(2) BYTE)",
    ],
    &[
        "CREATE TABLE t (a VARCHAR(9) CHARACTER SET latin1, b VARCHAR(9) COLLATE koi8r_bin, c TEXT CHARACTER SET cp850 COLLATE cp850_bin, d VARCHAR(5) BINARY)",
    ],
    &[
        "CREATE TABLE t (a ENUM('x','it''s', 'a\\'b', \"q\", ',)(') DEFAULT 'x', b SET('a','b') CHARSET latin1 NOT NULL DEFAULT 'a,b', c ENUM('ñ','日'))",
    ],
    &["CREATE TABLE t (a GEOMETRY, b POINT, c LINESTRING, d POLYGON, e MULTIPOINT, f GEOMETRYCOLLECTION)"],
    &[
        "CREATE TABLE t (a SERIAL, b INT COMMENT 'it''s; (x', c INT AS (b + (1)) STORED, d VARCHAR(9) GENERATED ALWAYS AS (concat('(',`b`)) VIRTUAL COMMENT 'c')",
    ],
    &[
        "CREATE TABLE t (a INT NOT NULL DEFAULT -5, b VARCHAR(9) DEFAULT 'it''s', c DECIMAL(6,3) DEFAULT 1.5, d DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, e CHAR(3) DEFAULT '')",
    ],
    &[
        "CREATE TABLE t (a TIMESTAMP, b TIMESTAMP NOT NULL DEFAULT '2000-01-01 00:00:00', c TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3))",
    ],
    &["CREATE TABLE t (a INT, b INT, PRIMARY KEY (b, a), KEY k (a DESC), UNIQUE INDEX u USING BTREE (a))"],
    &[
        "CREATE TABLE t (a INT KEY, b INT UNIQUE, c INT NOT NULL UNIQUE KEY, CONSTRAINT x UNIQUE (b, c), CHECK (a > 0), CONSTRAINT y CHECK (b <> 1))",
    ],
    &[
        "CREATE TABLE t (a INT NOT NULL AUTO_INCREMENT, b INT, PRIMARY KEY (a)) COMMENT='ta''ble' ENGINE=InnoDB AUTO_INCREMENT=7 ROW_FORMAT=DYNAMIC",
    ],
    &["CREATE TABLE t (a CHAR(3), b TEXT, c INT) DEFAULT CHARSET=latin1"],
    &["CREATE TABLE t (a CHAR(3), b TEXT CHARACTER SET utf8mb4) COLLATE cp866_bin"],
    &[
        "CREATE TABLE t (a INT NOT NULL, b INT, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10) COMMENT = 'n', PARTITION p1 VALUES LESS THAN MAXVALUE)",
    ],
    &["CREATE TABLE t (`key` INT, comment INT, status INT, `a``b` INT, `ñ` INT, `select` INT, date DATE, time TIME)"],
    &[
        "CREATE TABLE t (a INT PRIMARY KEY, b INT)",
        "ALTER TABLE t ADD x INT",
        "ALTER TABLE t ADD COLUMN y INT FIRST, ADD z INT AFTER a",
        "ALTER TABLE t ADD (v INT, w TEXT)",
    ],
    &[
        "CREATE TABLE t (a INT PRIMARY KEY, b INT)",
        "ALTER TABLE t ADD x INT AFTER a, ADD y INT AFTER x, ADD z INT FIRST",
    ],
    &[
        "CREATE TABLE t (a INT PRIMARY KEY, b INT, c CHAR(4))",
        "ALTER TABLE t MODIFY c CHAR(5) FIRST",
        "ALTER TABLE t MODIFY a BIGINT AFTER b, CHANGE c cc INT AFTER a",
    ],
    &[
        "CREATE TABLE t (a INT, b INT, c INT, d INT)",
        "ALTER TABLE t MODIFY d INT FIRST, MODIFY c INT FIRST",
        "ALTER TABLE t MODIFY a INT AFTER b, ADD x INT AFTER a, MODIFY d INT AFTER x",
    ],
    &["CREATE TABLE t (a INT, b CHAR(3))", "ALTER TABLE t CHANGE a b CHAR(5), CHANGE b a BIGINT"],
    &[
        "CREATE TABLE t (a INT PRIMARY KEY, b INT, c INT)",
        "ALTER TABLE t DROP b",
        "ALTER TABLE t DROP c, ADD c TEXT AFTER a",
        "ALTER TABLE t DROP COLUMN c",
    ],
    &[
        "CREATE TABLE t (a INT PRIMARY KEY, b INT)",
        "ALTER TABLE t RENAME COLUMN b TO x",
        "ALTER TABLE t RENAME COLUMN a TO id, ADD y INT AFTER x",
    ],
    &[
        "CREATE TABLE t (a INT, b VARCHAR(9))",
        "ALTER TABLE t ALTER b SET DEFAULT 'q', ALTER COLUMN a SET DEFAULT 7",
        "ALTER TABLE t ALTER a DROP DEFAULT",
    ],
    &[
        "CREATE TABLE t (a INT, b VARCHAR(9), c TEXT CHARACTER SET latin1)",
        "ALTER TABLE t CONVERT TO CHARACTER SET cp850",
        "ALTER TABLE t CHARSET = latin2, ADD x VARCHAR(4)",
        "ALTER TABLE t COLLATE koi8r_bin COMMENT='n', MODIFY b VARCHAR(9)",
    ],
    &[
        "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, c INT)",
        "ALTER TABLE t ADD PRIMARY KEY (b, a)",
        "ALTER TABLE t DROP PRIMARY KEY, ADD UNIQUE u (c), ADD CONSTRAINT v UNIQUE (a)",
        "ALTER TABLE t DROP INDEX u",
        "CREATE UNIQUE INDEX w ON t (b, c)",
        "DROP INDEX v ON t",
    ],
    &[
        "CREATE TABLE t (a INT NOT NULL, b INT, UNIQUE (b), UNIQUE (a))",
        "ALTER TABLE t DROP b",
        "ALTER TABLE t RENAME COLUMN a TO z",
        "ALTER TABLE t ADD COLUMN k INT PRIMARY KEY FIRST",
    ],
    &[
        "CREATE TABLE s (a INT PRIMARY KEY, b CHAR(2) CHARSET latin1) COMMENT 'x'",
        "CREATE TABLE t LIKE s",
        "DROP TABLE s",
        "RENAME TABLE t TO u",
        "ALTER TABLE u ADD x INT, RENAME TO t",
    ],
    &[
        "CREATE TABLE t (a INT, b INT)",
        "ALTER TABLE t ENGINE=InnoDB, FORCE",
        "ALTER TABLE t ORDER BY a, b",
        "ALTER TABLE t ADD INDEX i (b), ALGORITHM=INPLACE, LOCK=NONE",
        "ALTER TABLE t AUTO_INCREMENT = 100 ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE 8",
    ],
    &[
        "CREATE TABLE t (a INT NOT NULL PRIMARY KEY)",
        "ALTER TABLE t PARTITION BY HASH (a) PARTITIONS 4",
        "ALTER TABLE t ADD PARTITION PARTITIONS 2",
        "ALTER TABLE t REMOVE PARTITIONING",
    ],
    &["CREATE TABLE t (a INT)", "CREATE TABLE IF NOT EXISTS t (b INT)", "TRUNCATE TABLE t", "ANALYZE TABLE t"],
    &[
        "ALTER DATABASE d CHARACTER SET latin1",
        "CREATE TABLE t (a CHAR(3), b TEXT)",
        "ALTER DATABASE d COLLATE utf8mb4_bin",
        "ALTER TABLE t ADD c CHAR(3)",
    ],
];

const MYSQL_ONLY: &[&[&str]] = &[
    &["CREATE TABLE t (a INT NOT NULL, b INT, UNIQUE (b, a))", "ALTER TABLE t DROP b"],
    &["CREATE TABLE t (a JSON, b VECTOR(3), c VECTOR, d POINT NOT NULL SRID 4326, e GEOMCOLLECTION)"],
    &[
        "CREATE TABLE t (a INT, b INT DEFAULT 1 INVISIBLE, c CHAR(36) DEFAULT (uuid()), d INT DEFAULT ((1 + 2)), e JSON DEFAULT (json_array()), f BLOB DEFAULT ('x'))",
        "ALTER TABLE t ALTER COLUMN b SET VISIBLE, ALTER COLUMN a SET INVISIBLE",
    ],
    &[
        "CREATE TABLE t (a INT, b INT, UNIQUE ((a + b)), UNIQUE u (b), INDEX i ((a * 2)))",
        "ALTER TABLE t ALTER INDEX u INVISIBLE",
        "ALTER TABLE t RENAME INDEX u TO v",
        "ALTER TABLE t DROP INDEX v",
    ],
    &[
        "CREATE TABLE t (a INT CHECK (a > 0) NOT ENFORCED, b INT COLUMN_FORMAT FIXED STORAGE MEMORY)",
        "ALTER TABLE t ALTER CHECK t_chk_1 ENFORCED",
        "ALTER TABLE t DROP CHECK t_chk_1",
    ],
];

const MARIADB_ONLY: &[&[&str]] = &[
    &[
        "CREATE OR REPLACE TABLE t (a UUID, b INET6, c INT INVISIBLE, d VARCHAR(9) COMPRESSED)",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, ADD COLUMN IF NOT EXISTS z INT",
        "ALTER TABLE IF EXISTS t WAIT 5 DROP COLUMN IF EXISTS nope, MODIFY COLUMN IF EXISTS z BIGINT",
    ],
    &[
        "SET STATEMENT max_statement_time=100 FOR CREATE TABLE t (a INT DEFAULT (1 + 2), b INT AS (a) PERSISTENT, c CHAR(36) DEFAULT uuid())",
        "ALTER ONLINE TABLE t ADD d INT",
    ],
    &["CREATE TABLE t (a INT) WITH SYSTEM VERSIONING", "ALTER TABLE t DROP SYSTEM VERSIONING"],
    &["CREATE TABLE t (a INT, b INT)", "CREATE OR REPLACE UNIQUE INDEX u ON t (a)", "DROP INDEX IF EXISTS u ON t"],
];

#[tokio::test(flavor = "current_thread")]
async fn mysql_columns_equal_information_schema() {
    let server = Mysql::start(MysqlOptions::default());
    let mut session = Session::open(&server, Server::Mysql).await;
    session.run_groups(BOTH).await;
    session.run_groups(MYSQL_ONLY).await;
    session.run_random(0x5EED_0001, 300).await;
}

#[tokio::test(flavor = "current_thread")]
async fn mariadb_columns_equal_information_schema() {
    // Servers of other tests on this machine must not meet in one folder of temporary tables.
    let temporary = tempfile::tempdir().unwrap();
    let extra = vec![format!("--tmpdir={}", temporary.path().display())];
    let server = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() });
    let mut session = Session::open(&server, Server::Mariadb).await;
    session.run_groups(BOTH).await;
    session.run_groups(MARIADB_ONLY).await;
    session.run_random(0x5EED_0002, 300).await;
}

#[derive(Clone, Copy, PartialEq)]
enum Server {
    Mysql,
    Mariadb,
}

struct Session {
    connection: Connection,
    kind: Server,
    server_charset: CharsetChoice,
    catalog: Catalog,
}

impl Session {
    async fn open(server: &DatabaseServer, kind: Server) -> Session {
        let mut config = ServerConfig::new("127.0.0.1", server.port, "root", "");
        config.tls.mode = bitacora_source::TlsMode::Disabled;
        let mut connection = Connection::open(&config).await.unwrap();
        connection.execute("SET NAMES utf8mb4").await.unwrap();
        let row = connection.query("SELECT @@character_set_server, @@collation_server").await.unwrap();
        let row = row.first().unwrap();
        let text = |index| row.text(index).map(str::to_owned);
        let server_charset = CharsetChoice { charset: text(0), collation: text(1) };
        let catalog = Catalog::new(server_charset.clone());
        Session { connection, kind, server_charset, catalog }
    }

    async fn fresh(&mut self) {
        self.catalog = Catalog::new(self.server_charset.clone());
        for sql in ["DROP DATABASE IF EXISTS d", "CREATE DATABASE d", "USE d"] {
            self.connection.execute(sql).await.unwrap();
            self.catalog.apply(&scan(sql, "", SqlMode::default()));
        }
    }

    async fn run_groups(&mut self, groups: &[&[&str]]) {
        for group in groups {
            self.fresh().await;
            for sql in *group {
                self.connection.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
                self.follow(sql).await;
            }
        }
    }

    /// Random changes; what the server refuses is not applied, as it is not in the log either.
    async fn run_random(&mut self, seed: u64, count: usize) {
        let mut random = Random(seed);
        self.fresh().await;
        let create = "CREATE TABLE t (a INT NOT NULL, b VARCHAR(9), c DECIMAL(5,2), PRIMARY KEY (a))";
        self.connection.execute(create).await.unwrap();
        self.follow(create).await;
        let mut applied = 0;
        for _ in 0..count {
            let sql = random.alter();
            if self.connection.execute(&sql).await.is_ok() {
                applied += 1;
                self.follow(&sql).await;
            }
        }
        assert!(applied > count / 5, "only {applied} of {count} random statements were accepted");
    }

    /// Applies the statement and compares `t`, if it is there.
    async fn follow(&mut self, sql: &str) {
        let facts = scan(sql, "d", SqlMode::default());
        assert!(facts.warnings.is_empty(), "{sql}: {:?}", facts.warnings);
        self.catalog.apply(&facts);
        let name = TableName::new("d", "t");
        let described = describe(&mut self.connection, std::slice::from_ref(&name)).await.unwrap();
        let Some(truth) = described.first() else {
            assert!(self.catalog.table("d", "t").is_none(), "{sql}");
            return;
        };
        let expected = expected(truth, self.kind);
        let table = self.catalog.table("d", "t").unwrap_or_else(|| panic!("{sql}: no table"));
        assert_eq!(shown(table, self.kind), expected, "{sql}");
        let text = show_create_table(&mut self.connection, &name).await.unwrap();
        let mut read = Catalog::new(self.server_charset.clone());
        let facts = scan(&text, "d", SqlMode::default());
        assert!(facts.warnings.is_empty(), "{text}: {:?}", facts.warnings);
        read.apply(&facts);
        assert_eq!(shown(read.table("d", "t").unwrap(), self.kind), expected, "{text}");
    }
}

/// A table as lines: head, columns, keys.
fn expected(truth: &TableFacts, kind: Server) -> Vec<String> {
    let charset = truth.collation.as_deref().unwrap_or_default().split('_').next().unwrap_or_default();
    let mut lines = vec![format!("{charset} {:?}", truth.comment)];
    lines.extend(truth.columns.iter().map(|column| expected_column(column, kind)));
    let primary: Vec<&str> = truth.primary_key.iter().map(|(name, _)| name.as_str()).collect();
    lines.push(format!("primary {}", primary.join(",")));
    let mut unique: Vec<String> =
        truth.unique_keys.iter().map(|(_, columns)| format!("unique {}", columns.join(","))).collect();
    unique.sort();
    lines.extend(unique);
    lines
}

fn expected_column(column: &ColumnFacts, kind: Server) -> String {
    let column_type = if kind == Server::Mysql { column.column_type.as_str() } else { &column.data_type };
    let charset = column.charset.as_deref().unwrap_or("-");
    let charset = if charset == "utf8mb3" { "utf8" } else { charset };
    format!(
        "{} {} {} null={} default={} auto={} generated={} {:?}",
        column.name,
        column_type.split(" /*").next().unwrap_or_default(),
        charset,
        column.nullable,
        column.default.as_deref().is_some_and(|text| text != "NULL"),
        column.has_extra("AUTO_INCREMENT"),
        column.is_generated(),
        column.comment,
    )
}

fn shown(table: &Table, kind: Server) -> Vec<String> {
    let comment = table.comment.clone().unwrap_or_default();
    let mut lines = vec![format!("{} {comment:?}", table.charset.resolved().unwrap_or_default())];
    lines.extend(table.columns.iter().map(|column| shown_column(column, kind)));
    lines.push(format!("primary {}", table.primary_key().join(",")));
    let unique = table.keys.iter().filter(|key| key.kind == KeyKind::Unique);
    let mut unique: Vec<String> = unique.map(|key| format!("unique {}", key.columns.join(","))).collect();
    unique.sort();
    lines.extend(unique);
    lines
}

fn shown_column(column: &ColumnDefinition, kind: Server) -> String {
    let (column_type, binary) = column_type(column, kind);
    let charset = match column.charset.resolved() {
        Some("utf8mb3") => "utf8",
        Some(charset) if !binary => charset,
        None if kind == Server::Mariadb && column.type_name == "JSON" => "utf8mb4",
        _ => "-",
    };
    format!(
        "{} {} {} null={} default={} auto={} generated={} {:?}",
        column.name,
        column_type,
        charset,
        column.nullable.unwrap(),
        column.default.as_ref().is_some_and(|default| *default != DefaultValue::Null),
        column.auto_increment,
        column.generated.is_some(),
        column.comment.clone().unwrap_or_default(),
    )
}

/// The server's own spelling of a type, and whether it became a binary one.
fn column_type(column: &ColumnDefinition, kind: Server) -> (String, bool) {
    let mut words = column.type_name.split(' ').filter(|word| !matches!(*word, "UNSIGNED" | "ZEROFILL"));
    let base = words.by_ref().collect::<Vec<_>>().join(" ");
    let zerofill = column.type_name.contains("ZEROFILL");
    let unsigned = column.type_name.contains("UNSIGNED") || zerofill;
    let binary = column.charset.charset.as_deref() == Some("binary");
    let length = column.length;
    let text = |bytes_per_char: u32, small: &str| {
        let bytes = length.map(|length| length * bytes_per_char);
        match bytes {
            Some(..=255) => format!("tiny{small}"),
            Some(65_536..=16_777_215) => format!("medium{small}"),
            Some(16_777_216..) => format!("long{small}"),
            _ => small.to_owned(),
        }
    };
    let (name, parameters): (String, Option<String>) = match base.as_str() {
        "BOOL" | "BOOLEAN" => ("tinyint".into(), Some("1".into())),
        "INT1" | "TINYINT" => {
            ("tinyint".into(), length.filter(|length| *length == 1 || zerofill).map(|l| l.to_string()))
        }
        "INT2" | "SMALLINT" => integer("smallint", 5, length, zerofill),
        "INT3" | "MIDDLEINT" | "MEDIUMINT" => integer("mediumint", 8, length, zerofill),
        "INT4" | "INT" | "INTEGER" => integer("int", 10, length, zerofill),
        "INT8" | "BIGINT" => integer("bigint", 20, length, zerofill),
        "DEC" | "NUMERIC" | "FIXED" | "DECIMAL" => {
            ("decimal".into(), Some(format!("{},{}", length.unwrap(), column.scale.unwrap())))
        }
        "FLOAT" | "FLOAT4" if column.scale.is_none() => {
            (if length.unwrap_or(0) > 24 { "double" } else { "float" }.into(), None)
        }
        "FLOAT" | "FLOAT4" => ("float".into(), Some(format!("{},{}", length.unwrap(), column.scale.unwrap()))),
        "DOUBLE" | "DOUBLE PRECISION" | "REAL" | "FLOAT8" => {
            ("double".into(), column.scale.map(|scale| format!("{},{scale}", length.unwrap())))
        }
        "CHAR" | "CHARACTER" | "NCHAR" | "NATIONAL CHAR" | "NATIONAL CHARACTER" => {
            (if binary { "binary" } else { "char" }.into(), Some(length.unwrap_or(1).to_string()))
        }
        "VARCHAR"
        | "CHARACTER VARYING"
        | "CHAR VARYING"
        | "NATIONAL VARCHAR"
        | "NVARCHAR"
        | "NATIONAL CHAR VARYING" => {
            (if binary { "varbinary" } else { "varchar" }.into(), length.map(|length| length.to_string()))
        }
        "TEXT" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" if binary => {
            (base.to_ascii_lowercase().replace("text", "blob"), None)
        }
        "TEXT" => {
            let bytes_per_char = match column.charset.resolved() {
                Some("utf8mb4") => 4,
                Some("utf8" | "utf8mb3") => 3,
                _ => 1,
            };
            (text(bytes_per_char, "text"), None)
        }
        "BLOB" => (text(1, "blob"), None),
        "LONG" | "LONG VARCHAR" => ("mediumtext".into(), None),
        "LONG VARBINARY" => ("mediumblob".into(), None),
        "BINARY" => ("binary".into(), Some(length.unwrap_or(1).to_string())),
        "ENUM" | "SET" => {
            let labels: Vec<String> =
                column.labels.iter().map(|label| format!("'{}'", label.replace('\'', "''"))).collect();
            (base.to_ascii_lowercase(), Some(labels.join(",")))
        }
        "YEAR" => ("year".into(), None),
        "VECTOR" => ("vector".into(), Some(length.unwrap_or(2048).to_string())),
        "GEOMETRYCOLLECTION" if kind == Server::Mysql => ("geomcollection".into(), None),
        "JSON" if kind == Server::Mariadb => ("longtext".into(), None),
        _ => (base.to_ascii_lowercase(), length.map(|length| length.to_string())),
    };
    if kind == Server::Mariadb {
        return (name, binary);
    }
    let mut full = name;
    if let Some(parameters) = parameters {
        full += &format!("({parameters})");
    }
    if unsigned {
        full += " unsigned";
    }
    if zerofill {
        full += " zerofill";
    }
    (full, binary)
}

fn integer(name: &str, width: u32, length: Option<u32>, zerofill: bool) -> (String, Option<String>) {
    (name.to_owned(), zerofill.then(|| length.unwrap_or(width).to_string()))
}

/// A small generator of `ALTER TABLE t` over few names, so that clauses meet.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.below(from.len())].to_owned()
    }

    fn name(&mut self) -> String {
        self.pick(&["a", "b", "c", "e", "F", "g", "`h i`"])
    }

    fn definition(&mut self) -> String {
        let data_type = self.pick(&[
            "INT",
            "BIGINT UNSIGNED",
            "VARCHAR(9)",
            "CHAR(3) CHARACTER SET latin1",
            "DECIMAL(6,2)",
            "DATETIME(3)",
            "TEXT",
            "ENUM('x','y')",
            "BIT(4)",
            "VARBINARY(5)",
            "TINYINT(1)",
            "VARCHAR(4) COLLATE koi8r_bin",
        ]);
        let null = self.pick(&["", " NOT NULL", " NULL", " DEFAULT NULL", " COMMENT 'a, (b'", " NOT NULL COMMENT 'c'"]);
        format!("{data_type}{null}")
    }

    fn position(&mut self) -> String {
        match self.below(4) {
            0 => " FIRST".into(),
            1 => format!(" AFTER {}", self.name()),
            _ => String::new(),
        }
    }

    fn clause(&mut self) -> String {
        match self.below(15) {
            0..=2 => format!("ADD {} {}{}", self.name(), self.definition(), self.position()),
            3 | 4 => format!("DROP COLUMN {}", self.name()),
            5 | 6 => format!("MODIFY {} {}{}", self.name(), self.definition(), self.position()),
            7 | 8 => format!("CHANGE {} {} {}{}", self.name(), self.name(), self.definition(), self.position()),
            9 => format!("RENAME COLUMN {} TO {}", self.name(), self.name()),
            10 => format!("ADD UNIQUE KEY {} ({}, {})", self.pick(&["k1", "k2"]), self.name(), self.name()),
            11 => format!("DROP KEY {}", self.pick(&["k1", "k2"])),
            12 => format!("ALTER COLUMN {} SET DEFAULT {}", self.name(), self.pick(&["1", "'x'", "NULL"])),
            13 => self.pick(&[
                "CONVERT TO CHARACTER SET cp850",
                "CONVERT TO CHARACTER SET utf8mb4",
                "DEFAULT CHARSET=latin1",
                "COMMENT='t'",
            ]),
            _ => self.pick(&[
                "DROP PRIMARY KEY",
                "ADD PRIMARY KEY (a)",
                "FORCE",
                "ADD INDEX (b)",
                "DROP PRIMARY KEY, ADD PRIMARY KEY (c)",
            ]),
        }
    }

    fn alter(&mut self) -> String {
        let count = 1 + self.below(3) * self.below(2);
        let clauses: Vec<String> = (0..count).map(|_| self.clause()).collect();
        format!("ALTER TABLE t {}", clauses.join(", "))
    }
}
