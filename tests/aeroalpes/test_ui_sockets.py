"""Websockets of AeroAlpes' page against the broker alone: what a new one gets, slow ones, partitions, and bytes that are no event."""

import contextlib
import json

import programa
import pulsar
import pytest
from pulsar.schema import AvroSchema, BytesSchema
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from harness import servers
from harness.aeroalpes import Ui, binary
from harness.process import Process, free_port, wait_until

TOPIC = "eventos-reserva"


class Place:
    """An embedded broker and a page; the API is away."""

    def __init__(self):
        self.broker = servers.Bitacora()
        self.ui = Ui(self.broker, free_port())
        self.client = pulsar.Client(self.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        self.producer = None

    def send(self, *events):
        if not self.producer:
            self.producer = self.client.create_producer(programa.EVENTOS, schema=AvroSchema(programa.EventoReservaCreada))
        for event in events:
            self.producer.send(event, partition_key=event.data.id_reserva)

    def socket(self, path="/", **options):
        return connect(self.ui.url.replace("http", "ws") + path, open_timeout=10, **options)

    def stop(self):
        self.client.close()
        assert self.ui.stop() == 0, self.ui.process.stderr()
        assert self.broker.stop() == 0


@pytest.fixture
def place():
    running = Place()
    yield running
    running.stop()


def numbers(socket, last):
    """Numbers of the events up to that one."""
    found = []
    while not found or found[-1] != last:
        found.append(int(json.loads(socket.recv(30))["id"][1:]))
    return found


def history(place):
    """Events that a new socket of the page gets before it is up to date."""
    with place.socket("/ws") as socket:
        messages = []
        while (message := json.loads(socket.recv(30)))["tipo"] != "al_dia":
            messages.append(message)
    return [int(message["evento"]["id"][1:]) for message in messages if message["tipo"] == "evento"]


def test_a_new_socket_gets_the_latest_fifty_and_then_live_ones(place):
    place.send(*map(programa.evento, range(120)))
    wait_until("all events", lambda: history(place)[-1:] == [119])
    with place.socket() as socket:
        place.send(programa.evento(120))
        assert numbers(socket, 120) == list(range(70, 121))
    # Another process reads no more of the topic than it needs, and comes to the same.
    place.ui.process.kill()
    place.ui.start()
    wait_until("all events again", lambda: history(place) == list(range(71, 121)))


def test_a_slow_socket_is_told_what_it_missed_or_is_cut(place):
    place.send(programa.evento(0))
    wait_until("the event", lambda: history(place) == [0])
    with contextlib.ExitStack() as stack:
        # A client that reads four messages and then no more.
        plain, page = (stack.enter_context(place.socket(path, max_queue=4, ping_interval=None)) for path in ("/", "/ws"))
        count = 1200
        place.send(*(programa.evento(number, "x" * 15_000) for number in range(1, count)))
        wait_until("the last event", lambda: history(place)[-1:] == [count - 1], 60)
        seen = []
        with pytest.raises(ConnectionClosed) as cut:
            while True:
                seen.append(int(json.loads(plain.recv(30))["id"][1:]))
        assert cut.value.rcvd.code == 1013 and seen == list(range(len(seen))) and len(seen) < count
        told = missed = 0
        while told + missed < count:
            message = json.loads(page.recv(30))
            told += message["tipo"] == "evento"
            missed += message.get("cantidad", 0)
        assert missed > 0 and message["evento"]["id"] == f"e{count - 1}"


def test_bytes_that_are_no_event_are_told_and_passed_over(place):
    place.send(programa.evento(1))
    wait_until("the event", lambda: history(place) == [1])
    with place.socket() as plain, place.socket("/ws") as page:
        stranger = place.client.create_producer(programa.EVENTOS, schema=BytesSchema())
        for payload in (b"", b"\x02", b"\xff" * 40, b"\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"):
            stranger.send(payload)
        place.send(programa.evento(2))
        assert numbers(plain, 2) == [1, 2]
        kinds = []
        while kinds.count("evento") < 2:
            message = json.loads(page.recv(30))
            kinds.append(message["tipo"])
            assert message["tipo"] != "aviso" or "\\x" not in message["motivo"]
        assert kinds.count("aviso") == 4
    assert place.ui.process.running()


def test_changes_come_to_the_page_alone_and_without_passwords_that_nobody_masked(place):
    place.send(programa.evento(1))
    wait_until("the event", lambda: history(place) == [1])
    with place.socket() as plain, place.socket("/ws") as page:
        assert numbers(plain, 1) == [1]
        row = {"id": 1, "email": "a", "password": "secreto"}
        envelope = {"before": row, "after": {**row, "email": "b", "password": "otro secreto"}, "source": {"ts_ms": 5}, "op": "u", "ts_ms": 7}
        # A topic that appears while the page runs.
        changes = place.client.create_producer("aeroalpesdb.reservas.usuarios_legado", schema=BytesSchema())
        changes.send(json.dumps(envelope).encode(), partition_key='{"id":1}')
        while (message := json.loads(text := page.recv(30)))["tipo"] != "cambio":
            pass
        assert message["cambio"] == {
            "tema": "aeroalpesdb.reservas.usuarios_legado", "base": "reservas", "tabla": "usuarios_legado", "operacion": "cambio",
            "momento": 7, "llave": {"id": 1}, "columnas": [
                {"nombre": "id", "antes": 1, "despues": 1}, {"nombre": "email", "antes": "a", "despues": "b", "cambio": True},
                {"nombre": "password", "antes": "•" * 8, "despues": "•" * 8, "cambio": True}]}
        assert "secreto" not in text
        place.send(programa.evento(2))
        assert numbers(plain, 2) == [2]


def test_many_changes_push_no_event_out(place):
    """Both went through one queue of 256: a statement over many rows cut the sockets that get events alone."""
    place.send(programa.evento(1))
    wait_until("the event", lambda: history(place) == [1])
    with place.socket() as plain:
        assert numbers(plain, 1) == [1]
        count = 3_000
        changes = place.client.create_producer("aeroalpesdb.reservas.reservas", schema=BytesSchema(), batching_enabled=True,
                                               batching_max_messages=1_000, batching_max_publish_delay_ms=1_000, max_pending_messages=count)
        row = json.dumps({"before": None, "after": {"id": 1}, "source": {"ts_ms": 5}, "op": "c", "ts_ms": 7}).encode()
        for number in range(count):
            changes.send_async(row, lambda *_: None, partition_key=f'{{"id":{number}}}')
        changes.flush()

        def last():
            with place.socket("/ws") as page:
                while (message := json.loads(page.recv(30)))["tipo"] != "al_dia":
                    if message["tipo"] == "cambio" and message["cambio"]["llave"] == {"id": count - 1}:
                        return True

        wait_until("the last change", last)
        place.send(programa.evento(2))
        assert numbers(plain, 2) == [2]


def test_addresses_that_cannot_be_used_are_one_sentence():
    process = Process([binary(), "ui", "--escuchar", "127.0.0.1:0"], env={"AEROALPES_ADDRESS": "https://api"})
    assert process.wait() == 1
    sentence, = process.stderr().splitlines()
    assert sentence.startswith('aeroalpes: AEROALPES_ADDRESS="https://api" no sirve'), sentence


def test_sockets_have_a_bound_and_room_comes_back(place):
    with contextlib.ExitStack() as stack:
        for _ in range(256):
            stack.enter_context(place.socket("/ws", ping_interval=None))
        with pytest.raises(InvalidStatus) as refused:
            place.socket("/ws")
        assert refused.value.response.status_code == 503

    def room():
        with contextlib.suppress(InvalidStatus), place.socket("/ws"):
            return True

    wait_until("room", room)


def test_partitions_are_one_stream(place):
    servers.rest(place.broker.admin, f"persistent/public/default/{TOPIC}/partitions", 3, "PUT")
    with place.socket() as socket:
        place.send(*map(programa.evento, range(30)))
        found = sorted(int(json.loads(socket.recv(30))["id"][1:]) for _ in range(30))
    assert found == list(range(30))


def test_a_topic_that_is_made_anew_is_read_from_its_start(place):
    place.send(*map(programa.evento, range(5)))
    wait_until("the events", lambda: history(place) == list(range(5)))
    with place.socket() as socket:
        assert numbers(socket, 4) == list(range(5))
        place.producer.close()
        place.producer = None
        servers.rest(place.broker.admin, f"persistent/public/default/{TOPIC}?force=true", method="DELETE")
        place.send(programa.evento(7))
        assert numbers(socket, 7) == [7]
