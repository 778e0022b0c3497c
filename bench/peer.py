"""The peer: the real Debezium engine in a JVM of its own (bench/peer), with a consumer that only counts."""

import json
import pathlib
import shutil
import subprocess

from harness.process import ROOT, Process

FOLDER = ROOT / "bench/peer"
VERSION = "3.6.1"


def build():
    subprocess.run([ROOT / "tools/maven-env.sh"], check=True, stdout=subprocess.DEVNULL)
    if not (FOLDER / "target/lib").is_dir() or not (FOLDER / "target/classes/bitacora/bench/Peer.class").is_file():
        print("peer: building with Maven (once)", flush=True)
        subprocess.run(["mvn", "-q", "-B", "compile", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
                        "-DincludeScope=runtime", "-DoutputDirectory=target/lib"], cwd=FOLDER, check=True)


class Peer:
    """One configuration of the engine; `state` holds its offsets and schema history."""

    def __init__(self, database, folder, heap="1g", options=None):
        self.folder = pathlib.Path(folder)
        self.heap = heap
        self.config = {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector", "database.hostname": "127.0.0.1",
            "database.port": database.port, "database.user": "debezium", "database.password": "dbz", "database.server.id": 7001,
            "topic.prefix": "srv", "table.include.list": "perf.orders", "converter.schemas.enable": "false",
            "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false", **(options or {})}

    def start(self, events, state, orderly=False, seconds=900):
        config = self.folder / "peer.properties"
        config.write_text("".join(f"{key}={value}\n" for key, value in self.config.items()))
        classes = f"{FOLDER / 'target/classes'}:{FOLDER / 'target/lib'}/*"
        return Process(["java", f"-Xmx{self.heap}", "-XX:+UseG1GC", f"-Dorderly={'true' if orderly else 'false'}",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classes, "bitacora.bench.Peer", config, state, events, seconds])

    def run(self, events, primed=None):
        """A timed run, from a copy of a stored position if one is given; returns the report of Peer.java."""
        state = self.folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        if primed:
            shutil.copytree(primed, state)
        return self.finish(self.start(events, state))

    def finish(self, process):
        if process.wait(1000):
            raise RuntimeError(f"the peer failed: {process.stderr()[-1500:]}")
        return json.loads(process.stdout().strip().splitlines()[-1])

    def prime(self, insert_row):
        """Stores a position: streams until one row has arrived, and closes in order. `insert_row` commits a row."""
        state = self.folder / "primed"
        process = self.start(1, state, orderly=True, seconds=120)
        while process.running():
            insert_row()
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                continue
        self.finish(process)
        return state
