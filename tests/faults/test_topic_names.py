"""Tables whose topics have the same name: their rows were mixed under equal keys, or the first start ended with an error of the
schema that named neither."""

import json
import subprocess

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import streaming

STRATEGY = 'schema_compatibility_strategy = "ALWAYS_COMPATIBLE"\n\n'


@pytest.fixture
def database():
    server = servers.Database("mysql")
    server.client("CREATE DATABASE cj CHARACTER SET utf8mb4; SET NAMES utf8mb4; CREATE TABLE cj.订单 (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO cj.订单 VALUES (1, 1)")
    yield server
    server.stop()


def source(database, collision=""):
    toml = servers.source_toml(database, "s", ["cj\\..*"])
    return STRATEGY + toml.replace('topic_prefix = "s"', f'topic_prefix = "p"\n{collision}')


def rows(running, topic):
    return [json.loads(message["payload"])["after"] for message in wire.dump(running.url, f"persistent://public/default/{topic}", 0.5)]


def test_tables_that_meet_in_a_topic_are_named_before_a_row_is_mixed(database):
    running = servers.Bitacora(source(database))
    streaming(running.process)
    database.client("SET NAMES utf8mb4; CREATE TABLE cj.用户 (id INT PRIMARY KEY, name VARCHAR(10) NOT NULL); INSERT INTO cj.用户 VALUES (1, 'x')")
    code = running.process.wait(60)
    last = running.process.stderr().splitlines()[-1]
    named = ["`cj`.`订单`", "`cj`.`用户`", "p.cj.__", "topic_collision"]
    assert code == 1 and all(part in last for part in named), last
    file = running.folder.path / "bitacora.toml"
    for command in [["up", "-c", file], ["doctor", "-c", file]]:
        done = subprocess.run([servers.bitacora_binary(), *command], capture_output=True, text=True, timeout=60)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and all(part in said for part in named), said
    running._configuration = source(database, 'topic_collision = "mix"')
    running.start()
    wait_until("both rows", lambda: running.process.must_run() or len(rows(running, "p.cj.__")) == 2, 60)
    assert rows(running, "p.cj.__") == [{"id": 1, "v": 1}, {"id": 1, "name": "x"}]
    assert all(part in running.process.stderr() for part in named[:3])
    assert running.stop() == 0


def test_escaped_names_keep_tables_apart(database):
    database.client("SET NAMES utf8mb4; CREATE TABLE cj.用户 (id INT PRIMARY KEY, name VARCHAR(10) NOT NULL); INSERT INTO cj.用户 VALUES (1, 'x')")
    running = servers.Bitacora(source(database, 'topic_collision = "escape"'))
    streaming(running.process)
    assert rows(running, "p.cj._x8ba2__x5355_") == [{"id": 1, "v": 1}]
    assert rows(running, "p.cj._x7528__x6237_") == [{"id": 1, "name": "x"}]
    assert running.stop() == 0
