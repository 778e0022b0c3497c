"""Real servers and the built `bitacora` as child processes with data folders of their own."""

import atexit
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from .process import ROOT, Process, free_port, wait_until

TOOLS = ROOT / "tools"


def bitacora_binary():
    """$BITACORA_BIN, or the newest of the built ones."""
    if os.environ.get("BITACORA_BIN"):
        return pathlib.Path(os.environ["BITACORA_BIN"]).resolve()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [p for p in (target / "debug/bitacora", target / "release/bitacora") if p.is_file()]
    if not built:
        raise FileNotFoundError("build the binary first: cargo build -p bitacora")
    return max(built, key=lambda p: p.stat().st_mtime)


class Folder:
    """A temporary folder that goes with its owner, at the latest at the end of the program."""

    def __init__(self, prefix):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"bitacora-{prefix}-"))
        atexit.register(self.remove)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Database:
    """A MySQL or MariaDB server. Accounts: root without password, debezium / dbz."""

    def __init__(self, product="mysql", fast=True, gtid="on", extra=""):
        self.product = product
        self.script = TOOLS / f"{product}-server.sh"
        self._options = ["--gtid", gtid] + (["--fast"] if fast else []) + (["--extra", extra] if extra else [])
        self.folder = Folder(product)
        self.start()

    def start(self):
        for attempt in range(3):
            self.port = free_port()
            self.process = Process([self.script, "foreground", "--port", self.port, "--datadir",
                                    self.folder.path / "data", *self._options])
            wait_until(f"{self.product}'s greeting", lambda: not self.process.running() or self._greets(), 600)
            if self.process.running():
                return
        self.process.must_run()

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.settimeout(5)
                return s.recv(5)[4:5] == b"\n"
        except OSError:
            return False

    def client(self, sql, database=None):
        """Runs statements as root in one session; returns the rows as text, columns separated by tabs."""
        command = [self.script, "client", "--port", str(self.port), "-N", "-B"] + ([database] if database else [])
        done = subprocess.run(command, input=sql.encode(), capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{done.stderr.decode().strip()} in: {sql[:300]}")
        return done.stdout.decode()

    def session(self):
        """A client process that takes statements on its input, one a line."""
        return subprocess.Popen([self.script, "client", "--port", str(self.port), "--unbuffered", "-N", "-B"],
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.folder.remove()


class Pulsar:
    """A real Apache Pulsar standalone; `token` is its administrator's, where it asks for one."""

    def __init__(self, configuration="", token=None):
        self._token = token
        self.folder = Folder("pulsar")
        self.port, self.http = free_port(), free_port()
        self.url, self.admin = f"pulsar://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.http}/admin/v2"
        overlay = self.folder.path / "overlay.conf"
        overlay.write_text(configuration + "\n")
        self.data_dir = self.folder.path / "data"
        # The bookie's port is part of its identity in the data folder.
        self._arguments = [TOOLS / "pulsar-standalone.sh", "foreground", "--data", self.data_dir,
                           "--port", self.port, "--http", self.http, "--bookie-port", free_port(), "--overlay", overlay]
        self.start()

    def start(self):
        self.process = Process(self._arguments)
        wait_until("a healthy Pulsar", self._healthy, 600)

    def _healthy(self):
        self.process.must_run()  # the default namespace comes a moment after the first good health check
        return is_healthy(self.admin, self._token) and rest(self.admin, "namespaces/public/default", token=self._token) is not None

    def keep_messages(self, namespace="public/default"):
        """Lets a namespace keep messages that no subscription asks for; otherwise they are dropped before they are read."""
        rest(self.admin, f"namespaces/{namespace}/retention", {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}, "POST", token=self._token)

    def stop(self):
        self.process.kill()
        self.folder.remove()


class Bitacora:
    """`bitacora broker` or `bitacora up` on free ports; `configuration` makes it an `up` with that TOML. `within` is the command
    that runs it, such as one that enters a namespace."""

    def __init__(self, configuration=None, data_dir=None, env=None, within=()):
        self.folder = Folder("up" if configuration else "broker")
        self.data_dir = pathlib.Path(data_dir or self.folder.path / "data")
        self.port, self.http = free_port(), free_port()
        self.url, self.admin = f"pulsar://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.http}/admin/v2"
        self._configuration, self._env, self._within = configuration, env, within
        self.start()

    def start(self):
        addresses = [f"127.0.0.1:{self.port}", f"127.0.0.1:{self.http}"]
        if self._configuration is None:
            arguments = ["broker", "--listen", addresses[0], "--http", addresses[1], "--data-dir", self.data_dir]
        else:
            file = self.folder.path / "bitacora.toml"
            file.write_text(f'data_dir = "{self.data_dir}"\n\n[broker]\nlisten = "{addresses[0]}"\nhttp = "{addresses[1]}"\n\n'
                            + self._configuration)
            arguments = ["up", "-c", file]
        self.process = Process([*self._within, bitacora_binary(), *arguments], env=self._env)
        wait_until("a healthy embedded broker", self._healthy, 60, pause=0.005)

    def _healthy(self):
        self.process.must_run()
        return is_healthy(self.admin)

    def stop(self):
        """Ctrl-C; returns the exit code."""
        code = self.process.stop()
        self.folder.remove()
        return code


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def streaming(process, count=1):
    """Waits until the source of a process has said for the `count`th time that it follows the log."""
    wait_until("the stream", lambda: process.must_run() or process.stdout().count("streaming from") >= count, 60)


def is_healthy(admin, token=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{admin}/brokers/health", headers=bearer(token)), timeout=5) as answer:
            return answer.read().strip() == b"ok"
    except OSError:
        return False


def rest(admin, path, body=None, method=None, token=None):
    """A call of the admin REST; None for 404."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{admin}/{path}", data, {"Content-Type": "application/json", **bearer(token)}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else True
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise RuntimeError(f"{path}: {error.code} {error.read().decode(errors='replace')[:300]}") from None


def topics(admin, namespace="public/default"):
    return sorted(t for t in rest(admin, f"persistent/{namespace}") or [] if "/__" not in t)


def source_toml(database, name, tables, connector=None, snapshot="initial", user="debezium", password="dbz", destination=None):
    """One [[source]] of our own configuration for a server of `Database`."""
    lines = ["[[source]]", f'name = "{name}"', f'topic_prefix = "{name}"', f'snapshot = "{snapshot}"']
    if connector or database.product == "mariadb":
        lines.append(f'connector = "{connector or "mariadb"}"')
    lines += ["", "[source.server]", 'host = "127.0.0.1"', f"port = {database.port}", f'user = "{user}"', f'password = "{password}"',
              "", "[source.tables]", f"include = {json.dumps(tables)}"]
    if destination:
        lines += ["", "[source.destination]", f'url = "{destination}"']
    return "\n".join(lines) + "\n"


def pulsar_io_yaml(template, path, database, url, extra=""):
    """The tutorial's source file with this run's addresses."""
    text = template.read_text().replace("@MYSQL_PORT@", str(database.port)).replace("@SERVICE_URL@", url)
    path.write_text(text.rstrip("\n") + "\n" + extra)
    return path


def localrun(database, broker, folder, name="s", tables="faults.*"):
    """The arguments that run a source of its own process against a broker."""
    config = folder / "source.yaml"
    config.write_text(f"tenant: public\nnamespace: default\nname: {name}\nconfigs:\n"
                      f'  database.hostname: 127.0.0.1\n  database.port: "{database.port}"\n  database.user: debezium\n  database.password: dbz\n'
                      f"  database.server.name: {name}\n  table.include.list: {tables}\n")
    return ["source", "localrun", "--source-config-file", config, "--broker-service-url", broker.url, "--data-dir", folder / "data"]


def percentile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))]


def now_us():
    return time.time_ns() // 1000
