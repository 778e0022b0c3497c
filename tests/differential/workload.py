"""A random workload: tables of all types, rows, and statements that change tables in every way that servers know."""

import random

TYPES = {
    "mysql": ["JSON", "VECTOR(3)"],
    "mariadb": ["JSON", "UUID", "INET4", "INET6", "VARCHAR(30) COMPRESSED", "TEXT COMPRESSED"],
    "both": ["TINYINT", "TINYINT UNSIGNED", "SMALLINT", "SMALLINT UNSIGNED", "MEDIUMINT", "MEDIUMINT UNSIGNED", "INT", "INT UNSIGNED", "INT ZEROFILL",
             "BIGINT", "BIGINT UNSIGNED", "BOOL", "FLOAT", "FLOAT(7,3)", "FLOAT(30)", "DOUBLE", "DECIMAL", "DECIMAL(20,5)", "DECIMAL(9,9) UNSIGNED",
             "BIT", "BIT(12)", "YEAR", "DATE", "TIME", "TIME(3)", "DATETIME", "DATETIME(6)", "TIMESTAMP NULL", "TIMESTAMP(2) NULL",
             "CHAR", "CHAR(7)", "CHAR(200) CHARACTER SET utf8mb4", "CHAR(5) CHARACTER SET latin1", "VARCHAR(20)", "VARCHAR(200)",
             "VARCHAR(90) CHARACTER SET latin1", "VARCHAR(10) COLLATE utf8mb4_bin", "NVARCHAR(6)", "TINYTEXT", "TEXT", "TEXT(100)", "TEXT(70000)",
             "MEDIUMTEXT", "LONGTEXT", "TEXT CHARACTER SET cp1251", "BINARY(4)", "VARBINARY(9)", "TINYBLOB", "BLOB", "BLOB(300)", "MEDIUMBLOB",
             "LONGBLOB", "ENUM('a','b','ñ')", "ENUM('x','y') CHARACTER SET latin1", "SET('p','q','r')", "SET('1','2','3','4','5','6','7','8','9')",
             "POINT", "GEOMETRY", "LINESTRING"],
}
NAMES = ["a", "b", "c", "d", "E", "f f", "ñ", "key"]
TABLES = ["t1", "t2", "t3", "T4"]


class Workload:
    def __init__(self, seed, product, columns_of, run):
        """`columns_of(table)` gives (name, data type, whole type) of each column; `run(sql)` runs a statement, or says no."""
        self.random = random.Random(seed)
        self.types = TYPES["both"] + TYPES[product]
        self.product, self.columns_of, self.run = product, columns_of, run
        self.serial = 0

    def pick(self, choices):
        return self.random.choice(choices)

    def name(self):
        return f"`{self.pick(NAMES)}`"

    def definition(self):
        return self.pick(self.types) + self.pick(["", "", " NOT NULL", " NULL", " COMMENT 'it''s (x'", " INVISIBLE" if self.product == "mysql" else ""])

    def create(self, table):
        columns = [f"`{name}` {self.pick(self.types)}" for name in self.random.sample(NAMES, self.random.randint(1, 5))]
        key = self.pick(["id INT AUTO_INCREMENT PRIMARY KEY", "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)",
                         "id INT NOT NULL AUTO_INCREMENT, UNIQUE KEY u (id)", "id INT AUTO_INCREMENT, KEY (id)"])
        if self.product == "mariadb" and self.random.random() < 0.15:
            return self.run(f"CREATE TABLE {table} ({key}, h TEXT, {', '.join(columns)}, UNIQUE KEY (h))")
        suffix = self.pick(["", "", " CHARSET=latin1", " COLLATE utf8mb4_bin", " COMMENT='c' ROW_FORMAT=DYNAMIC"])
        if self.product == "mariadb" and self.random.random() < 0.1:
            suffix += " WITH SYSTEM VERSIONING"
        return self.run(f"CREATE TABLE {table} ({key}, {', '.join(columns)}){suffix}")

    def position(self):
        return self.pick(["", "", " FIRST", f" AFTER {self.name()}", " AFTER id"])

    def clause(self):
        which = self.random.randrange(16)
        if which < 4:
            return f"ADD COLUMN {self.name()} {self.definition()}{self.position()}"
        if which < 6:
            return f"DROP COLUMN {self.name()}"
        if which < 8:
            return f"MODIFY {self.name()} {self.definition()}{self.position()}"
        if which < 10:
            return f"CHANGE {self.name()} {self.name()} {self.definition()}{self.position()}"
        if which == 10:
            return f"RENAME COLUMN {self.name()} TO {self.name()}"
        return self.pick(["ENGINE=InnoDB", "COMMENT='x'", "CONVERT TO CHARACTER SET utf8mb4", "DEFAULT CHARSET=cp850", f"ADD INDEX ({self.name()})",
                          f"ALTER COLUMN {self.name()} SET DEFAULT 1", "FORCE", "ADD x1 INT, DROP COLUMN x1", "ROW_FORMAT=COMPACT",
                          "DROP PRIMARY KEY, ADD PRIMARY KEY (id)", "ADD COLUMN (z1 INT, z2 VARCHAR(9))", "DROP COLUMN z1, DROP COLUMN z2"])

    def ddl(self):
        table, other = self.random.sample(TABLES, 2)
        which = self.random.randrange(24)
        if which < 12:
            self.run(f"ALTER TABLE {table} " + ", ".join(self.clause() for _ in range(self.random.randint(1, 2))))
        elif which == 12:
            self.run(f"ALTER TABLE {table} RENAME COLUMN {self.name()} TO tmp_") and self.run(f"ALTER TABLE {table} RENAME COLUMN tmp_ TO {self.name()}")
        elif which == 13:   # a chain, and what gh-ost and pt-online-schema-change do at the end
            self.run(f"RENAME TABLE {table} TO x_, {other} TO {table}, x_ TO {other}")
        elif which == 14:
            self.run(f"CREATE TABLE _gho LIKE {table}") and self.run(f"ALTER TABLE _gho {self.clause()}")
            self.run(f"RENAME TABLE {table} TO _old, _gho TO {table}")
            self.run("DROP TABLE IF EXISTS _gho, _old")
        elif which == 15:
            self.run(f"DROP TABLE IF EXISTS {table}")
            self.create(table)
        elif which == 16:
            self.run(f"TRUNCATE TABLE {table}")
        elif which == 17:
            self.run(f"DROP TABLE IF EXISTS {table}") and self.run(f"CREATE TABLE {table} LIKE {other}")
        elif which == 18:
            self.run("CREATE TEMPORARY TABLE t1 (other INT); INSERT INTO t1 VALUES (1); DROP TEMPORARY TABLE t1")
        elif which == 19:
            self.run(f"ALTER TABLE {table} PARTITION BY HASH (id) PARTITIONS 3") and self.run(f"ALTER TABLE {table} REMOVE PARTITIONING")
        elif which == 20:
            self.run(f"CREATE INDEX i_ ON {table} (id)") and self.run(f"DROP INDEX i_ ON {table}")
        elif which == 21:
            self.run(f"ALTER TABLE {table} ADD COLUMN g_ INT AS (id + 1) {self.pick(['STORED', 'VIRTUAL'])}") and self.rows(table)
            self.run(f"ALTER TABLE {table} DROP COLUMN g_")
        elif which == 22 and self.product == "mariadb":
            self.run(f"ALTER TABLE {table} {self.pick(['ADD', 'DROP'])} SYSTEM VERSIONING")
        elif which == 23:
            self.run(f"RENAME TABLE {table} TO moved_") and self.run(f"RENAME TABLE moved_ TO {table}")

    def value(self, data_type, whole):
        number = self.random.randint(0, 100)
        if self.random.random() < 0.1:
            return "DEFAULT"
        texts = ["''", "'x'", f"'v{number}'"]
        if data_type in ("enum", "set"):
            labels = whole[whole.index("(") + 1:whole.rindex(")")]
            return labels.split(",")[0]
        return {
            "decimal": "0.5", "bit": "1", "year": "2024", "date": "'2024-02-29'", "time": "'-12:30:59'", "datetime": "'2024-02-29 01:02:03'",
            "timestamp": "'2024-02-29 01:02:03'", "json": f"'{{\"k\": {number}}}'", "uuid": "UUID()" if False else f"'123e4567-e89b-12d3-a456-4266554400{number % 100:02}'",
            "inet4": f"'10.0.0.{number}'", "inet6": f"'::{number}'", "point": f"ST_GeomFromText('POINT({number} 1)')",
            "geometry": f"ST_GeomFromText('POINT({number} 2)')", "linestring": f"ST_GeomFromText('LINESTRING(0 0,{number} 1)')",
            "vector": "STRING_TO_VECTOR('[1,2,3]')" if self.product == "mysql" else "VEC_FromText('[1,2,3]')",
            "float": "1.5", "double": "-2.25",
        }.get(data_type) or (str(number) if data_type.endswith("int") else self.pick(texts))

    def rows(self, table):
        columns = [column for column in self.columns_of(table) if column[0] not in ("g_",)]
        wanted = [column for column in columns if column[0] != "id" and (self.random.random() < 0.85 or column[2].endswith("!"))]
        self.serial += 1
        names = ", ".join(f"`{name}`" for name, _, _ in wanted)
        values = ", ".join(f"'u{self.serial}'" if name == "h" else self.value(kind, whole) for name, kind, whole in wanted)
        if not self.run(f"INSERT INTO {table} ({names}) VALUES ({values})"):
            return
        if self.random.random() < 0.5 and wanted:
            name, kind, whole = self.pick(wanted)
            value = f"'w{self.serial}'" if name == "h" else self.value(kind, whole)
            self.run(f"UPDATE {table} SET `{name}` = {value} ORDER BY id DESC LIMIT 1")
        if self.random.random() < 0.3:
            self.run(f"DELETE FROM {table} ORDER BY id LIMIT 1")

    def begin(self):
        for table in TABLES:
            self.create(table)
            self.rows(table)

    def step(self):
        if self.random.random() < 0.35:
            self.ddl()
        for table in self.random.sample(TABLES, 2):
            self.rows(table)
