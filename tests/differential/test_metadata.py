"""Twins: the same random workload on a server with `binlog_row_metadata=FULL` and on one in its default state. Every event is equal.

Which columns a row has is told by the log of the first; of the second it follows from the descriptions. BITACORA_DIFFERENTIAL is how many
seeds run (`make differential SEEDS=`), BITACORA_SEED the first of them.
"""

import json
import os

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import streaming
from workload import Workload

SEEDS = int(os.environ.get("BITACORA_DIFFERENTIAL", "1"))
FIRST = int(os.environ.get("BITACORA_SEED", "1"))
STEPS = int(os.environ.get("BITACORA_STEPS", "25"))
# What differs between any two runs: when and where something was written.
OF_THE_RUN = {"ts_ms", "ts_us", "ts_ns", "pos", "file", "gtid", "server_id", "thread"}


class Twins:
    def __init__(self, product):
        default = "MINIMAL" if product == "mysql" else "NO_LOG"
        self.product = product
        self.servers = [servers.Database(product), servers.Database(product, extra=f"--binlog-row-metadata={default}")]
        self.number = 0

    def stop(self):
        for server in self.servers:
            server.stop()

    def run(self, sql):
        """Runs a statement on both; false if both refuse it."""
        said = []
        for server in self.servers:
            try:
                server.client(sql, self.database)
                said.append(None)
            except RuntimeError as error:
                said.append(str(error))
        assert (said[0] is None) == (said[1] is None), (sql, said)
        return said[0] is None

    def columns_of(self, table):
        text = self.servers[0].client(
            "SELECT column_name, data_type, CONCAT(column_type, IF(is_nullable = 'NO' AND column_default IS NULL, '!', '')) FROM information_schema.columns "
            f"WHERE table_schema = '{self.database}' AND table_name = '{table}' AND extra NOT LIKE '%GENERATED%' ORDER BY ordinal_position")
        return [tuple(line.split("\t")) for line in text.splitlines()]


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def twins(request):
    twins = Twins(request.param)
    yield twins
    twins.stop()


def events(broker, prefix):
    """All messages by topic, without what belongs to the run."""
    found = {}
    for topic in servers.topics(broker.admin):
        messages = []
        for message in wire.dump(broker.url, topic):
            value = json.loads(message["value"]) if message.get("value") else None
            for part in (value, (value or {}).get("source")):
                for name in OF_THE_RUN & set(part or {}):
                    part[name] = None
            messages.append((message.get("partition_key"), value))
        found[topic] = messages
    return found


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_every_event_is_equal(twins, seed):
    twins.number += 1
    twins.database = f"d{seed}"
    for server in twins.servers:
        server.client(f"CREATE DATABASE d{seed}")
    workload = Workload(seed, twins.product, twins.columns_of, twins.run)
    workload.begin()
    configurations = [servers.source_toml(server, "s", [f"d{seed}.*"]) for server in twins.servers]
    engines = [servers.Bitacora('schema_compatibility_strategy = "ALWAYS_COMPATIBLE"\n\n' + text) for text in configurations]
    try:
        for engine in engines:
            streaming(engine.process)
        for step in range(STEPS):
            workload.step()
            if workload.random.random() < 0.1:
                for engine in engines:
                    engine.process.kill()
                workload.step()
                for engine in engines:
                    engine.start()
        twins.run("CREATE TABLE last_ (id INT PRIMARY KEY); INSERT INTO last_ VALUES (1)")
        last = f"persistent://public/default/s.d{seed}.last_"
        for engine in engines:
            wait_until("the last event", lambda: engine.process.must_run() or last in servers.topics(engine.admin) and wire.dump(engine.url, last), 60)
        full, default = (events(engine, "s") for engine in engines)
        assert full.keys() == default.keys()
        for topic, messages in full.items():
            for number, (one, other) in enumerate(zip(messages, default[topic])):
                assert one == other, (topic, number)
            assert len(messages) == len(default[topic]), topic
        assert sum(map(len, full.values())) > 2 * STEPS
    finally:
        for engine in engines:
            engine.stop()
