"""Figures of broker and sources, as the official Prometheus parser reads them."""

import time
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from harness import servers
from harness.process import Process, free_port, wait_until

TOPIC = "persistent://public/default/shop.shop.orders"


@pytest.fixture
def database():
    server = servers.Database("mysql")
    server.client("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1), (2)")
    yield server
    server.stop()


class Figures:
    """What one scrape gave."""

    def __init__(self, address):
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
            families = list(text_string_to_metric_families(answer.read().decode()))
        self.samples = {(sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples}
        assert all(family.documentation and family.type in ("counter", "gauge") for family in families)

    def source(self, name):
        return self.samples[f"bitacora_source_{name}", ("source", "shop")]

    def state(self):
        states = {dict(labels)["state"]: value for (name, *labels), value in self.samples.items() if name == "bitacora_source_state"}
        if not states:
            return None  # the broker's page is there a moment before its process starts the source
        assert sorted(states.values()) == [0, 0, 0, 0, 0, 1], states
        return next(state for state, value in states.items() if value)

    def prefixes(self):
        return {name.partition("_")[0] for name, *_ in self.samples}


def follows_and_counts(address, database):
    wait_until("the stream", lambda: Figures(address).state() == "streaming", 60)
    database.client("INSERT INTO shop.orders VALUES (3); INSERT INTO shop.orders VALUES (4), (5); DELETE FROM shop.orders WHERE id = 1")
    wait_until("the rows", lambda: Figures(address).source("rows_total") == 4)
    figures = Figures(address)
    assert figures.source("snapshot_rows_total") == 2
    assert figures.source("messages_total") >= 4 and figures.source("events_total") > 4 and figures.source("event_bytes_total") > 100
    assert figures.source("dead_letters_total") == figures.source("repeated_messages_total") == figures.source("reconnects_total") == 0
    assert abs(time.time() - figures.source("last_commit_timestamp_seconds")) < 60
    assert 0 <= figures.source("commit_lag_seconds") < 60
    return figures


def test_one_page_for_broker_and_sources(database):
    running = servers.Bitacora(servers.source_toml(database, "shop", ["shop.orders"]))
    address = f"127.0.0.1:{running.http}"
    figures = follows_and_counts(address, database)
    assert figures.prefixes() == {"bitacora", "pulsar"}
    # A deleted row is two messages.
    wait_until("every message", lambda: Figures(address).samples["pulsar_in_messages_total", ("topic", TOPIC)] == 2 + 3 + 2)
    assert figures.samples["pulsar_producers_count", ("topic", TOPIC)] == 1
    assert running.stop() == 0


def test_a_page_of_its_own_tells_when_the_server_is_away(database, tmp_path):
    broker = servers.Bitacora()
    address, arguments = f"127.0.0.1:{free_port()}", [servers.bitacora_binary(), *servers.localrun(database, broker, tmp_path, "shop", "shop.*")]
    process = Process(arguments, env={"BITACORA_METRICS_LISTEN": address})
    wait_until("the page", lambda: process.must_run() or f"metrics: http://{address}/metrics" in process.stdout())
    assert follows_and_counts(address, database).prefixes() == {"bitacora"}

    (tmp_path / "other").mkdir()
    second = Process([arguments[0], *servers.localrun(database, broker, tmp_path / "other", "shop", "shop.*"), "--metrics-listen", address])
    assert second.wait() == 1 and "cannot be used for the metrics" in second.stderr(), second.stderr()

    database.process.terminate()
    wait_until("the state", lambda: Figures(address).state() == "waiting", 30)
    assert process.stop() == 0, process.stderr()
    assert broker.stop() == 0
