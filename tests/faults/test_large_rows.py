"""Rows above the broker's maximum message size: each stopped the source for ever, with a remedy that did not exist. They travel in
chunks, also over a kill between two of them; where there is no way on, the error names the row and a policy goes on."""

import base64
import json
import random
import socket
import subprocess
import threading

import pulsar
import pytest
from harness import servers
from harness.process import Process, wait_until
from harness.servers import streaming

TOPIC = "persistent://public/default/s.big.t"


@pytest.fixture(scope="module")
def database():
    server = servers.Database("mysql")
    yield server
    server.stop()


@pytest.fixture
def table(database):
    database.client("DROP DATABASE IF EXISTS big; CREATE DATABASE big; CREATE TABLE big.t (id INT PRIMARY KEY, x LONGTEXT, n INT)")
    return database


def incompressible(size, seed):
    """What a picture or an archive in a column is."""
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()


def insert(database, key, text):
    database.client(f"INSERT INTO big.t VALUES ({key}, '{text}', 1)")


def read(url, topic, count):
    """`count` messages of the topic as the official client gives them, and whether it has more."""
    client = pulsar.Client(url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    consumer = client.subscribe(topic, f"r{random.random()}", initial_position=pulsar.InitialPosition.Earliest)
    found = []
    while len(found) < count:
        message = consumer.receive(60_000)
        found.append(message)
        consumer.acknowledge(message)
    try:
        extra = consumer.receive(500)
    except pulsar.Timeout:
        extra = None
    client.close()
    assert extra is None, extra
    return found


def rows(messages):
    """(op, id, text) of each event."""
    events = [json.loads(message.data()) for message in messages]
    return [(event["op"], event["after"]["id"], event["after"]["x"]) for event in events]


def test_a_row_above_the_limit_is_snapshot_and_streamed_in_chunks(table):
    first, second = incompressible(4_500_000, 1), incompressible(9_000_000, 2)
    insert(table, 1, first)
    running = servers.Bitacora(servers.source_toml(table, "s", ["big.t"]))
    streaming(running.process)
    insert(table, 2, second)
    insert(table, 3, "after")
    assert rows(read(running.url, TOPIC, 3)) == [("r", 1, first), ("c", 2, second), ("c", 3, "after")]
    consumed = subprocess.run([servers.bitacora_binary(), "client", "--url", running.url, "consume", TOPIC, "-s", "own", "-n", "3", "-p", "earliest"],
                              capture_output=True, timeout=120, check=True).stdout
    assert second.encode() in consumed and first.encode() in consumed
    assert running.stop() == 0


def test_the_brokers_maximum_is_an_option_that_clients_are_told(table):
    text = incompressible(4_500_000, 3)
    insert(table, 1, text)
    running = servers.Bitacora("max_message_size = 16777216\n" + servers.source_toml(table, "s", ["big.t"]))
    streaming(running.process)
    (message,) = read(running.url, TOPIC, 1)
    assert rows([message]) == [("r", 1, text)]
    stats = servers.rest(running.admin, "persistent/public/default/s.big.t/internalStats")
    assert stats["numberOfEntries"] == 1, stats
    assert running.stop() == 0


class Gate:
    """A forwarder in front of a broker that lets so many bytes through and then holds everything."""

    def __init__(self, port, allowed):
        self.left, self.target = allowed, port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_shut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source, sink, is_counted):
        try:
            while data := source.recv(65536):
                if is_counted:
                    self.left -= len(data)
                    if self.left < 0:
                        self.is_shut.set()
                        return
                sink.sendall(data)
        except OSError:
            pass


def test_a_kill_between_two_chunks_leaves_the_row_whole_and_once(table, tmp_path):
    """The chunks of the first attempt stay in the topic. Nobody may take them for the message, or join them with those of
    the second attempt."""
    insert(table, 1, "before")
    broker = servers.Bitacora()
    gate = Gate(broker.port, 13_000_000)
    arguments = servers.localrun(table, broker, tmp_path, tables="big.t")
    at_gate = [argument if argument != broker.url else f"pulsar://127.0.0.1:{gate.port}" for argument in arguments]
    process = Process([servers.bitacora_binary(), *at_gate])
    streaming(process)
    text = incompressible(15_000_000, 4)
    insert(table, 2, text)
    insert(table, 3, "after")
    assert gate.is_shut.wait(120), process.report()
    stored = lambda: servers.rest(broker.admin, "persistent/public/default/s.big.t/internalStats")["numberOfEntries"]
    wait_until("a chunk in the topic", lambda: stored() >= 2, 60)
    process.kill()
    broken_off = stored()
    broker.process.kill()
    broker.start()
    process = Process([servers.bitacora_binary(), *arguments])
    expected = [("r", 1, "before"), ("c", 2, text), ("c", 3, "after")]
    assert rows(read(broker.url, TOPIC, 3)) == expected
    assert stored() > broken_off + 2, "the message was sent again from its first chunk"
    own = subprocess.run([servers.bitacora_binary(), "client", "--url", broker.url, "consume", TOPIC, "-s", "own", "-n", "3", "-p", "earliest"],
                         capture_output=True, timeout=120, check=True).stdout
    assert own.count(b"----- got message -----") == 3 and text.encode() in own
    assert process.stop() == 0
    assert broker.stop() == 0


LIMIT = "[source.large_rows]\nmax_bytes = 1000000\n"


def test_where_there_is_no_way_on_the_error_names_the_row(table):
    running = servers.Bitacora(servers.source_toml(table, "s", ["big.t"]) + LIMIT)
    streaming(running.process)
    insert(table, 7, incompressible(1_500_000, 5))
    code = running.process.wait(60)
    last = running.process.stderr().splitlines()[-1]
    assert code == 1 and all(part in last for part in ["table big.t", "binlog binlog.0", '{"id":7}', "1000000", "large_rows.policy"]), last
    running._configuration = servers.source_toml(table, "s", ["big.t"]) + LIMIT + 'policy = "dead_letter"\n'
    running.start()
    insert(table, 8, "after")
    assert [row[1] for row in rows(read(running.url, TOPIC, 1))] == [8]
    (letter,) = read(running.url, TOPIC + ".dead-letter", 1)
    value = json.loads(letter.data())
    assert (value["table"], value["op"], value["key"]) == ("big.t", "c", '{"id":7}') and value["bytes"] > 2_000_000, value
    assert letter.properties()["table"] == "big.t" and "1000000" in letter.properties()["reason"]
    assert running.stop() == 0


def test_a_row_of_the_snapshot_without_a_way_is_cut_in_the_named_column(table):
    text = incompressible(1_500_000, 6)
    insert(table, 1, text)
    insert(table, 2, "short enough")
    policy = LIMIT + 'policy = "truncate"\ncolumns = ["big\\\\.t\\\\.x"]\nchars = 20\n'
    running = servers.Bitacora(servers.source_toml(table, "s", ["big.t"]) + policy)
    streaming(running.process)
    insert(table, 3, text)
    assert rows(read(running.url, TOPIC, 3)) == [("r", 1, text[:20]), ("r", 2, "short enough"), ("c", 3, text[:20])]
    assert running.stop() == 0


@pytest.mark.conformance
def test_a_real_pulsar_gets_a_row_above_its_limit_in_chunks(table, tmp_path):
    first, second = incompressible(6_000_000, 7), incompressible(12_000_000, 8)
    insert(table, 1, first)
    broker = servers.Pulsar("brokerDeduplicationEnabled=true")
    broker.keep_messages()
    process = Process([servers.bitacora_binary(), *servers.localrun(table, broker, tmp_path, tables="big.t")])
    streaming(process)
    insert(table, 2, second)
    insert(table, 3, "after")
    assert rows(read(broker.url, TOPIC, 3)) == [("r", 1, first), ("c", 2, second), ("c", 3, "after")]
    assert process.stop() == 0, process.stderr()
    broker.stop()
