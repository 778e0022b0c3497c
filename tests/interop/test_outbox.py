"""Outbox tables, from the application's INSERT to the official client: routed exactly once, in order, and never dropped.

Each case runs on MySQL and MariaDB, with the embedded broker and (marker `conformance`) with a real Pulsar.
"""

import base64
import json
import random
import threading
import uuid

import pulsar
import pytest
from pulsar.schema import AvroSchema

from harness import servers, wire
from harness.process import ROOT, Process, wait_until
from harness.tutorial import EventoReservaCreada, narrower

EARLIEST = pulsar.InitialPosition.Earliest
EVENTS, DEAD = "eventos-reserva", "eventos-reserva-muertos"

# As a Python producer of the record below registers it: every field may be null, null first, no defaults.
DEFINITION = {
    "type": "record", "name": "EventoReservaCreada", "fields": [
        {"name": "id", "type": ["null", "string"]},
        {"name": "time", "type": ["null", "long"]},
        {"name": "ingestion", "type": ["null", "long"]},
        {"name": "specversion", "type": ["null", "string"]},
        {"name": "type", "type": ["null", "string"]},
        {"name": "datacontenttype", "type": ["null", "string"]},
        {"name": "service_name", "type": ["null", "string"]},
        {"name": "data", "type": ["null", {"type": "record", "name": "ReservaCreadaPayload", "fields": [
            {"name": "id_reserva", "type": ["null", "string"]},
            {"name": "id_cliente", "type": ["null", "string"]},
            {"name": "estado", "type": ["null", "string"]},
            {"name": "fecha_creacion", "type": ["null", "long"]}]}]}]}

TABLE = """CREATE DATABASE reservas CHARACTER SET utf8mb4; CREATE TABLE reservas.eventos_reserva (
    id VARCHAR(40) PRIMARY KEY, id_entidad VARCHAR(40) NOT NULL, fecha_evento DATETIME NOT NULL, version VARCHAR(10) NOT NULL,
    tipo_evento VARCHAR(100) NOT NULL, formato_contenido VARCHAR(10) NOT NULL, nombre_servicio VARCHAR(40) NOT NULL,
    contenido TEXT NOT NULL)"""


OUTBOX = f"""
[[source.outbox]]
table = "reservas.eventos_reserva"
topic = "{EVENTS}"
columns = {{ key = "id_entidad", payload = "contenido", time = "fecha_evento", type = "tipo_evento" }}
format = "avro"
schema = '{json.dumps(DEFINITION)}'
on_error = "dead_letter"
dead_letter_topic = "{DEAD}"

[source.outbox.fields]
id = "${{id}}"
time = "${{event.time_ms}}"
ingestion = "${{event.now_ms}}"
specversion = "${{version}}"
type = "${{tipo_evento}}"
datacontenttype = "AVRO"
service_name = "${{nombre_servicio}}"
data = "${{payload}}"
"""


class Place:
    """A server with the outbox, and the broker that its messages go to: the one of the process, or a real Pulsar."""

    def __init__(self, product, pulsar=None):
        self._pulsar, self._namespace = pulsar, "default"
        if pulsar:
            # One Pulsar serves all cases, each in a namespace that keeps what nobody has subscribed to yet.
            self._namespace = f"outbox-{uuid.uuid4().hex[:8]}"
            servers.rest(pulsar.admin, f"namespaces/public/{self._namespace}", {}, "PUT")
            pulsar.keep_messages(f"public/{self._namespace}")
        self.database = servers.Database(product)
        self.database.client(TABLE)
        self._running = []

    def configuration(self, outbox=OUTBOX, source=""):
        text = servers.source_toml(self.database, "aeroalpesdb", ["reservas.eventos_reserva"], destination=self._pulsar and self._pulsar.url)
        return text.replace("topic_prefix", f'namespace = "public/{self._namespace}"\n{source}topic_prefix', 1) + outbox

    def start(self, outbox=OUTBOX, source=""):
        """A source that streams."""
        running = servers.Bitacora(self.configuration(outbox, source))
        self._running.append(running)
        streaming(running)
        return running

    def topic(self, name):
        return f"persistent://public/{self._namespace}/{name}"

    def url(self, running):
        return (self._pulsar or running).url

    def schema(self, running, topic):
        return servers.rest((self._pulsar or running).admin, f"schemas/public/{self._namespace}/{topic}/schema")

    def producer_count(self, running):
        """Producers of all topics, as the broker counts them."""
        admin = (self._pulsar or running).admin
        topics = servers.topics(admin, f"public/{self._namespace}")
        return sum(len(servers.rest(admin, f"{topic.replace('://', '/')}/stats")["publishers"]) for topic in topics)

    def connect(self, running):
        return pulsar.Client(self.url(running), logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))

    def stop(self):
        for running in self._running:
            running.process.kill()
        self.database.stop()


@pytest.fixture(scope="module")
def standalone():
    running = servers.Pulsar("brokerDeduplicationEnabled=true")
    yield running
    running.stop()


@pytest.fixture(params=[
    "mysql", "mariadb", pytest.param("mysql into pulsar", marks=pytest.mark.conformance),
    pytest.param("mariadb into pulsar", marks=pytest.mark.conformance)])
def place(request):
    product, _, pulsar = request.param.partition(" into ")
    where = Place(product, request.getfixturevalue("standalone") if pulsar else None)
    yield where
    where.stop()


def insert(number, content=None, key=None):
    """The INSERT of event `number`; 7 reservations take turns."""
    key = key or f"r{number % 7}"
    content = content or json.dumps({"id_reserva": key, "id_cliente": None if number % 3 else f"cliente ñ{number}",
                                     "estado": "PENDIENTE", "fecha_creacion": 1_700_000_000_000 + number})
    text = content.replace("\\", "\\\\").replace("'", "''")
    return (f"SET NAMES utf8mb4; INSERT INTO reservas.eventos_reserva VALUES ('e{number}', '{key}', '2023-11-14 22:13:20', 'v1', 'ReservaCreada', 'JSON',"
            f" 'aeroalpes', '{text}');")


def streaming(running):
    wait_until("the stream", lambda: running.process.must_run() or "streaming" in running.process.stdout() + running.process.stderr(), 60)


def consume(client, topic, count, **options):
    """Receives `count` messages, and makes sure that no further one comes."""
    consumer = client.subscribe(topic, "all", initial_position=EARLIEST, **options)
    messages = []
    while len(messages) < count:
        messages.append(consumer.receive(30_000))
        consumer.acknowledge(messages[-1])
    with pytest.raises(pulsar.Timeout):
        extra = consumer.receive(1_000)
        raise AssertionError(f"one message too many: {extra.properties()}")
    consumer.close()
    return messages


def test_reservation_events_arrive_as_avro_that_the_tutorials_consumers_decode(place):
    running = place.start()
    try:
        # Committed, deleted at once, updated: the first two rows are messages.
        place.database.client("BEGIN;" + insert(1) + "DELETE FROM reservas.eventos_reserva WHERE id = 'e1'; COMMIT;" + insert(2)
                        + "UPDATE reservas.eventos_reserva SET version = 'v9' WHERE id = 'e2'; DELETE FROM reservas.eventos_reserva;")
        client = place.connect(running)
        one, two = consume(client, place.topic(EVENTS), 2, schema=AvroSchema(EventoReservaCreada))
        event = one.value()
        assert (event.id, event.time, event.specversion, event.type, event.datacontenttype, event.service_name) == (
            "e1", 1_700_000_000_000, "v1", "ReservaCreada", "AVRO", "aeroalpes")
        assert abs(event.ingestion - servers.now_us() // 1000) < 60_000
        data = event.data if isinstance(event.data, dict) else event.data.__dict__
        assert {name: data[name] for name in ("id_reserva", "id_cliente", "estado", "fecha_creacion")} == {
            "id_reserva": "r1", "id_cliente": None, "estado": "PENDIENTE", "fecha_creacion": 1_700_000_000_001}
        assert (one.partition_key(), one.event_timestamp()) == ("r1", 1_700_000_000_000)
        assert one.properties() == {"id": "e1", "type": "ReservaCreada"}
        assert two.value().specversion == "v1"

        registered = place.schema(running, EVENTS)
        assert (registered["version"], registered["type"]) == (0, "AVRO")
        assert json.loads(registered["data"]) == DEFINITION

        # A record of the same name that knows the field `data` alone subscribes, decodes, and adds no version.
        narrow = client.subscribe(place.topic(EVENTS), "narrow", pulsar.ConsumerType.Shared, schema=AvroSchema(narrower()), initial_position=EARLIEST)
        value = narrow.receive(10_000).value()
        data = value.data if isinstance(value.data, dict) else value.data.__dict__
        assert data["id_reserva"] == "r1" and not hasattr(value, "specversion")
        assert place.schema(running, EVENTS)["version"] == 0
        client.close()
        assert "updated, which sends nothing" in running.process.stdout() + running.process.stderr()
    finally:
        running.stop()


def read_at_least(url, topic, count):
    """Reads the topic of the events from its start until that many have come, while more are being sent."""
    stream = wire.TopicStream(url, topic)
    for number, _ in enumerate(stream.messages(30), 1):
        if number == count:
            break
    else:
        raise AssertionError(f"{number} of {count} messages came")
    stream.close()


def test_rows_are_routed_once_and_in_order_over_kill_9(place):
    place.database.client("".join(insert(number) for number in range(20)))  # what the snapshot finds
    running = place.start()
    committed, dead, stop = [], [], threading.Event()

    def write():
        chance = random.Random(7)
        number = 100
        with place.database.session() as session:
            while not stop.wait(0.004):
                rows, kind = range(number, number + chance.randint(1, 4)), chance.random()
                number += len(rows)
                bad = {row: chance.choice(['{"id_reserva":', '{"id_reserva": "r1"}', '[1]']) for row in rows if chance.random() < 0.05}
                statements = "".join(insert(row, bad.get(row)) for row in rows)
                end = "ROLLBACK" if kind < 0.1 else "COMMIT"
                session.stdin.write(f"BEGIN; {statements} {end};\n".encode())
                session.stdin.flush()
                if end == "COMMIT":
                    committed.extend(row for row in rows if row not in bad)
                    dead.extend(row for row in rows if row in bad)
            session.stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    wanted = 20
    try:
        for _ in range(5):
            # Each life of the process sends some of it before it is killed.
            wanted += 150
            read_at_least(place.url(running), place.topic(EVENTS), wanted)
            running.process.kill()
            running.start()
        stop.set()
        writer.join()
        client = place.connect(running)
        events = consume(client, place.topic(EVENTS), 20 + len(committed), schema=AvroSchema(EventoReservaCreada))
        ids = [message.value().id for message in events]
        first = sorted(f"e{number}" for number in range(20))  # a snapshot reads in the order of the primary key
        assert ids == first + [f"e{number}" for number in committed], "once, in the order of the commits"
        assert all(message.properties()["id"] == message.value().id for message in events)
        letters = consume(client, place.topic(DEAD), len(dead))
        assert [message.properties()["id"] for message in letters] == [f"e{number}" for number in dead]
        assert dead and committed
        for message in letters:
            row, properties = json.loads(message.data()), message.properties()
            assert properties["table"] == "reservas.eventos_reserva" and row["id"] == properties["id"]
            expected = {"{": "the payload is no JSON", "[": "data: a record is expected, not an array"}
            reason = "data.id_cliente: the field is missing" if row["contenido"].endswith('"r1"}') else expected[row["contenido"][0]]
            assert reason in properties["reason"], properties
        client.close()
    finally:
        stop.set()
        writer.join()
        running.stop()


def test_more_topics_than_may_be_open_get_each_row_once(place):
    outbox = OUTBOX.replace(f'topic = "{EVENTS}"', 'topic = "reserva-${id_entidad}"')
    sent = {f"r{number}": [f"e{900 + number}", f"e{907 + number}"] for number in range(7)}
    place.database.client("".join(insert(number, key=f"r{(number - 900) % 7}") for number in range(900, 914)))  # what the snapshot finds
    running = place.start(outbox, "open_topics_max = 2\n")
    try:
        chance = random.Random(11)
        for life in range(3):
            numbers = [life * 100 + row for row in range(60)]
            keys = {number: f"r{chance.randrange(7)}" for number in numbers}
            for number in numbers:
                sent[keys[number]].append(f"e{number}")
            place.database.client("".join(insert(number, key=keys[number]) for number in numbers))
            last = keys[numbers[-1]]
            wait_until("the last row", lambda: running.process.must_run() or any(
                message.get("single", message["metadata"]).get("properties", {}).get("id") == f"e{numbers[-1]}"
                for message in wire.dump(place.url(running), place.topic(f"reserva-{last}"), 0.2)), 60)
            assert place.producer_count(running) <= 2
            # Half of these rows are on their way when the process is killed.
            numbers = [life * 100 + row for row in range(60, 90)]
            for number in numbers:
                sent[f"r{number % 7}"].append(f"e{number}")
            place.database.client("".join(insert(number) for number in numbers))
            running.process.kill()
            running.start()
        client = place.connect(running)
        for key, expected in sent.items():
            messages = consume(client, place.topic(f"reserva-{key}"), len(expected), schema=AvroSchema(EventoReservaCreada))
            assert [message.value().id for message in messages] == expected, key
        client.close()
        assert place.producer_count(running) <= 2
    finally:
        running.stop()


ROUTER = """
    transforms: outbox
    transforms.outbox.type: io.debezium.transforms.outbox.EventRouter
    transforms.outbox.table.fields.additional.placement: "type:header:eventType"
    transforms.outbox.table.expand.json.payload: "%s"
"""


@pytest.mark.parametrize("product, expand, value", [
    ("mysql", "false", r'"{\"a\":1,\"n\":null}"'), ("mysql", "true", '{"a":1}'),
    ("mariadb", "false", r'"{\"a\": 1, \"n\": null}"'), ("mariadb", "true", '{"a":1}')])  # MariaDB's JSON is text
def test_the_default_layout_is_routed_by_debeziums_own_options(broker, tmp_path, product, expand, value):
    database = servers.Database(product)
    process = None
    try:
        database.client("""CREATE DATABASE reservas; CREATE TABLE reservas.outbox (id CHAR(36) PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
            aggregateid VARCHAR(255) NOT NULL, type VARCHAR(255) NOT NULL, payload JSON)""")
        template = ROOT / "tests/golden/pulsar-io/source.yaml"
        config = servers.pulsar_io_yaml(template, tmp_path / "source.yaml", database, broker.url, ROUTER.lstrip("\n") % expand)
        process = Process([servers.bitacora_binary(), "source", "localrun", "--source-config-file", config, "--broker-service-url", broker.url,
                           "--data-dir", tmp_path / "data"])
        wait_until("the stream", lambda: process.must_run() or "streaming" in process.stdout() + process.stderr(), 60)
        for number, (kind, key) in enumerate([("reserva", "r1"), ("pago", "p1"), ("reserva", "r2")]):
            database.client(f"""INSERT INTO reservas.outbox VALUES ('u{number}', '{kind}-{product}-{expand}', '{key}', 'Creada', '{{"a": 1, "n": null}}');
                DELETE FROM reservas.outbox""")
        for kind, expected in [("reserva", [("r1", "u0"), ("r2", "u2")]), ("pago", [("p1", "u1")])]:
            topic = f"persistent://public/default/outbox.event.{kind}-{product}-{expand}"
            wait_until(topic, lambda: process.must_run() or topic in servers.topics(broker.admin), 30)
            wait_until("the messages", lambda: len(wire.dump(broker.url, topic, 0.2)) >= len(expected), 30)
            found = []
            for message in wire.dump(broker.url, topic, 1):
                head = message.get("single") or message["metadata"]
                key = base64.b64decode(head["partition_key"]).decode()
                found.append((json.loads(key), head["properties"], message["payload"]))
            assert found == [(key, {"id": identity, "eventType": "Creada"}, value) for key, identity in expected]
        assert process.stop() == 0
    finally:
        if process:
            process.kill()
        database.stop()


def test_a_row_that_cannot_be_mapped_stops_by_default(place):
    running = place.start(OUTBOX.replace(f'on_error = "dead_letter"\ndead_letter_topic = "{DEAD}"\n', ""))
    place.database.client(insert(1) + insert(2, "no JSON") + insert(3))
    assert running.process.wait(60) == 1
    last = running.process.stderr().splitlines()[-1]
    assert "reservas.eventos_reserva" in last and "field data: the payload is no JSON" in last and "on_error" in last, last
    # The row is mended by sending it elsewhere: nothing was skipped, and what was sent is not sent again.
    running._configuration = place.configuration()
    running.start()
    client = place.connect(running)
    assert [message.value().id for message in consume(client, place.topic(EVENTS), 2, schema=AvroSchema(EventoReservaCreada))] == ["e1", "e3"]
    assert [message.properties()["id"] for message in consume(client, place.topic(DEAD), 1)] == ["e2"]
    client.close()
    assert running.stop() == 0
