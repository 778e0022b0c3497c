"""The whole of AeroAlpes as child processes: database, broker, relay of the outbox, change events, API, sidecar, mail, page.

Every part keeps its address over restarts, so that any of them can be killed and started again beneath the others.
"""

import socket

from . import servers
from .aeroalpes import Api, Ui, binary, prepare
from .process import ROOT, Process, free_port, wait_until

RELAY = ROOT / "deploy/bitacora.toml"
# The tutorial's file, unchanged; where the parts are is said by the environment.
SOURCE = ROOT / "demo/debezium-mysql-source-config.yaml"
USERS = ROOT / "demo/usuarios_legado.sql"
CONNECTORS = {"mysql": "io.debezium.connector.mysql.MySqlConnector", "mariadb": "io.debezium.connector.mariadb.MariaDbConnector"}
PREFIX = "persistent://public/default/aeroalpesdb"
EVENTS = "persistent://public/default/eventos-reserva"


class Part:
    """A process that can be killed and started again in the same place."""

    def __init__(self, arguments, env, ready):
        self._arguments, self._env, self._ready = arguments, env, ready
        self.start()

    def start(self):
        self.process = Process(self._arguments, env=self._env)
        wait_until(f"{' '.join(map(str, self._arguments[1:3]))} to be ready",
                   lambda: self.process.must_run() or self._ready(self.process), 60)

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.terminate()

    def output(self):
        return self.process.stdout() + self.process.stderr()


def is_streaming(process):
    return "streaming" in process.stdout() + process.stderr()


def listens(port):
    def try_it(_process):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False
    return try_it


class Airline:
    """Starts what is asked for; `pulsar` is a real Pulsar to use in place of the embedded broker, and a database that
    is not fast syncs each commit."""

    def __init__(self, product="mariadb", pulsar=None, smtp_port=None, parts=("changes", "sidecar", "mail", "page"), fast=True):
        self.folder = servers.Folder("aeroalpes")
        self.database = servers.Database(product, fast=fast)
        prepare(self.database)
        self.database.client(USERS.read_text(), "reservas")
        self.broker = pulsar or servers.Bitacora()
        self._smtp_port = smtp_port
        self.relay = self._relay()
        self.api = Api(self.database, self.broker.port, env={"RUST_LOG": "info"}, port=free_port())
        self.parts = {"relay": self.relay}
        for name in parts:
            self.parts[name] = getattr(self, f"_{name}")()
            setattr(self, name, self.parts[name])

    def _engine(self):
        """What tells an engine where the database is and where to deliver."""
        return {"BITACORA_DATABASE_HOSTNAME": "127.0.0.1", "BITACORA_DATABASE_PORT": str(self.database.port),
                "BITACORA_DATABASE_USER": "debezium", "BITACORA_DATABASE_PASSWORD": "dbz",
                "BITACORA_PULSAR_SERVICE_URL": self.broker.url,
                "BITACORA_CONNECTOR_CLASS": CONNECTORS[self.database.product]}

    def _relay(self):
        """The deployed file, narrowed to the outbox, for change events come by the tutorial's file."""
        env = {**self._engine(), "BITACORA_DATA_DIR": str(self.folder.path / "relay"), "BITACORA_DATABASE_SERVER_ID": "534524",
               "BITACORA_BROKER_LISTEN": "127.0.0.1:0", "BITACORA_BROKER_HTTP": "127.0.0.1:0",
               "BITACORA_TABLE_INCLUDE_LIST": r"reservas\.eventos_reserva", "BITACORA_INCLUDE_SCHEMA_CHANGES": "false"}
        return Part([servers.bitacora_binary(), "up", "-c", RELAY], env, is_streaming)

    def _changes(self):
        """Change events by the tutorial's command; a password is nobody's business, hashed or not."""
        env = {**self._engine(), "BITACORA_COLUMN_EXCLUDE_LIST": r"reservas\.usuarios_legado\.password"}
        arguments = ["source", "localrun", "--source-config-file", SOURCE, "--destination-topic-name", "debezium-mysql-topic",
                     "--data-dir", self.folder.path / "changes"]
        return Part([servers.bitacora_binary(), *arguments], env, is_streaming)

    def _clients(self):
        return {"PULSAR_SERVICE_URL": self.broker.url, "AEROALPES_ADDRESS": f"127.0.0.1:{self.api.port}"}

    def _sidecar(self):
        self.grpc_port = free_port()
        return Part([binary(), "sidecar", "--escuchar", f"127.0.0.1:{self.grpc_port}"], self._clients(), listens(self.grpc_port))

    def _mail(self):
        smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(self._smtp_port), "SMTP_TLS": "none"} if self._smtp_port else {}
        return Part([binary(), "notificaciones", "--datos", self.folder.path / "mail"], {**self._clients(), **smtp},
                    lambda process: process.stdout())

    def _page(self):
        return Ui(self.broker, self.api.port)

    def must_run(self):
        for part in (self.broker, self.api, *self.parts.values()):
            part.process.must_run()

    def log(self):
        """Everything that any part said, for a look at what must not be in it."""
        return "".join(part.process.stdout() + part.process.stderr() for part in (self.broker, self.api, *self.parts.values()))

    def stop(self):
        """Ends every part; returns the names of those that did not end well, with their exit codes."""
        codes = {name: part.stop() for name, part in reversed(self.parts.items())}
        codes |= {"api": self.api.stop(), "broker": self.broker.stop() or 0}
        self.database.stop()
        self.folder.remove()
        return {name: code for name, code in codes.items() if code}
