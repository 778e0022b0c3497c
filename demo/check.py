"""`make demo CHECK=1`: three ways to book, and everything that must become of a booking."""

import json
import subprocess
import uuid

import pulsar
from pulsar.schema import AvroSchema
from websockets.sync.client import connect

from harness.aeroalpes import binary, booking, leg
from harness.airline import EVENTS, PREFIX
from harness.browser import Browser
from harness.process import ROOT, wait_until
from harness.tutorial import EventoReservaCreada

EARLIEST = pulsar.InitialPosition.Earliest
WAYS = ("HTTP", "gRPC", "the form of the page")


class Failed(Exception):
    """A booking of which something did not become what it must."""


def run(airline):
    client = pulsar.Client(airline.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        with connect(airline.page.url.replace("http", "ws", 1) + "/") as socket:
            verify(airline, client, Frames(socket))
    finally:
        client.close()


def verify(airline, client, frames):
    identities = dict(zip(WAYS, (by_http(airline), by_grpc(airline), by_form(airline))))
    events = Received(client, EVENTS, AvroSchema(EventoReservaCreada))
    changes = Received(client, f"{PREFIX}.reservas.reservas")
    for way, identity in identities.items():
        require(way, "a row of the outbox", outbox(airline, identity) == [("ReservaCreada", "JSON", "aeroalpes", identity, "PENDIENTE")])
        require(way, "one routed Avro event", wait_for(lambda: events.of(of_event, identity)) == ["ReservaCreada"])
        require(way, "one mail", wait_for(lambda: mails(airline, identity)) == 1)
        require(way, "one message on the websocket", wait_for(lambda: frames.of(identity)) == ["ReservaCreada"])
        require(way, "the change event of its row", wait_for(lambda: changes.of(of_change, identity)) == ["c"])
        print(f"demo: booked through {way}: outbox row, Avro event, mail, websocket message and change event are there, once each", flush=True)
    masked(airline, client)
    again(identities, events, changes, frames, airline)


def by_http(airline):
    answer = airline.api.call("POST", "/vuelos/reserva", booking(leg(), passengers=["ADULTO"]), {"Idempotency-Key": uuid.uuid4().hex})
    require("HTTP", "202", answer.status == 202)
    return answer.json["id"]


def by_grpc(airline):
    done = subprocess.run([binary(), "sidecar-cliente", "--direccion", f"127.0.0.1:{airline.grpc_port}", "crear", ROOT / "demo/reserva.json"],
                          capture_output=True, text=True, timeout=60)
    require("gRPC", f"an answer (it said: {done.stderr.strip()})", done.returncode == 0)
    answer = json.loads(done.stdout)
    require("gRPC", "the message OK", answer["mensaje"] == "OK")
    return answer["reserva"]["id"]


def by_form(airline):
    browser = Browser()
    try:
        browser.open(airline.page.url)
        browser.wait_for('#conexion[data-estado="en-vivo"]')
        for field, text in (("#origen", "MDE"), ("#destino", "MAD")):
            browser.one(field).clear()
            browser.one(field).send_keys(text)
        browser.one("#reservar").click()
        ticket = browser.wait_for('#mias li[data-estado="PENDIENTE"]').get_attribute("data-id")
        browser.wait_for('#mensajes li[data-propio][data-tipo="ReservaCreada"]')
        return ticket
    finally:
        browser.stop()


def outbox(airline, identity):
    """Type, format, service, and reservation and state as the content has them, of the outbox rows of a reservation."""
    rows = airline.database.client("SELECT tipo_evento, formato_contenido, nombre_servicio, contenido FROM eventos_reserva"
                                   f" WHERE id_entidad = '{identity}'", "reservas")
    found = []
    for row in rows.splitlines():
        kind, form, service, content = row.split("\t")
        content = json.loads(content)
        found.append((kind, form, service, content["id_reserva"], content["estado"]))
    return found


class Received:
    """Everything on a topic, from its beginning, by the official client."""

    def __init__(self, client, topic, schema=None):
        options = {"schema": schema} if schema else {}
        self._consumer = client.subscribe(topic, "demo-check", initial_position=EARLIEST, **options)
        self._messages = []

    def of(self, select, identity):
        """What `select` gives of each message about a reservation, so far."""
        try:
            while True:
                message = self._consumer.receive(200)
                self._messages.append(message)
                self._consumer.acknowledge(message)
        except pulsar.Timeout:
            pass
        return [found for found in (select(message, identity) for message in self._messages) if found]


def of_event(message, identity):
    event = message.value()
    data = event.data if isinstance(event.data, dict) else event.data.__dict__
    return event.type if data["id_reserva"] == identity else None


def of_change(message, identity):
    change = json.loads(message.data())
    return change["op"] if (change["after"] or change["before"])["id"] == identity else None


class Frames:
    """Everything that a websocket was told."""

    def __init__(self, socket):
        self._socket, self._events = socket, []

    def of(self, identity):
        try:
            while True:
                self._events.append(json.loads(self._socket.recv(timeout=0.2)))
        except TimeoutError:
            pass
        return [event["type"] for event in self._events if event["data"]["id_reserva"] == identity]


def mails(airline, identity):
    return sum(line.startswith("correo a ") and identity in line for line in airline.mail.process.stdout().splitlines())


def masked(airline, client):
    """A user is registered; no event, answer or log has the password or its hash."""
    secret = f"secreta-{uuid.uuid4().hex}"
    user = {"nombres": "Eva", "apellidos": "Muñoz", "email": "eva@example.com", "password": secret}
    answer = airline.api.call("POST", "/cliente/usuarios", user)
    require("a new user", "201", answer.status == 201)
    number = answer.json["id"]
    stored = airline.database.client(f"SELECT password FROM usuarios_legado WHERE id = {number}", "reservas").strip()
    require("a new user", "an Argon2 hash in the table", stored.startswith("$argon2"))
    changes = Received(client, f"{PREFIX}.reservas.usuarios_legado")
    of_user = lambda message, identity: message.data().decode() if (json.loads(message.data())["after"] or {}).get("id") == identity else None
    found = wait_for(lambda: changes.of(of_user, number))
    said = "".join(found) + answer.text + airline.log()
    require("a new user", "a change event without the password or its hash", len(found) == 1 and secret not in said and stored not in said)
    print("demo: a user was registered: the change event is there, the password and its hash are nowhere", flush=True)


def again(identities, events, changes, frames, airline):
    """After all of that nothing has come twice."""
    for way, identity in identities.items():
        counts = (len(events.of(of_event, identity)), len(changes.of(of_change, identity)), len(frames.of(identity)), mails(airline, identity))
        require(way, f"everything once, not {counts}", counts == (1, 1, 1, 1))


def wait_for(state):
    """Waits until there is something and returns it; what is missing is told by who asked."""
    try:
        return wait_until("what becomes of a booking", state, 60)
    except TimeoutError:
        return None


def require(way, what, holds):
    if not holds:
        raise Failed(f"booking through {way}: missing is {what}")
