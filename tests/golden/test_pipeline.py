"""The recorded work through our source: what a consumer sees must be what the real pipeline sent.

MySQL 9.7, the tutorial's source file unchanged, into the embedded broker (and, with `make conformance`, into a real Pulsar).
"""

import json
import pathlib
import tempfile

import pulsar as client
import pytest

from harness import golden, servers
from harness.process import Process, wait_until

FOLDER = pathlib.Path(__file__).parent / "pulsar-io"
TABLES = "persistent://public/default/aeroalpesdb.reservas."
MODES = {"default": "", "envelope": '    json-with-envelope: "true"\n'}


@pytest.fixture
def database():
    server = servers.Database("mysql")
    server.client("CREATE DATABASE reservas")
    server.client((FOLDER / "before.sql").read_text(), "reservas")
    yield server
    server.stop()


@pytest.fixture
def embedded():
    broker = servers.Bitacora()
    yield broker
    assert broker.stop() == 0


@pytest.fixture
def standalone():
    broker = servers.Pulsar("brokerDeduplicationEnabled=true")
    broker.keep_messages()
    yield broker
    broker.stop()


@pytest.mark.parametrize("mode", MODES)
def test_into_the_embedded_broker(database, embedded, mode):
    check(database, embedded, mode)
    if mode == "default":
        check_with_the_official_client(embedded)


@pytest.mark.conformance
@pytest.mark.parametrize("mode", MODES)
def test_into_a_real_pulsar(database, standalone, mode):
    check(database, standalone, mode)


def check(database, broker, mode):
    expected = golden.compact_json_of_snapshot_rows(golden.recorded(FOLDER / mode))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        config = servers.pulsar_io_yaml(FOLDER / "source.yaml", folder / "source.yaml", database, broker.url, MODES[mode])
        source = Process([servers.bitacora_binary(), "source", "localrun", "--source-config-file", config, "--destination-topic-name",
                          "debezium-mysql-topic", "--broker-service-url", broker.url, "--data-dir", folder / "data"])
        wait_until("the last row of the snapshot", lambda: source.must_run() or snapshot_is_complete(broker), 60, pause=0.2)
        for line in (FOLDER / "during.sql").read_text().splitlines():
            if not line.startswith("--"):
                database.client(line, "reservas")
        try:
            wait_until("as many messages as recorded", lambda: source.must_run() or counts(broker, 0.3) == counts_of(expected), 60, pause=0.2)
        except TimeoutError:
            pass  # the comparison says it better
        actual = golden.read(broker.url, broker.admin)
        assert source.stop() == 0, source.stderr()
    found = golden.differences(expected, actual)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:30])


def snapshot_is_complete(broker):
    present = golden.read(broker.url, broker.admin, patience=0.3)
    messages = [m for topic, content in present.items() if topic.startswith(TABLES) for m in content["messages"]]
    return any('"snapshot":"last"' in json.dumps(m["payload"]).replace('\\"', '"') for m in messages)


def counts(broker, patience):
    return counts_of(golden.read(broker.url, broker.admin, patience))


def counts_of(topics):
    return {topic: len(content["messages"]) for topic, content in topics.items()}


def check_with_the_official_client(broker):
    """The official Python client reads the same keys and values that were recorded."""
    expected = golden.compact_json_of_snapshot_rows(golden.recorded(FOLDER / "default"))
    connection = client.Client(broker.url, logger=client.ConsoleLogger(client.LoggerLevel.Error))
    for topic, content in expected.items():
        consumer = connection.subscribe(topic, "golden", initial_position=client.InitialPosition.Earliest)
        for place, message in enumerate(content["messages"]):
            got = consumer.receive(10_000)
            assert golden.normalise(got.data().decode()) == message["payload"], f"{topic} {place}"
            key = message["partition_key"]
            assert got.partition_key() == (golden.base64.b64encode(key.encode()).decode() if key else ""), f"{topic} {place}"
            consumer.acknowledge(got)
        with pytest.raises(client.Timeout):
            consumer.receive(200)
    connection.close()
