"""AeroAlpes' API as a child process, and the relay that publishes its events, both as a deployment starts them."""

import http.client
import json
import os
import pathlib
import tomllib

from . import servers
from .process import ROOT, Process, free_port, wait_until

ACCOUNT = {"DB_USERNAME": "aeroalpes", "DB_PASSWORD": "secreta ñ"}


def binary():
    """$AEROALPES_BIN, or the newest of the built ones."""
    if os.environ.get("AEROALPES_BIN"):
        return pathlib.Path(os.environ["AEROALPES_BIN"]).resolve()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [p for p in (target / "debug/aeroalpes", target / "release/aeroalpes") if p.is_file()]
    if not built:
        raise FileNotFoundError("build the binary first: cargo build -p aeroalpes")
    return max(built, key=lambda p: p.stat().st_mtime)


def prepare(database):
    """The empty database of the contract, and the API's account."""
    database.client(f"""CREATE DATABASE IF NOT EXISTS reservas CHARACTER SET utf8mb4;
        CREATE USER IF NOT EXISTS 'aeroalpes'@'%' IDENTIFIED BY '{ACCOUNT["DB_PASSWORD"]}';
        GRANT ALL ON reservas.* TO 'aeroalpes'@'%'""")


class Answer:
    def __init__(self, answer):
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.text = answer.read().decode()
        self.json = json.loads(self.text) if self.text and "json" in self.headers.get("content-type", "") else None

    def __repr__(self):
        return f"{self.status} {self.text[:400]}"


class Api:
    """`aeroalpes api` for a database of `servers.Database`; without a broker's port it finds none. Port 0 is a new one at each start."""

    def __init__(self, database, broker_port=None, env=None, arguments=(), wait=True, port=0):
        self._arguments = ["--escuchar", f"127.0.0.1:{port}", *arguments]
        self._env = {**ACCOUNT, "DB_HOSTNAME": "127.0.0.1", "DB_PORT": str(database.port), "RUST_LOG": "debug,hyper=info",
                     "BROKER_HOST": f"127.0.0.1:{broker_port or free_port()}", **(env or {})}
        self.start(wait)

    def start(self, wait=True):
        self.process = Process([binary(), "api", *self._arguments], env=self._env)
        line = wait_until("the API's address", lambda: self.process.must_run() or self.process.stdout().partition("\n")[0], 30)
        assert line.startswith("aeroalpes api: http://127.0.0.1:"), line
        self.port = int(line.rpartition(":")[2])
        if wait:
            self.wait_for_database()

    def wait_for_database(self):
        wait_until("the API's tables", lambda: self.process.must_run() or self.call("GET", "/ready").json["base_de_datos"] == "up", 60)

    def call(self, method, path, body=None, headers=None, timeout=30):
        """Sends a request; a body that is not bytes goes as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def log(self):
        return self.process.stdout() + self.process.stderr()

    def stop(self):
        """SIGTERM; returns the exit code."""
        return self.process.terminate()


def leg(origin="BOG", destination="JFK", day=22, names=True):
    place = lambda code: {"codigo": code, "nombre": f"Aeropuerto de {code}, ñ ✈"} if names else {"codigo": code}
    return {"fecha_salida": f"2022-11-{day:02}T13:10:00Z", "fecha_llegada": f"2022-11-{day:02}T15:10:00Z",
            "origen": place(origin), "destino": place(destination)}


def booking(*legs, client=None, passengers=None):
    """The body of a reservation with one itinerary of one segment."""
    itinerary = {"odos": [{"segmentos": [{"legs": list(legs) or [leg()]}]}]}
    if passengers:
        itinerary["pasajeros"] = [{"tipo": kind} for kind in passengers]
    body = {"itinerarios": [itinerary]}
    return {"id_cliente": client, **body} if client else body


class Relay:
    """`bitacora up -c deploy/bitacora.toml`: the deployed file with addresses from the environment."""

    FILE = ROOT / "deploy/bitacora.toml"

    def __init__(self, database, user="debezium", password="dbz"):
        self.folder = servers.Folder("relay")
        self.port, self.http = free_port(), free_port()
        self.url, self.admin = f"pulsar://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.http}/admin/v2"
        self._env = {"BITACORA_BROKER_LISTEN": f"127.0.0.1:{self.port}", "BITACORA_BROKER_HTTP": f"127.0.0.1:{self.http}",
                     "BITACORA_DATA_DIR": str(self.folder.path / "data"), "BITACORA_DATABASE_HOSTNAME": "127.0.0.1",
                     "BITACORA_DATABASE_PORT": str(database.port), "BITACORA_DATABASE_USER": user, "BITACORA_DATABASE_PASSWORD": password}
        if database.product == "mariadb":
            self._env["BITACORA_CONNECTOR_CLASS"] = "mariadb"
        self.start()

    def start(self):
        self.process = Process([servers.bitacora_binary(), "up", "-c", self.FILE], env=self._env)
        wait_until("a healthy embedded broker", lambda: self.process.must_run() or servers.is_healthy(self.admin), 60)
        wait_until("the stream", lambda: self.process.must_run() or "streaming" in self.process.stdout() + self.process.stderr(), 60)

    def configuration(self):
        return tomllib.loads(self.FILE.read_text())

    def stop(self):
        code = self.process.stop()
        self.folder.remove()
        return code


class Ui:
    """`aeroalpes ui` on a port that it keeps over restarts."""

    def __init__(self, broker, api_port):
        self._env = {"PULSAR_SERVICE_URL": broker.url, "AEROALPES_ADDRESS": f"127.0.0.1:{api_port}"}
        self.url = f"http://127.0.0.1:{free_port()}"
        self.start()

    def start(self):
        self.process = Process([binary(), "ui", "--escuchar", self.url.removeprefix("http://")], env=self._env)
        line = wait_until("the page's address", lambda: self.process.must_run() or self.process.stdout(), 30)
        assert line == f"aeroalpes ui: {self.url}\n", line

    def stop(self):
        """SIGTERM; returns the exit code."""
        return self.process.terminate()
