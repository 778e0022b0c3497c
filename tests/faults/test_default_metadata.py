"""A server in its default state names no columns in its log. Their names follow the statements; where a statement does not say what it
makes of a table, the log has to prove it, or the source stops. No event ever has a wrong name.
"""

import json

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import source_toml, streaming

# A clause behind another one without a comma: the servers take it, the scanner of statements does not.
UNREAD = "PARTITION BY HASH (id) PARTITIONS 2"


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def server(request):
    default = "MINIMAL" if request.param == "mysql" else "NO_LOG"
    server = servers.Database(request.param, extra=f"--binlog-row-metadata={default}")
    yield server
    server.stop()


@pytest.fixture
def started(server, request):
    """A database of the test's own, and what starts an engine for it."""
    name = request.node.originalname.removeprefix("test_")[:40]
    server.client(f"CREATE DATABASE {name}")
    engines = []

    def start(tables=".*", snapshot="initial", data_dir=None, waits=True):
        text = source_toml(server, "s", [rf"{name}\.{tables}"], snapshot=snapshot)
        engine = servers.Bitacora('schema_compatibility_strategy = "ALWAYS_COMPATIBLE"\n\n' + text, data_dir=data_dir)
        engines.append(engine)
        if waits:
            streaming(engine.process)
        return engine

    yield name, start
    for engine in engines:
        if engine.process.running():
            engine.stop()


def afters(engine, topic):
    """The rows of a topic's events, deletions left out."""
    values = [json.loads(message["payload"]) for message in wire.dump(engine.url, f"persistent://public/default/{topic}") if message["payload"]]
    return [value["after"] for value in values if value and value["after"]]


def rows(engine, topic, count):
    """Waits until a topic has so many rows, and returns them."""
    there = lambda: f"persistent://public/default/{topic}" in servers.topics(engine.admin)
    wait_until(f"{count} rows in {topic}", lambda: engine.process.must_run() or there() and len(afters(engine, topic)) >= count, 60)
    return afters(engine, topic)


def test_columns_that_no_text_says(server, started):
    """The columns of `CREATE TABLE … SELECT` are in no statement that a person writes; the servers log one that has them."""
    name, start = started
    server.client("CREATE TABLE t (id INT PRIMARY KEY, b INT UNSIGNED, c VARCHAR(9)); INSERT INTO t VALUES (1, 4294967295, 'x')", name)
    engine = start()
    server.client("CREATE TABLE made SELECT c AS d, b AS e, id FROM t", name)
    assert rows(engine, f"s.{name}.made", 1) == [{"d": "x", "e": 4294967295, "id": 1}]


def test_a_statement_that_is_read_in_part(server, started):
    name, start = started
    server.client("CREATE TABLE t (id INT PRIMARY KEY, b INT); INSERT INTO t VALUES (1, 2)", name)
    engine = start()
    server.client(f"ALTER TABLE t CHANGE b first_b INT, ADD COLUMN c INT {UNREAD}; INSERT INTO t VALUES (2, 3, 4)", name)
    assert rows(engine, f"s.{name}.t", 2) == [{"id": 1, "b": 2}, {"id": 2, "first_b": 3, "c": 4}]
    assert "has not changed since" in engine.process.stderr()


def test_what_cannot_be_proven_stops(server, started):
    """Two columns of one type change their names in a statement that is read in part, and again before anybody looks."""
    name, start = started
    server.client("CREATE TABLE t (id INT PRIMARY KEY, b INT, c INT); INSERT INTO t VALUES (1, 2, 3)", name)
    engine = start()
    data_dir = engine.data_dir
    engine.process.stop()
    server.client(f"ALTER TABLE t RENAME COLUMN b TO d {UNREAD}; INSERT INTO t VALUES (2, 3, 4); "
                  "ALTER TABLE t RENAME COLUMN d TO e; INSERT INTO t VALUES (3, 4, 5)", name)
    engine = start(data_dir=data_dir, waits=False)
    wait_until("the end", lambda: not engine.process.running(), 60)
    said = engine.process.stderr()
    assert f"does not name the columns of {name}.t" in said and "may have changed the table" in said and "snapshot" in said, said
    # A source that may take a new snapshot does, and goes on.
    engine = start(data_dir=data_dir, snapshot="when_needed")
    assert sorted(rows(engine, f"s.{name}.t", 4)[-3:], key=lambda row: row["id"]) == [{"id": 1, "e": 2, "c": 3}, {"id": 2, "e": 3, "c": 4}, {"id": 3, "e": 4, "c": 5}]


def test_a_table_that_is_captured_later(server, started):
    """The server describes it after it wrote rows that the source has still to read."""
    name, start = started
    server.client("CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE later (id INT PRIMARY KEY, b INT UNSIGNED)", name)
    engine = start("t")
    data_dir = engine.data_dir
    engine.process.stop()
    server.client("INSERT INTO later VALUES (1, 4294967295); ALTER TABLE t ADD x INT; INSERT INTO later VALUES (2, 3)", name)
    engine = start(data_dir=data_dir)
    assert rows(engine, f"s.{name}.later", 2) == [{"id": 1, "b": 4294967295}, {"id": 2, "b": 3}]


def test_a_log_that_is_older_than_the_source(server, started):
    name, start = started
    server.client("RESET BINARY LOGS AND GTIDS" if server.product == "mysql" else "RESET MASTER")
    server.client("CREATE TABLE t (id INT PRIMARY KEY, b INT); INSERT INTO t VALUES (1, 2); ALTER TABLE t ADD c INT; INSERT INTO t VALUES (2, 3, 4)", name)
    engine = start(snapshot="never")
    assert rows(engine, f"s.{name}.t", 2) == [{"id": 1, "b": 2}, {"id": 2, "b": 3, "c": 4}]


def test_a_server_that_begins_to_name_columns(server, started):
    name, start = started
    server.client("CREATE TABLE t (id INT PRIMARY KEY, b INT); INSERT INTO t VALUES (1, 2)", name)
    engine = start()
    server.client("INSERT INTO t VALUES (2, 3); SET GLOBAL binlog_row_metadata = 'FULL'", name)
    try:
        server.client("INSERT INTO t VALUES (3, 4); ALTER TABLE t RENAME COLUMN b TO c; INSERT INTO t VALUES (4, 5)", name)
    finally:
        server.client("SET GLOBAL binlog_row_metadata = " + ("'MINIMAL'" if server.product == "mysql" else "'NO_LOG'"))
    server.client("INSERT INTO t VALUES (5, 6)", name)
    assert rows(engine, f"s.{name}.t", 5) == [{"id": 1, "b": 2}, {"id": 2, "b": 3}, {"id": 3, "b": 4}, {"id": 4, "c": 5}, {"id": 5, "c": 6}]


def test_a_sequence_is_no_table(server, started):
    if server.product == "mysql":
        pytest.skip("MySQL has no sequences")
    name, start = started
    server.client("CREATE TABLE t (id INT PRIMARY KEY)", name)
    engine = start()
    server.client("CREATE SEQUENCE q; DO NEXTVAL(q); INSERT INTO t VALUES (1)", name)
    assert rows(engine, f"s.{name}.t", 1) == [{"id": 1}]
    assert f"s.{name}.q" not in " ".join(servers.topics(engine.admin))
