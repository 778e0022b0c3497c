//! Compares the catalog with real servers: after each statement its columns and keys equal those of
//! `information_schema`, both if it followed the statements and if it reads `SHOW CREATE TABLE`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod lines;
mod random;

use bitacora_source::Connection;
use bitacora_source::ddl::{Catalog, CharsetChoice, SqlMode, scan};
use bitacora_source::schema::{describe, show_create_table};
use bitacora_source::{ServerConfig, TableName};
use bitacora_testkit::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions};
use lines::{expected, shown};
use random::Random;

/// Statements on the table `t`, in groups. Each group starts with an empty database.
const BOTH: &[&[&str]] = &[
    &["CREATE TABLE t (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT, e BIGINT UNSIGNED, f INTEGER, g INT1, h \
        INT8, i MIDDLEINT)"],
    &["CREATE TABLE t (a BOOL, b BOOLEAN NOT NULL DEFAULT TRUE, c TINYINT(1), d INT(7) ZEROFILL, e INT UNSIGNED \
        ZEROFILL)"],
    &["CREATE TABLE t (a DECIMAL, b NUMERIC(8), c DEC(8,3) UNSIGNED, d FIXED(5,5), e DECIMAL(6,2) ZEROFILL)"],
    &["CREATE TABLE t (a FLOAT, b FLOAT(7,3), c FLOAT(24), d FLOAT(25), e DOUBLE PRECISION, f REAL, g DOUBLE(10,4) \
        UNSIGNED, h FLOAT4, i FLOAT8)"],
    &["CREATE TABLE t (a BIT, b BIT(12) DEFAULT b'101', c YEAR, d DATE, e TIME(3), f DATETIME(6), g TIMESTAMP(2) \
        NULL, h TIME, i DATETIME)"],
    &["CREATE TABLE t (a CHAR, b CHAR(7), c CHARACTER VARYING(5), d NCHAR(3), e NATIONAL VARCHAR(4), f NVARCHAR(6), \
        g NATIONAL CHAR VARYING(6))"],
    &["CREATE TABLE t (a TINYTEXT, b TEXT, c MEDIUMTEXT, d LONGTEXT, e TEXT(100), f TEXT(70000), g LONG, h LONG \
        VARCHAR, i LONG VARBINARY)"],
    &["CREATE TABLE t (a BINARY, b BINARY(3), c VARBINARY(9), d TINYBLOB, e BLOB, f MEDIUMBLOB, g LONGBLOB, h \
        BLOB(100))"],
    &["CREATE TABLE t (a CHAR(4) CHARACTER SET binary, b VARCHAR(4) CHARSET binary, c TEXT CHARACTER SET binary, d \
        CHAR(2) BYTE)"],
    &["CREATE TABLE t (a VARCHAR(9) CHARACTER SET latin1, b VARCHAR(9) COLLATE koi8r_bin, c TEXT CHARACTER SET cp850 \
        COLLATE cp850_bin, d VARCHAR(5) BINARY)"],
    &["CREATE TABLE t (a ENUM('x','it''s', 'a\\'b', \"q\", ',)(') DEFAULT 'x', b SET('a','b') CHARSET latin1 NOT \
        NULL DEFAULT 'a,b', c ENUM('ñ','日'))"],
    &["CREATE TABLE t (a GEOMETRY, b POINT, c LINESTRING, d POLYGON, e MULTIPOINT, f GEOMETRYCOLLECTION)"],
    &["CREATE TABLE t (a SERIAL, b INT COMMENT 'it''s; (x', c INT AS (b + (1)) STORED, d VARCHAR(9) GENERATED ALWAYS \
        AS (concat('(',`b`)) VIRTUAL COMMENT 'c')"],
    &["CREATE TABLE t (a INT NOT NULL DEFAULT -5, b VARCHAR(9) DEFAULT 'it''s', c DECIMAL(6,3) DEFAULT 1.5, d \
        DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, e CHAR(3) DEFAULT '')"],
    &["CREATE TABLE t (a TIMESTAMP, b TIMESTAMP NOT NULL DEFAULT '2000-01-01 00:00:00', c TIMESTAMP(3) NOT NULL \
        DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3))"],
    &["CREATE TABLE t (a INT, b INT, PRIMARY KEY (b, a), KEY k (a DESC), UNIQUE INDEX u USING BTREE (a))"],
    &["CREATE TABLE t (a INT KEY, b INT UNIQUE, c INT NOT NULL UNIQUE KEY, CONSTRAINT x UNIQUE (b, c), CHECK (a > \
        0), CONSTRAINT y CHECK (b <> 1))"],
    &["CREATE TABLE t (a INT NOT NULL AUTO_INCREMENT, b INT, PRIMARY KEY (a)) COMMENT='ta''ble' ENGINE=InnoDB \
        AUTO_INCREMENT=7 ROW_FORMAT=DYNAMIC"],
    &["CREATE TABLE t (a CHAR(3), b TEXT, c INT) DEFAULT CHARSET=latin1"],
    &["CREATE TABLE t (a CHAR(3), b TEXT CHARACTER SET utf8mb4) COLLATE cp866_bin"],
    &["CREATE TABLE t (a INT NOT NULL, b INT, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN \
        (10) COMMENT = 'n', PARTITION p1 VALUES LESS THAN MAXVALUE)"],
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
        "CREATE TABLE t (a INT, b INT DEFAULT 1 INVISIBLE, c CHAR(36) DEFAULT (uuid()), d INT DEFAULT ((1 + 2)), e \
        JSON DEFAULT (json_array()), f BLOB DEFAULT ('x'))",
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
        "SET STATEMENT max_statement_time=100 FOR CREATE TABLE t (a INT DEFAULT (1 + 2), b INT AS (a) PERSISTENT, c \
        CHAR(36) DEFAULT uuid())",
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
    // A folder of its own for temporary tables, because the servers of other tests use the default one.
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

    /// Runs random changes. A statement that the server refuses is not applied, because it would not be in the log.
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

    /// Applies the statement to the catalog and compares `t`, if it exists.
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
