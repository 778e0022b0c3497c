"""The topics of a real Pulsar are deleted, truncated, or put back from an older copy of its data."""

import shutil
import urllib.request

import pytest
from harness import servers
from test_identity import Table

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def database():
    server = servers.Database("mysql")
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["true", "false"], ids=["deduplication", "no deduplication"])
def pulsar(request):
    running = servers.Pulsar(f"brokerDeduplicationEnabled={request.param}\nbrokerDeleteInactiveTopicsEnabled=false")
    running.suffix = request.param
    yield running
    running.stop()


def admin(pulsar, path, method="DELETE"):
    urllib.request.urlopen(urllib.request.Request(f"{pulsar.admin}/{path}", method=method), timeout=30).read()


def test_an_ordinary_start_sends_nothing_again_and_a_deleted_topic_gets_all(database, pulsar, tmp_path):
    table = Table(database, f"deleted_{pulsar.suffix}")
    table.run(pulsar.url, tmp_path / "e", 5)
    told = table.run(pulsar.url, tmp_path / "e", 5)
    assert "goes back" not in told and table.read(pulsar.url) == table.ids, told
    admin(pulsar, f"persistent/public/default/{table.name}.{table.name}.t?force=true")
    told = table.run(pulsar.url, tmp_path / "e", 5)
    assert "goes back in the log" in told and table.read(pulsar.url) == table.ids, told


def test_a_truncated_topic_counts_as_consumed(database, pulsar, tmp_path):
    table = Table(database, f"truncated_{pulsar.suffix}")
    table.run(pulsar.url, tmp_path / "e", 5)
    admin(pulsar, f"persistent/public/default/{table.name}.{table.name}.t/truncate")
    table.run(pulsar.url, tmp_path / "e", 5)
    rows = table.read(pulsar.url)
    assert rows[-5:] == table.ids[5:] and len(rows) == len(set(rows)), rows


def test_an_older_copy_of_the_brokers_data_gets_again_what_it_lacks(database, pulsar, tmp_path):
    table = Table(database, f"restored_{pulsar.suffix}")
    table.run(pulsar.url, tmp_path / "e", 5)
    pulsar.process.stop(240)
    shutil.copytree(pulsar.data_dir, tmp_path / "copy")
    pulsar.start()
    table.run(pulsar.url, tmp_path / "e", 10)
    pulsar.process.stop(240)
    shutil.rmtree(pulsar.data_dir)
    shutil.copytree(tmp_path / "copy", pulsar.data_dir)
    pulsar.start()
    told = table.run(pulsar.url, tmp_path / "e", 5)
    assert "goes back in the log" in told and table.read(pulsar.url) == table.ids, told
