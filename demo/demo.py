#!/usr/bin/env python3
"""`make demo`: the tutorial's database on a private MariaDB, the embedded broker and the source in one process, a few changes
a second, and the events as a client sees them. Ctrl-C ends everything. With --check it runs unattended and verifies what arrived.
"""

import argparse
import json
import pathlib
import random
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pulsar

from harness import servers
from harness.process import Process, wait_until

TOPIC = "public/default/aeroalpesdb.reservas.usuarios_legado"
NAMES = ["Ana", "Luis", "Eva", "Óscar", "Íñigo", "Begoña", "Tomás", "Lucía"]
SURNAMES = ["Gómez Ñandú", "Pérez", "Ruiz", "Muñoz", "Ibáñez", "Peña"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="unattended: 20 changes, verify, exit")
    check = parser.parse_args().check
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    print("Starting a private MariaDB with the tutorial's database …", flush=True)
    database = servers.Database("mariadb")
    running = consumer = None
    try:
        database.client("CREATE DATABASE reservas CHARACTER SET utf8mb4")
        database.client((ROOT / "demo/usuarios_legado.sql").read_text(), "reservas")
        print("Starting the broker and the source …", flush=True)
        running = servers.Bitacora(servers.source_toml(database, "aeroalpesdb", [r"reservas\..*"]))
        consumer = Process([servers.bitacora_binary(), "client", "--url", running.url, "consume", "-s", "sub-datos", "-p", "Earliest", "-n", "0", TOPIC])
        if check:
            return verify(database, running, consumer)
        watch(database, running, consumer)
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
    finally:
        if consumer:
            consumer.stop()
        code = running.stop() if running else 0
        database.stop()
    if code:
        print(f"bitacora ended with exit code {code}", file=sys.stderr)
    return code


def watch(database, running, consumer):
    print(f"""
The events below are the output of
    bitacora client --url {running.url} consume -s sub-datos -p Earliest -n 0 {TOPIC}
Look with a client of your own, in any language, for example in Python (pip install pulsar-client):
    import pulsar
    reader = pulsar.Client("{running.url}").create_reader("{TOPIC}", pulsar.MessageId.earliest)
    while True: print(reader.read_next().data().decode())
Change rows yourself:
    tools/mariadb-server.sh client --port {database.port} reservas
Topics:  curl {running.admin}/persistent/public/default
Ctrl-C ends everything that was started here.
""", flush=True)
    wait_until("the rows of the snapshot", lambda: consumer.stdout().count('"op":"r"') == 2, 60)
    changes, shown, due = Changes(database), 0, time.monotonic()
    while True:
        for process in (running.process, consumer):
            process.must_run()
        output = consumer.stdout()
        sys.stdout.write(output[shown:])
        sys.stdout.flush()
        shown = len(output)
        if time.monotonic() >= due:
            changes.one()
            due += 0.5
        time.sleep(0.05)


def verify(database, running, consumer):
    """The two rows of the snapshot and 20 changes arrive once each, in order, at our client and at the official one."""
    connection = pulsar.Client(running.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    official = connection.subscribe(TOPIC, "check", initial_position=pulsar.InitialPosition.Earliest)

    def take(count):
        out = []
        while len(out) < count:
            message = official.receive(30_000)
            if message.data():  # a tombstone follows each delete
                out.append(json.loads(message.data()))
            official.acknowledge(message)
        return out

    snapshot = take(2)
    assert [(e["op"], e["after"]["nombres"]) for e in snapshot] == [("r", "Ana"), ("r", "Luis")], snapshot
    changes = Changes(database)
    expected = [changes.one() for _ in range(20)]
    arrived = [(e["op"], (e["after"] or e["before"])["id"], (e["after"] or {}).get("telefono")) for e in take(20)]
    assert arrived == expected, f"\narrived  {arrived}\nexpected {expected}"
    try:
        while not (extra := official.receive(300)).data():
            official.acknowledge(extra)
        raise AssertionError(f"one event too many: {extra.data()}")
    except pulsar.Timeout:
        pass
    connection.close()
    wait_until("our client's output", lambda: consumer.stdout().count('"op":') >= 22, 20)
    print("demo: the snapshot and 20 changes arrived, once each and in order")
    return 0


class Changes:
    """Makes one change after the other and says what event it gives: (op, id, telefono)."""

    def __init__(self, database):
        self.database, self.random, self.ids, self.last = database, random.Random(1), [1, 2], 2

    def one(self):
        r = self.random
        telephone = f"3{r.randrange(10**9):09d}"
        choice = r.randrange(10)
        if choice < 4 or len(self.ids) < 2:
            self.last += 1
            key = self.last
            self.ids.append(key)
            name, surname = r.choice(NAMES), r.choice(SURNAMES)
            self.run(f"INSERT INTO usuarios_legado VALUES ({key}, '{name}', '{surname}', 'Calle {r.randrange(1, 170)} # {r.randrange(1, 99)}-"
                     f"{r.randrange(1, 99)}', '{telephone}', '{name.lower()}{key}@example.com', 'secreta')")
            return "c", key, telephone
        key = r.choice(self.ids)
        if choice < 9:
            self.run(f"UPDATE usuarios_legado SET telefono = '{telephone}' WHERE id = {key}")
            return "u", key, telephone
        self.ids.remove(key)
        self.run(f"DELETE FROM usuarios_legado WHERE id = {key}")
        return "d", key, None

    def run(self, sql):
        self.database.client(sql, "reservas")


if __name__ == "__main__":
    sys.exit(main())
