"""Faults that meet a running process, or a process that comes back: what was committed arrives once, at the latest when the cause
is mended."""

import json
import os
import re
import signal
import subprocess

import pytest
from harness import servers, wire
from harness.process import Process, wait_until
from harness.servers import streaming
from test_start_refusals import refuses, run

TOPIC = "persistent://public/default/s.faults.t"


@pytest.fixture
def database():
    server = servers.Database("mysql")
    server.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY, v VARCHAR(4000)); INSERT INTO faults.t VALUES (1, 'a')")
    yield server
    server.stop()


def source(database, snapshot="initial"):
    return servers.source_toml(database, "s", ["faults.t"], snapshot=snapshot)


def events(running, topic=TOPIC):
    """(op, id) of every event of the topic, in order."""
    out = []
    for message in wire.dump(running.url, topic, 1.5):
        payload = message.get("payload")
        if payload:
            event = json.loads(payload)
            out.append((event["op"], (event["after"] or event["before"])["id"]))
    return out


def test_purged_position(database):
    running = servers.Bitacora(source(database))
    streaming(running.process)
    assert running.process.stop() == 0
    database.client("INSERT INTO faults.t VALUES (2, 'lost to the stream'); FLUSH BINARY LOGS; FLUSH BINARY LOGS")
    last = database.client("SHOW BINARY LOGS").splitlines()[-1].split()[0]
    database.client(f"PURGE BINARY LOGS TO '{last}'")
    file = running.folder.path / "bitacora.toml"
    refuses(run("up", "-c", file), "purged transactions that were not captured", "new snapshot")
    running._configuration = source(database, "when_needed")
    running.start()
    streaming(running.process)
    assert events(running) == [("r", 1), ("r", 1), ("r", 2)]
    assert running.stop() == 0


def test_statement_format_stops_with_place_and_remedy(database):
    running = servers.Bitacora(source(database))
    streaming(running.process)
    database.client("INSERT INTO faults.t VALUES (2, 'b')")
    database.client("SET SESSION binlog_format = STATEMENT; INSERT INTO faults.t VALUES (3, 'as text')")
    code = running.process.wait(30)
    last = running.process.stderr().splitlines()[-1]
    assert code == 1 and "binlog.0" in last and "binlog_format=ROW" in last, last
    running.folder.remove()


@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_row_changes_as_text_concern_the_tables_that_they_name(product, tmp_path):
    """The tables of the statement count, not the session's database; LOAD DATA is an event type of its own, and a
    table may be created with its rows."""
    database = servers.Database(product)
    database.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY, v INT); CREATE DATABASE other; CREATE TABLE other.t LIKE faults.t")
    file = tmp_path / "rows"
    file.write_text("10\t1\n11\t1\n")
    for statement in ["INSERT INTO faults.t VALUES (3, 3)", f"LOAD DATA INFILE '{file}' INTO TABLE faults.t",
                      "DROP TABLE faults.t; CREATE TABLE faults.t SELECT * FROM other.t"]:
        database.client("DELETE FROM faults.t; DELETE FROM other.t")
        running = servers.Bitacora(source(database, "no_data"))
        streaming(running.process)
        database.client(f"SET SESSION binlog_format = STATEMENT; USE faults; REPLACE INTO other.t SELECT * FROM faults.t; "
                        f"LOAD DATA INFILE '{file}' INTO TABLE other.t")
        database.client("INSERT INTO faults.t VALUES (2, 2)")
        wait_until("the row", lambda: running.process.must_run() or ("c", 2) in events(running), 60)
        database.client(f"SET SESSION binlog_format = STATEMENT; USE other; {statement}")
        code = running.process.wait(30)
        last = running.process.stderr().splitlines()[-1]
        assert code == 1 and "table faults.t, binlog binlog.0" in last and "binlog_format=ROW" in last and "new snapshot" in last, last
        running.folder.remove()
    database.stop()


def test_a_database_that_comes_later(database):
    database.process.terminate()
    running = servers.Bitacora(source(database))
    wait_until("a warning", lambda: "WARN" in running.process.stderr(), 30)
    assert running.process.running()
    assert running.process.stop() == 0, "Ctrl-C while waiting ends in order"
    port = database.port
    restarted = Process([database.script, "foreground", "--port", port, "--datadir", database.folder.path / "data", "--fast"])
    running.start()
    streaming(running.process)
    assert events(running) == [("r", 1)]
    assert running.stop() == 0
    restarted.terminate()


def test_a_broker_that_goes_and_comes(database, tmp_path):
    broker = servers.Bitacora()
    arguments = servers.localrun(database, broker, tmp_path)
    process = Process([servers.bitacora_binary(), *arguments])
    streaming(process)
    refuses(run(*arguments), "in use by another process", "--data-dir")
    database.client("INSERT INTO faults.t VALUES (2, 'before')")
    assert broker.process.stop() == 0
    database.client("INSERT INTO faults.t VALUES (3, 'meanwhile')")
    broker.start()
    database.client("INSERT INTO faults.t VALUES (4, 'after')")
    wait_until("the last row", lambda: process.must_run() or ("c", 4) in events(broker), 60)
    assert events(broker) == [("r", 1), ("c", 2), ("c", 3), ("c", 4)]
    assert process.stop() == 0
    assert broker.stop() == 0


def test_a_second_ctrl_c_does_not_wait_for_a_broker_that_is_silent(database, tmp_path):
    broker = servers.Bitacora()
    arguments = servers.localrun(database, broker, tmp_path)
    process = Process([servers.bitacora_binary(), *arguments])
    streaming(process)
    os.kill(broker.process.pid, signal.SIGSTOP)
    database.client("INSERT INTO faults.t VALUES (2, 'on its way')")
    for _ in range(2):  # as a wrapper that forwards what its child gets too
        os.kill(process.pid, signal.SIGINT)
    wait_until("what it waits for", lambda: process.must_run() or "Ctrl-C ends at once" in process.stderr(), 10)
    assert process.stop(10) == 130, process.stderr()
    os.kill(broker.process.pid, signal.SIGCONT)
    process = Process([servers.bitacora_binary(), *arguments])
    wait_until("the row", lambda: process.must_run() or ("c", 2) in events(broker), 60)
    assert events(broker) == [("r", 1), ("c", 2)]
    assert process.stop() == 0
    assert broker.stop() == 0


@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_a_replica_id_is_free_again_after_its_source(product, tmp_path):
    """At once after a source that ended in good order, when the server notices after a killed one, never beside a living one. On
    MariaDB the account may not list replicas, and the server ends the older of two."""
    database = servers.Database(product)
    database.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY)")
    broker = servers.Bitacora()
    env = {"BITACORA_DATABASE_SERVER_ID": "4711", "BITACORA_CONNECTOR_CLASS": product}

    def start(folder):
        (tmp_path / folder).mkdir()
        return Process([servers.bitacora_binary(), *servers.localrun(database, broker, tmp_path / folder)], env=env)

    first = start("first")
    streaming(first)
    assert first.stop() == 0
    second = start("second")
    streaming(second)
    assert "already used" not in second.stderr(), second.stderr()

    beside = start("beside")
    refused, living = (beside, second) if product == "mysql" else (second, beside)
    assert refused.wait(60) == 1
    last = refused.stderr().splitlines()[-1]
    assert "database.server.id" in last and re.search("already (used by another replica|connected)", last), last
    streaming(living)

    living.kill()
    third = start("third")
    streaming(third)
    assert third.stop() == 0
    assert broker.stop() == 0
    database.stop()


def test_a_topic_that_is_new_while_the_broker_is_away(database, tmp_path):
    broker = servers.Bitacora()
    process = Process([servers.bitacora_binary(), *servers.localrun(database, broker, tmp_path)])
    streaming(process)
    assert broker.process.stop() == 0
    database.client("CREATE TABLE faults.later (id INT PRIMARY KEY); INSERT INTO faults.later VALUES (1)")
    wait_until("the refusal", lambda: process.must_run() or "trying again" in process.stderr(), 90)
    broker.start()
    wait_until("the row", lambda: process.must_run() or events(broker, TOPIC.replace("faults.t", "faults.later")) == [("c", 1)], 60)
    assert process.stop() == 0
    assert broker.stop() == 0


class SmallDisk:
    """A small file system in a mount namespace of its own: seen by what runs `within` it, gone with the last of these. Needs no root
    where the kernel lets users make namespaces."""

    def __init__(self, folder, size):
        self._folder = folder
        folder.mkdir()
        unshare, enter = ([], []) if os.geteuid() == 0 else (["--map-root-user"], ["--user", "--preserve-credentials"])
        # A process forgets in a new user namespace that it is to end with its parent.
        with_parent = ["setpriv", "--pdeathsig", "KILL"]
        script = f'mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec {" ".join(with_parent)} sleep infinity'
        self._holder = Process(["unshare", *unshare, "--mount", "sh", "-c", script, "sh", size, folder])
        wait_until("the file system", lambda: self._holder.must_run() or self._holder.stdout(), 10)
        self.within = ["nsenter", "--target", str(self._holder.pid), *enter, "--mount", "--wd", *with_parent]

    def resize(self, size):
        # With the source named, nothing of the mounted one's options is repeated: an owner from outside the namespace is refused.
        subprocess.run([*self.within, "mount", "-o", f"remount,size={size}", "tmpfs", self._folder], check=True)

    def release(self):
        self._holder.kill()


def test_a_full_disk(database, tmp_path):
    """What was committed while the disk was full arrives after it was made larger."""
    disk = SmallDisk(tmp_path / "disk", "6m")
    try:
        running = servers.Bitacora(source(database), data_dir=tmp_path / "disk/data", within=disk.within)
        streaming(running.process)
        rows = 1
        while rows < 4_000 and "No space left" not in running.process.stderr():
            values = ",".join(f"({rows + i}, CONCAT(HEX(RANDOM_BYTES(900)), {rows + i}))" for i in range(1, 101))
            database.client(f"INSERT INTO faults.t VALUES {values}")
            rows += 100
        wait_until("the disk's fault", lambda: "No space left" in running.process.stderr(), 20)
        told = [line for line in running.process.stderr().splitlines() if "No space left" in line]
        assert any("data" in line for line in told) and "panicked" not in running.process.stderr(), told
        assert running.process.stop(60) == 1 and "not delivered yet" in running.process.stderr().splitlines()[-1]
        disk.resize("200m")
        running.start()
        streaming(running.process)
        wait_until("the last row", lambda: running.process.must_run() or len(events(running)) >= rows, 60)
        assert events(running) == [("r", 1)] + [("c", i) for i in range(2, rows + 1)]
        assert running.stop() == 0
    finally:
        disk.release()
