"""A table is described as the server has it: in every character set, in every case of its name, without what the server hides.

Each part has SQL for before the first start and for while it streams, and what a consumer must see. NULL is printed as the column's
default, which shows the description's defaults.
"""

import base64
import json
import subprocess

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import streaming

UUID = "123e4567-e89b-12d3-a456-42665544000"

# Case by case: SQL before, [(character set of the client, SQL)] meanwhile, {topic: [what the messages hold]}.
ROW_HASH = (
    """CREATE DATABASE hi; USE hi;
    CREATE TABLE bu (id INT PRIMARY KEY, t TEXT, UNIQUE KEY (t));
    CREATE TABLE bk (t TEXT NOT NULL, n INT, UNIQUE KEY (t));
    CREATE TABLE pv (id INT PRIMARY KEY, u UUID, t TEXT, n INT DEFAULT 7, UNIQUE KEY (t));
    CREATE TABLE own (id INT PRIMARY KEY, t TEXT, DB_ROW_HASH_1 INT DEFAULT 8, UNIQUE KEY (t));
    INSERT INTO bu VALUES (1, 'x'); INSERT INTO bk VALUES ('x', 1); INSERT INTO own VALUES (1, 'x', 5);
    INSERT INTO pv VALUES (1, '123e4567-e89b-12d3-a456-426655440000', 'x', 1);""",
    [("utf8mb4", """USE hi; INSERT INTO bu VALUES (2, 'y'); INSERT INTO bk VALUES ('y', 2); INSERT INTO own VALUES (2, 'y', NULL);
    INSERT INTO pv VALUES (2, '123e4567-e89b-12d3-a456-426655440000', 'y', NULL);
    ALTER TABLE bu DROP KEY t; INSERT INTO bu VALUES (3, 'z'); ALTER TABLE bu ADD UNIQUE KEY (t), ADD n INT DEFAULT 4; INSERT INTO bu VALUES (4, 'zz', NULL);""")],
    {
        "hi.bu": [("r", {"id": 1}, {"id": 1, "t": "x"}), ("c", {"id": 2}, {"id": 2, "t": "y"}), ("c", {"id": 3}, {"id": 3, "t": "z"}),
                  ("c", {"id": 4}, {"id": 4, "t": "zz", "n": 4})],
        "hi.bk": [("r", {"t": "x"}, {"t": "x", "n": 1}), ("c", {"t": "y"}, {"t": "y", "n": 2})],
        "hi.pv": [("r", {"id": 1}, {"id": 1, "u": UUID + "0", "t": "x", "n": 1}), ("c", {"id": 2}, {"id": 2, "u": UUID + "0", "t": "y", "n": 7})],
        "hi.own": [("r", {"id": 1}, {"id": 1, "t": "x", "DB_ROW_HASH_1": 5}), ("c", {"id": 2}, {"id": 2, "t": "y", "DB_ROW_HASH_1": 8})],
    },
)
# The period of a versioned table is hidden unless its definition names it; rows of the past are not rows of the table.
VERSIONED = (
    """CREATE DATABASE sv; USE sv;
    CREATE TABLE h (id INT PRIMARY KEY, u UUID, t TEXT, UNIQUE KEY (t)) WITH SYSTEM VERSIONING;
    CREATE TABLE k (id INT NOT NULL, a INT, UNIQUE KEY (id)) WITH SYSTEM VERSIONING;
    INSERT INTO h VALUES (1, '123e4567-e89b-12d3-a456-426655440001', 'x'); INSERT INTO k VALUES (1, 1);""",
    [("utf8mb4", """USE sv; INSERT INTO h VALUES (2, '123e4567-e89b-12d3-a456-426655440002', 'y'); UPDATE h SET t = 'yy' WHERE id = 2; DELETE FROM h WHERE id = 2;
    UPDATE k SET a = 2; DELETE HISTORY FROM k; ALTER TABLE k DROP SYSTEM VERSIONING; UPDATE k SET a = 3;""")],
    {
        "sv.h": [("r", {"id": 1}, {"id": 1, "u": UUID + "1", "t": "x"}), ("c", {"id": 2}, {"id": 2, "u": UUID + "2", "t": "y"}),
                 ("u", {"id": 2}, {"id": 2, "u": UUID + "2", "t": "yy"}), ("d", {"id": 2}, None)],
        "sv.k": [("r", {"id": 1}, {"id": 1, "a": 1}), ("u", {"id": 1}, {"id": 1, "a": 2}), ("u", {"id": 1}, {"id": 1, "a": 3})],
    },
)
VIRT = {"j": '{"a": 1}', "u": UUID + "0"}
CHARSETS_MARIADB = (
    """CREATE DATABASE mb; USE mb; CREATE TABLE virt (id INT PRIMARY KEY, a INT, j JSON, u UUID, i6 INET6, i4 INET4);
    INSERT INTO virt VALUES (1, 5, '{"a": 1}', '123e4567-e89b-12d3-a456-426655440000', '::ffff:1.2.3.4', '10.0.0.0');""",
    [("latin1", """USE mb; ALTER TABLE virt ADD COLUMN `país` VARCHAR(10) DEFAULT 'es', ADD COLUMN `u2` UUID NULL;
    INSERT INTO virt(id,a,u,i6,i4,j,u2) VALUES (201,1,'123e4567-e89b-12d3-a456-426655440000','::1','10.0.0.1','{"a": 1}','123e4567-e89b-12d3-a456-426655440000');
    CREATE TABLE `señal` (id INT PRIMARY KEY, u UUID, i6 INET6, i4 INET4, j JSON, año INT DEFAULT 3);
    INSERT INTO `señal` VALUES (1,'123e4567-e89b-12d3-a456-426655440000','::1','10.0.0.1','{"a": 1}',NULL);
    CREATE TABLE `señal2` AS SELECT * FROM `señal`;""")],
    {
        "mb.virt": [("r", {"id": 1}, VIRT | {"id": 1, "a": 5, "i6": "::ffff:1.2.3.4", "i4": "10.0.0.0"}),
                    ("c", {"id": 201}, VIRT | {"id": 201, "a": 1, "i6": "::1", "i4": "10.0.0.1", "país": "es", "u2": UUID + "0"})],
        "mb.se_al": [("c", {"id": 1}, VIRT | {"id": 1, "i6": "::1", "i4": "10.0.0.1", "año": 3})],
        "mb.se_al2": [("c", None, VIRT | {"id": 1, "i6": "::1", "i4": "10.0.0.1", "año": 3})],
    },
)
CHARSETS_MYSQL = (
    "CREATE DATABASE dd;",
    [
        ("latin1", """USE dd;
        CREATE TABLE `ñandú` (id INT PRIMARY KEY, `año` INT DEFAULT 3, b VARCHAR(10) CHARACTER SET latin1 DEFAULT 'é', j BIT(1) DEFAULT b'1');
        INSERT INTO `ñandú` VALUES (1,NULL,NULL,NULL); ALTER TABLE `ñandú` ADD z INT DEFAULT 5; INSERT INTO `ñandú` VALUES (3,NULL,NULL,NULL,NULL);
        SET sql_generate_invisible_primary_key = ON; CREATE TABLE gipk (`año` INT DEFAULT 3); INSERT INTO gipk VALUES (NULL);"""),
        ("sjis", """USE dd;
        CREATE TABLE sj (id INT PRIMARY KEY, a VARCHAR(10) CHARACTER SET sjis DEFAULT '表', b INT DEFAULT 3, c ENUM('ソ','表','x') CHARACTER SET sjis DEFAULT '表');
        INSERT INTO sj VALUES (1,NULL,NULL,NULL),(2,'表',5,'ソ'); ALTER TABLE sj ADD d INT DEFAULT 9 COMMENT '表', ADD e INT DEFAULT 10;
        INSERT INTO sj VALUES (3,NULL,NULL,NULL,NULL,NULL);"""),
        ("gbk", """USE dd;
        CREATE TABLE `乣` (id INT PRIMARY KEY, `誠` INT DEFAULT 3, b INT DEFAULT 4, c VARCHAR(5) CHARACTER SET gbk DEFAULT '誠');
        INSERT INTO `乣` VALUES (1,NULL,NULL,NULL);"""),
    ],
    {
        "dd._and_": [("c", {"id": 1}, {"id": 1, "año": 3, "b": "é", "j": True}), ("c", {"id": 3}, {"id": 3, "año": 3, "b": "é", "j": True, "z": 5})],
        "dd.gipk": [("c", {"my_row_id": 1}, {"my_row_id": 1, "año": 3})],
        "dd.sj": [("c", {"id": 1}, {"id": 1, "a": "表", "b": 3, "c": "表"}), ("c", {"id": 2}, {"id": 2, "a": "表", "b": 5, "c": "ソ"}),
                  ("c", {"id": 3}, {"id": 3, "a": "表", "b": 3, "c": "表", "d": 9, "e": 10})],
        "dd._": [("c", {"id": 1}, {"id": 1, "誠": 3, "b": 4, "c": "誠"})],
    },
)
TEXTS = {
    "mysql": ["ALTER TABLE sj ADD d INT DEFAULT 9 COMMENT '表', ADD e INT DEFAULT 10", "INSERT INTO sj VALUES (1,NULL,NULL,NULL),(2,'表',5,'ソ')"],
    # MariaDB does not say in which character set the text before a row is.
    "mariadb": ["ALTER TABLE virt ADD COLUMN `país` VARCHAR(10) DEFAULT 'es', ADD COLUMN `u2` UUID NULL",
                """INSERT INTO `señal` VALUES (1,'123e4567-e89b-12d3-a456-426655440000','::1','10.0.0.1','{"a": 1}',NULL)"""],
}


def names(uuid):
    """Tables whose names differ in case alone, made in different seconds; `uuid` is the type of a column that tells whose description is used.
    `-` stands before the full stop of a whole name, so the tables of `dif-2` come before those of `dif`."""
    row = [UUID + str(n) for n in range(6)]
    return (
        f"""CREATE DATABASE dif; CREATE DATABASE `dif-2`; CREATE TABLE `dif-2`.t (id INT NOT NULL PRIMARY KEY);
        USE dif; CREATE TABLE Plain (id INT NOT NULL PRIMARY KEY, u {uuid}, y INT DEFAULT 1969);
        DO SLEEP(1.1); CREATE TABLE plain (id INT NOT NULL PRIMARY KEY, w BINARY(2), y INT DEFAULT 7, more INT DEFAULT 8);""",
        [("utf8mb4", f"""USE dif; INSERT INTO Plain VALUES (2, '{row[2]}', NULL); INSERT INTO plain VALUES (2, 'ab', NULL, NULL);
        ALTER TABLE Plain ADD COLUMN z INT DEFAULT 9; INSERT INTO Plain VALUES (3, '{row[3]}', NULL, NULL); INSERT INTO plain VALUES (3, 'ab', NULL, NULL);
        DROP TABLE Plain; INSERT INTO plain VALUES (4, 'ab', NULL, NULL);
        CREATE TABLE Other (id INT NOT NULL PRIMARY KEY, u {uuid});
        CREATE TABLE IF NOT EXISTS other (id INT NOT NULL PRIMARY KEY, u {uuid}, y INT DEFAULT 5);
        INSERT INTO Other VALUES (1, '{row[4]}'); INSERT INTO other VALUES (1, '{row[5]}', NULL);""")],
        {
            "dif.Plain": [("c", {"id": 2}, {"id": 2, "u": row[2], "y": 1969}), ("c", {"id": 3}, {"id": 3, "u": row[3], "y": 1969, "z": 9})],
            "dif.plain": [("c", {"id": n}, {"id": n, "w": "YWI=", "y": 7, "more": 8}) for n in (2, 3, 4)],
            "dif.Other": [("c", {"id": 1}, {"id": 1, "u": row[4]})],
            "dif.other": [("c", {"id": 1}, {"id": 1, "u": row[5], "y": 5})],
        },
    )


# Characters that the servers' own texts of definitions cannot have.
LABELS = (
    """CREATE DATABASE lb CHARACTER SET utf8mb4; USE lb;
    CREATE TABLE labels (id INT NOT NULL PRIMARY KEY, e ENUM('a','😀','🚀') COLLATE utf8mb4_bin, s SET('x','😀','🚀') COLLATE utf8mb4_bin);
    INSERT INTO labels VALUES (1, '😀', 'x,😀'), (2, '🚀', '😀,🚀');""",
    [("utf8mb4", "USE lb; INSERT INTO labels VALUES (101, '😀', 'x,😀'), (102, '🚀', '😀,🚀')")],
    {"lb.labels": [(op, {"id": base + n}, {"id": base + n, **row}) for op, base in (("r", 0), ("c", 100))
                   for n, row in ((1, {"e": "😀", "s": "x,😀"}), (2, {"e": "🚀", "s": "😀,🚀"}))]},
)
DEFAULTS = """
    dec57 DECIMAL(60,0) DEFAULT 822562436914399014174614293096909938551365376317893047552,
    dec38 DECIMAL(38,0) DEFAULT -82256243691439901417461429309690993855,
    d99 DATE DEFAULT '0099-02-07',
    dt1 DATETIME DEFAULT '0001-01-01 12:30:11',
    dt69 DATETIME(6) DEFAULT '0069-12-31 23:59:59.123456',
    vb VARBINARY(8) DEFAULT x'00ff10',
    bi BINARY(4) DEFAULT x'EF84',
    ch VARCHAR(10) DEFAULT '😀x',
    ts TIMESTAMP(3) NULL DEFAULT '2037-01-15 07:35:11.992570',
    dtf DATETIME(2) DEFAULT '2037-12-31 23:59:59.999',
    tif TIME(1) DEFAULT '07:35:11.96',
    q VARCHAR(20) DEFAULT 'it''s \\\\ b',
    n INT DEFAULT '7',
    h INT DEFAULT 0x0a,
    de DECIMAL(10,2) DEFAULT 1.005,
    f FLOAT DEFAULT 0.1,
    g DOUBLE DEFAULT 1e30,
    e ENUM('a','😀') DEFAULT '😀',
    bt BIT(9) DEFAULT b'100000001',
    yr YEAR DEFAULT 70"""
DEFAULT_COLUMNS = [line.split()[0] for line in DEFAULTS.strip().splitlines()]
NULLS = ", ".join(["NULL"] * len(DEFAULT_COLUMNS))


def defaults(product):
    """A row of nothing but NULL prints the values of a row of nothing but defaults, however the table came to be known."""
    rounds = product == "mysql"
    row = {
        "dec57": "IYvz2m1tpmAEZCU+XIsWPQpy4RUw1vUA", "dec38": base64.b64encode((-82256243691439901417461429309690993855).to_bytes(16, "big", signed=True)).decode(), "d99": 10629, "dt1": 978352211000, "dt69": 3155759999123456,
        "vb": "AP8Q", "bi": "74QAAA==", "ch": "😀x", "ts": f"2037-01-15T07:35:11.99{3 if rounds else 2}Z",
        "dtf": 2145916800000 if rounds else 2145916799990, "tif": 27312000000 if rounds else 27311900000, "q": "it's \\ b", "n": 7, "h": 10,
        "de": "ZQ==", "f": 0.1, "g": 1e30, "e": "😀", "bt": "AQE=", "yr": 1970,
    }
    zone = "SET time_zone = '+00:00'; USE df;"
    both = [{"id": 1, **row}, {"id": 2, **row}, {"id": 101, **row}, {"id": 102, **row}]
    return (
        f"CREATE DATABASE df CHARACTER SET utf8mb4; {zone} CREATE TABLE asked (id INT PRIMARY KEY, {DEFAULTS});"
        f"INSERT INTO asked VALUES (1, {NULLS}); INSERT INTO asked (id) VALUES (2);",
        [("utf8mb4", f"{zone} INSERT INTO asked VALUES (101, {NULLS}); INSERT INTO asked (id) VALUES (102);"
                     f"CREATE TABLE told (id INT PRIMARY KEY, {DEFAULTS}); INSERT INTO told VALUES (1, {NULLS}); INSERT INTO told (id) VALUES (2);")],
        {"df.asked": [(op, {"id": after["id"]}, after) for op, after in zip("rrcc", both)],
         "df.told": [("c", {"id": after["id"]}, after) for after in both[:2]]},
    )


PARTS = {"mysql": [CHARSETS_MYSQL, names("CHAR(36)"), LABELS, defaults("mysql")], "mariadb": [ROW_HASH, VERSIONED, CHARSETS_MARIADB, names("UUID"), LABELS, defaults("mariadb")]}
# What clients call the character sets that Python knows by these names.
PYTHON_NAMES = {"latin1": "cp1252", "sjis": "cp932", "gbk": "gbk", "utf8mb4": "utf-8"}


@pytest.fixture(params=PARTS, scope="module")
def seen(request):
    """What a consumer sees of all parts of a server, and of the schema changes."""
    database = servers.Database(request.param, extra="--binlog-rows-query-log-events=ON" if request.param == "mysql" else "")
    parts = PARTS[request.param]
    for before, _, _ in parts:
        database.client(before)
    database.client("CREATE DATABASE last; CREATE TABLE last.t (id INT PRIMARY KEY)")
    configuration = servers.source_toml(database, "s", [".*"]).replace(
        "[[source]]\n", "[[source]]\ninclude_query = true\nreplace_null_with_default = true\n")
    running = servers.Bitacora(configuration, env={"BITACORA_BROKER_SCHEMA_COMPATIBILITY_STRATEGY": "ALWAYS_COMPATIBLE"})
    streaming(running.process)
    for _, during, _ in parts:
        for charset, sql in during:
            command = [database.script, "client", "--port", str(database.port), f"--default-character-set={charset}"]
            subprocess.run(command, input=sql.encode(PYTHON_NAMES[charset]), check=True)
    database.client("INSERT INTO last.t VALUES (1)")
    wait_until("the last row", lambda: running.process.must_run() or dump(running, "s.last.t"), 60)
    topics = [topic for _, _, expected in parts for topic in expected]
    found = {topic: dump(running, f"s.{topic}") for topic in topics}
    found[""] = dump(running, "s")
    log = running.process.stderr()
    assert running.stop() == 0
    database.stop()
    return request.param, found, log


def dump(running, topic):
    try:
        return [m for m in wire.dump(running.url, f"persistent://public/default/{topic}", 0.5) if m.get("payload")]
    except RuntimeError:
        return []


def test_rows_are_what_the_server_shows(seen):
    product, found, log = seen
    for _, _, expected in PARTS[product]:
        for topic, messages in expected.items():
            rows = [(value["op"], key(message), value["after"]) for message in found[topic] for value in [json.loads(message["payload"])]]
            assert rows == messages, topic
    assert "does not fit" not in log and "understood in part" not in log


def key(message):
    named = message.get("single") or message["metadata"]
    return json.loads(base64.b64decode(named["partition_key"])) if named.get("partition_key") else None


def test_statements_are_text_in_any_character_set(seen):
    product, found, _ = seen
    statement, query = TEXTS[product]
    assert statement in [json.loads(message["payload"])["ddl"] for message in found[""]]
    queries = [json.loads(message["payload"])["source"]["query"] for messages in found.values() for message in messages]
    assert query in queries


def test_the_snapshot_describes_tables_in_the_order_of_their_whole_names(seen):
    """Databases came one after the other: `dif` before `dif-2`."""
    _, found, _ = seen
    records = [json.loads(message["payload"]) for message in found[""]]
    made = [change["id"] for record in records if record["source"]["snapshot"] != "false" for change in record["tableChanges"] if change["type"] == "CREATE"]
    assert made == sorted(made, key=lambda name: name.replace('"', "")) and made.index('"dif-2"."t"') < made.index('"dif"."Plain"'), made
