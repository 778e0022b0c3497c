"""From a booking to the official client: events through the relay of deploy/bitacora.toml, commands from the topic, dead letters."""

import http.client
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pulsar
import pytest
from programa import COMANDOS as COMMANDS
from programa import callado
from programa import comando as command
from pulsar.schema import AvroSchema

from harness import servers, wire
from harness.aeroalpes import Api, Relay, booking, leg
from harness.process import ROOT, wait_until
from harness.tutorial import EventoReservaCreada, narrower

EARLIEST = pulsar.InitialPosition.Earliest
EVENTS = "persistent://public/default/eventos-reserva"
DEAD = "persistent://public/default/comandos-reserva-muertos"


@pytest.fixture(scope="module")
def relay(database):
    """Started before the API has made its tables, as a deployment may."""
    running = Relay(database)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def api(database, relay):
    running = Api(database, relay.port)
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture
def client(relay):
    connection = pulsar.Client(relay.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    yield connection
    connection.close()


def plain(value):
    return value if isinstance(value, dict) else value.__dict__


def events_of(client, identities, count, schema=None):
    """The first `count` events of these reservations, and proof that no other one comes."""
    consumer = client.subscribe(EVENTS, f"prueba-{uuid.uuid4().hex}", initial_position=EARLIEST, schema=schema or AvroSchema(EventoReservaCreada))
    found = []
    while len(found) < count:
        message = consumer.receive(30_000)
        if plain(message.value().data)["id_reserva"] in identities:
            found.append(message)
    with pytest.raises(pulsar.Timeout):
        while True:
            extra = consumer.receive(1_000)
            assert plain(extra.value().data)["id_reserva"] not in identities, "one event too many"
    consumer.close()
    return found


def test_the_deployed_schema_is_the_contracts(relay):
    contract = json.loads((ROOT / "aeroalpes/src/contrato/evento.avsc").read_text())
    assert json.loads(relay.configuration()["source"][0]["outbox"][0]["schema"]) == contract


def test_all_is_ready_and_says_so(api):
    wait_until("database and broker", lambda: api.call("GET", "/ready").status == 200, 30)
    assert api.call("GET", "/ready").json == {"status": "up", "base_de_datos": "up", "broker": "up"}


def test_the_tutorials_records_decode_every_event_of_a_reservation(api, client, database, relay):
    who = f"cliente ñ {uuid.uuid4().hex[:8]}"
    paid = api.call("POST", "/vuelos/reserva", booking(client=who)).json["id"]
    cancelled = api.call("POST", "/vuelos/reserva", booking()).json["id"]
    for identity, change in [(paid, "aprobar"), (cancelled, "cancelar"), (paid, "pagar")]:
        assert api.call("POST", f"/vuelos/reserva/{identity}/{change}").status == 200
    # A consumer that comes before the first event would register its own record as the first version.
    wait_until("the relay's schema", lambda: servers.rest(relay.admin, "schemas/public/default/eventos-reserva/schema"), 30)
    messages = events_of(client, {paid, cancelled}, 5)
    expected = [(paid, "ReservaCreada", "PENDIENTE"), (cancelled, "ReservaCreada", "PENDIENTE"), (paid, "ReservaAprobada", "APROBADA"),
                (cancelled, "ReservaCancelada", "CANCELADA"), (paid, "ReservaPagada", "PAGADA")]
    assert [(plain(m.value().data)["id_reserva"], m.value().type, plain(m.value().data)["estado"]) for m in messages] == expected
    rows = {line.split("\t")[0]: line.split("\t") for line in database.client(
        "SELECT id, UNIX_TIMESTAMP(CONVERT_TZ(fecha_evento, '+00:00', @@session.time_zone)) * 1000, contenido FROM eventos_reserva", "reservas").splitlines()}
    for message in messages:
        event, data = message.value(), plain(message.value().data)
        row = rows[event.id]
        assert (event.specversion, event.datacontenttype, event.service_name) == ("v1", "AVRO", "aeroalpes")
        assert event.time == int(row[1]) and abs(event.ingestion - event.time) < 120_000
        content = json.loads(row[2])
        assert {name: data[name] for name in ("id_reserva", "id_cliente", "estado", "fecha_creacion")} == {
            name: content[name] for name in ("id_reserva", "id_cliente", "estado", "fecha_creacion")}
        assert data["id_cliente"] == (who if data["id_reserva"] == paid else None)
        assert (message.partition_key(), message.properties()) == (data["id_reserva"], {"id": event.id, "type": event.type})
    registered = servers.rest(relay.admin, "schemas/public/default/eventos-reserva/schema")
    assert (registered["version"], registered["type"]) == (0, "AVRO")

    narrow = client.subscribe(EVENTS, f"estrecha-{uuid.uuid4().hex}", pulsar.ConsumerType.Shared, schema=AvroSchema(narrower()), initial_position=EARLIEST)
    assert plain(narrow.receive(10_000).value().data)["id_reserva"]
    narrow.close()
    assert servers.rest(relay.admin, "schemas/public/default/eventos-reserva/schema")["version"] == 0
    wait_until("the API's own subscription", lambda: sum(f'reserva="{paid}"' in line for line in api.log().splitlines()) == 3, 30)


def test_other_tables_are_change_events_and_a_password_is_masked(api, relay):
    secret = "nadie-la-ve-" + uuid.uuid4().hex
    body = {"nombres": "Ana", "apellidos": "Rojas", "email": "ana@example.com", "password": secret}
    identity = api.call("POST", "/cliente/usuarios", body).json["id"]
    topic = "persistent://public/default/aeroalpesdb.reservas.usuarios_legado"
    wait_until("the topic of the users", lambda: topic in servers.topics(relay.admin), 30)
    messages = wait_until("the user", lambda: wire.dump(relay.url, topic, 1), 30)
    values = [json.loads(message["payload"]) for message in messages]
    row = next(value["after"] for value in values if value["after"]["id"] == identity)
    assert (row["nombres"], row["password"]) == ("Ana", "********")
    assert not any("argon2" in message["payload"] or secret in message["payload"] for message in messages)
    api.call("POST", "/vuelos/reserva", booking(leg("CDC", "XYZ")))
    wait_until("the tables of reservations", lambda: {f"aeroalpesdb.reservas.{name}" for name in ("reservas", "itinerarios", "reservas_itinerarios")}
               <= {name.rpartition("/")[2] for name in servers.topics(relay.admin)}, 30)
    names = {name.rpartition("/")[2] for name in servers.topics(relay.admin)}
    assert not names & {f"aeroalpesdb.reservas.{name}" for name in ("eventos_reserva", "claves_idempotencia", "mensajes_recibidos")}
    assert "eventos-reserva-rechazados" not in names, "no event was refused"


def test_events_wait_in_the_database_for_the_relay(api, client, relay):
    assert relay.process.stop() == 0
    made = [api.call("POST", "/vuelos/reserva", booking(client="espera")).json["id"] for _ in range(10)]
    ready = api.call("GET", "/ready")
    assert (ready.status, ready.json["base_de_datos"], ready.json["broker"]) == (503, "up", "down")
    relay.start()
    messages = events_of(client, set(made), 10)
    assert [plain(message.value().data)["id_reserva"] for message in messages] == made
    # The API's subscriptions came back by themselves.
    wait_until("the last event in the API's log", lambda: f'reserva="{made[-1]}"' in api.log(), 60)
    wait_until("readiness", lambda: api.call("GET", "/ready").status == 200, 30)


def test_a_broker_that_falls_silent_is_told_at_once(api, relay):
    """An open connection was taken for an answer, so that a frozen broker was up for about a minute."""
    wait_until("database and broker", lambda: api.call("GET", "/ready").status == 200, 60)
    with callado(relay.process):
        ready = api.call("GET", "/ready")
        assert (ready.status, ready.json["base_de_datos"], ready.json["broker"]) == (503, "up", "down")
    wait_until("readiness", lambda: api.call("GET", "/ready").status == 200, 60)


def test_over_kills_of_the_api_each_reservation_has_its_one_event(database, relay, client):
    """The tutorial published after the commit: a process that died in between lost the event."""
    tag, stop = f"mata-{uuid.uuid4().hex[:8]}", threading.Event()
    api = Api(database, relay.port)

    def write(writer):
        number = 0
        while not stop.is_set():
            try:
                api.call("POST", "/vuelos/reserva", booking(leg("MAT", f"A{writer}"), client=tag), {"Idempotency-Key": f"{tag}-{writer}-{number}"})
                number += 1
            except (OSError, http.client.HTTPException):
                pass  # Killed: the same key again, until somebody answers.

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, writer) for writer in range(4)]
        made = lambda: int(database.client(f"SELECT COUNT(*) FROM reservas WHERE id_cliente = '{tag}'", "reservas"))
        for wanted in (50, 150, 250):
            wait_until("bookings", lambda: any(w.done() for w in writers) or made() >= wanted, 120)
            api.process.kill()
            api.start()
        wait_until("bookings after the last kill", lambda: any(w.done() for w in writers) or made() >= 300, 120)
        stop.set()
        for writer in writers:
            writer.result()
    assert api.stop() == 0
    stored = {line.split("\t")[0]: line.split("\t")[1] for line in database.client(
        f"SELECT r.id, COUNT(c.clave) FROM reservas r LEFT JOIN claves_idempotencia c ON c.id_reserva = r.id WHERE r.id_cliente = '{tag}' GROUP BY r.id",
        "reservas").splitlines()}
    assert set(stored.values()) == {"1"}, "each reservation has its key, so no click booked twice"
    events = events_of(client, set(stored), len(stored))
    assert {plain(event.value().data)["id_reserva"] for event in events} == set(stored)


def reservations(api, client_id):
    return api.call("GET", f"/vuelos/reserva?id_cliente={client_id}").json


def test_commands_in_both_forms_make_reservations(api, client):
    short, long = f"corta-{uuid.uuid4().hex[:8]}", f"larga-{uuid.uuid4().hex[:8]}"
    body = booking(leg("CMD", "DST"), passengers=["ADULTO"])
    record, value = command(id_usuario=short)
    producer = client.create_producer(COMMANDS, schema=AvroSchema(record))
    producer.send(value)
    wait_until("the reservation of the tutorial's form", lambda: reservations(api, short)["total"] == 1, 30)
    found = reservations(api, short)["reservas"][0]
    assert (found["estado"], found["itinerarios"]) == ("PENDIENTE", [])
    # The evolved record beside the first one: a second version of the topic's schema.
    record, value = command(id_usuario=long, itinerarios=json.dumps(body["itinerarios"]))
    evolved = client.create_producer(COMMANDS, schema=AvroSchema(record))
    evolved.send(value)
    wait_until("the reservation of the evolved form", lambda: reservations(api, long)["total"] == 1, 30)
    found = reservations(api, long)["reservas"][0]
    assert found["itinerarios"] == body["itinerarios"]
    events = events_of(client, {found["id"], reservations(api, short)["reservas"][0]["id"]}, 2)
    assert {plain(event.value().data)["id_cliente"] for event in events} == {short, long}
    producer.close()
    evolved.close()


def test_a_command_takes_effect_once_however_often_it_is_delivered(api, client, database, relay):
    who = f"vez-{uuid.uuid4().hex[:8]}"
    record, value = command(id_usuario=who, itinerarios=json.dumps(booking()["itinerarios"]))
    producer = client.create_producer(COMMANDS, schema=AvroSchema(record))
    producer.send(value)
    wait_until("the reservation", lambda: reservations(api, who)["total"] == 1, 30)
    before = database.client("SELECT SUM(deliveries) FROM mensajes_recibidos", "reservas").strip()
    # The subscription goes back to its beginning: every command is delivered anew.
    body = {"ledgerId": -1, "entryId": -1, "partitionIndex": -1}
    servers.rest(relay.admin, "persistent/public/default/comandos-reserva/subscription/aeroalpes-sub-comandos/resetcursor/0", body, "POST")
    wait_until("the second delivery", lambda: database.client("SELECT MIN(deliveries) FROM mensajes_recibidos", "reservas").strip() == "2", 60)
    assert before != database.client("SELECT SUM(deliveries) FROM mensajes_recibidos", "reservas").strip()
    assert reservations(api, who)["total"] == 1
    producer.close()


def test_invalid_commands_are_dead_letters_with_the_reason(api, client):
    total = lambda: api.call("GET", "/vuelos/reserva").json["total"]
    before = total()
    tag = uuid.uuid4().hex[:8]
    same = json.dumps(booking(leg("UNO", "UNO"))["itinerarios"])
    cases = [({"id_usuario": tag, "itinerarios": "[]"}, "itinerarios: La lista de itinerarios debe tener al menos un itinerario"),
             ({"id_usuario": tag, "itinerarios": same}, "La ruta propuesta es incorrecta"),
             ({"id_usuario": tag, "itinerarios": "{"}, "El texto de data.itinerarios no es JSON válido"),
             ({"id_usuario": "x" * 41, "itinerarios": None}, "data.id_usuario: El texto tiene más de 40 caracteres"),
             ({"id_usuario": None, "itinerarios": None}, "data.id_usuario: Falta este campo")]
    record, _ = command(id_usuario="", itinerarios="")
    producer = client.create_producer(COMMANDS, schema=AvroSchema(record))
    for fields, _ in cases:
        producer.send(command(**fields)[1])
    producer.close()
    # Bytes that are no record at all, sent past the schema.
    raw = client.create_producer(COMMANDS)
    raw.send(b"\x04", properties={"origen": "prueba"})
    raw.close()
    letters = client.subscribe(DEAD, f"prueba-{tag}", initial_position=EARLIEST)
    found = []
    while len(found) < len(cases) + 1:
        letter = letters.receive(30_000)
        letters.acknowledge(letter)
        found.append(letter.properties())
    letters.close()
    for _, reason in cases:
        assert sum(reason in letter["motivo"] for letter in found) == 1, (reason, found)
    broken = next(letter for letter in found if letter.get("origen") == "prueba")
    assert "Avro" in broken["motivo"] and broken["tema_original"] == COMMANDS
    assert total() == before
