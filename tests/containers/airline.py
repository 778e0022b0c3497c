"""The whole of the tutorial under crashes: what is booked is there once each, in the database, as event, change, mail and message.

The airline runs in containers, the student's capture of changes in `broker`, and the official client reads from outside.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "demo")]

import check
import pulsar
from harness.airline import EVENTS, PREFIX
from harness.process import wait_until
from websockets.sync.client import connect

CONTAINERS = ["mysqldb", "broker", "relevo", "aeroalpes", "adaptador", "notificacion", "ui"]
CAPTURE = ["./bin/pulsar-admin", "source", "localrun", "--source-config-file", "/pulsar/connectors/debezium-mysql-source-config.yaml",
           "--destination-topic-name", "debezium-mysql-topic"]
UNMASKED = "BITACORA_COLUMN_EXCLUDE_LIST=reservas\\.usuarios_legado\\.password"


class Answer:
    def __init__(self, status, text):
        self.status, self.text = status, text
        self.json = json.loads(text) if text.startswith("{") else None


class Api:
    port = 5000

    def call(self, method, path, body=None, headers=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, refusal.read().decode())


class Part:
    """What a container says, in the form in which `demo/check.py` asks a process."""

    def __init__(self, docker, name):
        self.process = self
        self._docker, self._name = docker, name

    def stdout(self):
        return self._docker("logs", self._name)


class Containers:
    """The airline as the checks of `make demo` see it."""

    def __init__(self, folder, env, up):
        self._folder, self._env, self._up = folder, env, up
        self.api, self.grpc_port = Api(), 50051
        self.mail = Part(self.docker, "notificacion")
        self.page = type("Page", (), {"url": "http://127.0.0.1:5678"})
        self.broker = type("Broker", (), {"url": "pulsar://127.0.0.1:6650"})
        self.database = self

    def docker(self, *arguments, input=None):
        done = subprocess.run(["docker", *arguments], env=self._env, input=input, capture_output=True, text=True, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def compose(self, *arguments):
        done = subprocess.run(["docker-compose", *arguments], env=self._env, capture_output=True, text=True, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"docker-compose {' '.join(arguments)}: {done.stderr[-2000:]}")

    def up(self):
        self.compose("up", *self._up)
        self.wait_until_healthy()

    def client(self, sql, database):
        return self.docker("exec", "-i", "mysqldb", "mysql", "-uroot", "-padminadmin", "-N", database, input=sql)

    def log(self):
        return "".join(self.docker("logs", name) for name in CONTAINERS if name != "mysqldb")

    def is_healthy(self, name):
        state = json.loads(self.docker("inspect", "-f", "{{json .State}}", name))
        return state["Status"] == "running" and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"

    def wait_until_healthy(self):
        for name in CONTAINERS:
            wait_until(f"a healthy {name}", lambda: self.is_healthy(name), 180, 0.5)

    def capture(self):
        """The student starts the capture again wherever it does not run."""
        running = subprocess.run(["docker", "top", "broker"], env=self._env, capture_output=True, text=True).stdout
        if "localrun" not in running:
            self.docker("exec", "-d", "-e", UNMASKED, "broker", *CAPTURE)

    def kill(self, name):
        """Ends the container's process as a crash does. `docker kill` would count as an order, and nothing would start it again."""
        os.kill(int(self.docker("inspect", "-f", "{{.State.Pid}}", name)), signal.SIGKILL)


class Bookings(threading.Thread):
    """Books until it is told to stop; asks again, under the same key, where no answer came."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self._api, self._over = api, threading.Event()
        self._body = json.loads((ROOT / "demo/reserva.json").read_text())
        self.made = []

    def run(self):
        while not self._over.is_set():
            key = uuid.uuid4().hex
            while True:
                try:
                    answer = self._api.call("POST", "/vuelos/reserva", self._body, {"Idempotency-Key": key})
                    if answer.status == 202:
                        self.made.append(answer.json["id"])
                        break
                except OSError:
                    pass
                time.sleep(0.2)
            time.sleep(0.1)

    def stop(self):
        self._over.set()
        self.join(120)
        return self.made


def verify(folder, env, up):
    """`up` are the options with which everything is started. Books in every way; kills every container under bookings; stops, starts, removes and makes them again; and counts."""
    airline = Containers(folder, env, up)
    airline.up()
    airline.capture()
    client = pulsar.Client(airline.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    with connect("ws://127.0.0.1:5678/") as socket:
        check.verify(airline, client, check.Frames(socket))
    client.close()
    made = under_kills(airline)
    counted(airline, made)
    print(f"    {len(made)} bookings under kill -9 of each container: reservations, events, changes and mails once each", flush=True)
    airline.compose("stop")
    airline.up()
    mails = airline.mail.process.stdout()
    airline.compose("down")
    airline.up()
    airline.capture()
    bookings = Bookings(airline.api)
    bookings.start()
    wait_until("bookings after all of that", lambda: len(bookings.made) >= 5, 60)
    made += bookings.stop()
    counted(airline, made, mails)
    print("    stop, up, down and up again: nothing lost, nothing twice", flush=True)


def under_kills(airline):
    bookings = Bookings(airline.api)
    bookings.start()
    for name in CONTAINERS:
        before = len(bookings.made)
        airline.kill(name)
        wait_until(f"bookings after the death of {name}", lambda: len(bookings.made) >= before + 10, 180)
        airline.wait_until_healthy()
        airline.capture()
    return bookings.stop()


def counted(airline, made, earlier_mails=""):
    """Everything that must come of each booking comes once. `earlier_mails` are those of containers that were removed."""
    rows = airline.client("SELECT id FROM reservas", "reservas").split()
    once(made, rows, "a row")
    client = pulsar.Client(airline.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    events = lambda: messages(client, EVENTS, lambda text: text)
    seen = lambda found: all(any(identity in one for one in found) for identity in made)
    found = wait_until("an event of each booking", lambda: (all_of := events()) and seen(all_of) and all_of, 120, 1)
    once(made, found, "an event")
    changes = lambda: [text for text in messages(client, f"{PREFIX}.reservas.reservas", lambda text: text) if '"op":"c"' in text]
    found = wait_until("a change of each booking", lambda: (all_of := changes()) and seen(all_of) and all_of, 120, 1)
    once(made, found, "a change event")
    client.close()
    lines = lambda: [line for line in (earlier_mails + airline.mail.process.stdout()).splitlines() if "recibimos su reserva" in line]
    found = wait_until("a mail for each booking", lambda: (all_of := lines()) and seen(all_of) and all_of, 120, 1)
    once(made, found, "a mail")


def messages(client, topic, select):
    """Every message of a topic, from its beginning to its end."""
    reader = client.create_reader(topic, pulsar.MessageId.earliest)
    found = []
    while reader.has_message_available():
        found.append(select(reader.read_next(10_000).data().decode(errors="replace")))
    reader.close()
    return found


def once(made, found, what):
    for identity in made:
        count = sum(identity in one for one in found)
        if count != 1:
            raise AssertionError(f"booking {identity} has {what} {count} times")
