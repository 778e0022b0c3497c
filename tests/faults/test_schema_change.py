"""Tables that change in ways that Pulsar's default strategy of schema compatibility does not allow."""

import json
import urllib.request

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import streaming

TOPIC = "persistent://public/default/s.faults.t"
ALTER = """ALTER TABLE faults.t ADD needed INT NOT NULL; INSERT INTO faults.t VALUES (2, 'b', 7);
    ALTER TABLE faults.t MODIFY id BIGINT; INSERT INTO faults.t VALUES (3, 'c', 8);
    ALTER TABLE faults.t DROP needed; INSERT INTO faults.t VALUES (4, 'd')"""


@pytest.fixture
def database():
    server = servers.Database("mysql")
    server.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO faults.t VALUES (1, 'a')")
    yield server
    server.stop()


def source(database):
    return servers.source_toml(database, "s", ["faults.t"])


def rows(running):
    found = [json.loads(message["payload"])["after"]["id"] for message in wire.dump(running.url, TOPIC, 0.5) if message.get("payload")]
    return found


def test_the_source_waits_until_the_change_is_allowed(database):
    """It says what to do, and keeps broker and position; once the strategy allows the change, it goes on by itself."""
    running = servers.Bitacora(source(database))
    streaming(running.process)
    database.client(ALTER)
    wait_until("a warning", lambda: running.process.must_run() or "set-schema-compatibility-strategy" in running.process.stderr(), 30)
    assert rows(running) == [1]
    # Whoever restarts it meanwhile loses nothing.
    running.process.kill()
    running.start()
    wait_until("a warning", lambda: running.process.must_run() or "set-schema-compatibility-strategy" in running.process.stderr(), 30)
    request = urllib.request.Request(f"{running.admin}/namespaces/public/default/schemaCompatibilityStrategy", b'"ALWAYS_COMPATIBLE"',
                                     {"Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass
    wait_until("the rows", lambda: running.process.must_run() or rows(running) == [1, 2, 3, 4], 60)
    assert running.stop() == 0


def test_the_embedded_broker_may_allow_every_change(database):
    running = servers.Bitacora(source(database), env={"BITACORA_BROKER_SCHEMA_COMPATIBILITY_STRATEGY": "ALWAYS_COMPATIBLE"})
    streaming(running.process)
    database.client(ALTER)
    wait_until("the rows", lambda: running.process.must_run() or rows(running) == [1, 2, 3, 4], 60)
    assert "WARN" not in running.process.stderr()
    assert running.stop() == 0
