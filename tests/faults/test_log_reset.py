"""The server's log is reset, so that its file names, offsets and GTIDs are used a second time: no transaction is skipped in silence."""

import json

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import streaming
from test_start_refusals import refuses, run

TOPIC = "persistent://public/default/s.faults.t"
RESET = {"mysql": "RESET BINARY LOGS AND GTIDS", "mariadb": "RESET MASTER"}


@pytest.fixture(params=[("mysql", "on"), ("mysql", "off"), ("mariadb", "on")], ids="-".join)
def database(request):
    product, gtid = request.param
    server = servers.Database(product, gtid=gtid)
    server.client("CREATE DATABASE faults")
    yield server
    server.stop()


def source(database, snapshot="initial"):
    toml = servers.source_toml(database, "s", ["faults.t"], snapshot=snapshot)
    return toml.replace("[source.tables]", "keep_alive_interval_ms = 2500\n\n[source.tables]")


def history(database, first, count):
    """A new log: the same statements always give the same sizes, so offsets of the old log are borders of the new one."""
    rows = "".join(f"INSERT INTO faults.t VALUES ({first + i});" for i in range(count))
    database.client(f"{RESET[database.product]}; DROP TABLE IF EXISTS faults.t; CREATE TABLE faults.t (id INT PRIMARY KEY); {rows}")
    return set(range(first, first + count))


def ids(running):
    messages = wire.dump(running.url, TOPIC, 0.5)
    return {json.loads(m["payload"])["after"]["id"] for m in messages if m.get("payload")}


def test_a_log_that_was_reset_is_noticed_at_the_start_and_while_connected(database):
    old = history(database, 1000, 10)
    running = servers.Bitacora(source(database))
    streaming(running.process)
    database.client("INSERT INTO faults.t VALUES (1900)")
    wait_until("the first log's rows", lambda: old | {1900} <= ids(running), 30)
    assert running.process.stop() == 0

    # While the source is away: 25 transactions where 11 were.
    new = history(database, 2000, 25)
    refuses(run("up", "-c", running.folder.path / "bitacora.toml"), "log is not the one", "new snapshot")
    running._configuration = source(database, "when_needed")
    running.start()
    streaming(running.process)
    wait_until("the second log's rows", lambda: new <= ids(running), 30)

    # While it is connected, once with a shorter and once with a longer log than before.
    for first, count in [(3000, 3), (4000, 60)]:
        new = history(database, first, count)
        wait_until("the rows of the log that took the place of the one that is read", lambda: new <= ids(running), 60)
    assert "may have been reset" in running.process.stderr()
    assert running.stop() == 0
