"""One of the three, server log, checkpoint or topic, is replaced by another, an older or a newer one: nothing is lost in silence."""

import json
import shutil

import pytest
from harness import servers, wire
from harness.process import Process, wait_until
from harness.servers import bitacora_binary, localrun, streaming


@pytest.fixture(scope="module")
def database():
    server = servers.Database("mysql")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def broker():
    running = servers.Bitacora()
    yield running
    running.stop()


class Table:
    """A captured table with an engine for each data folder; knows which ids were inserted."""

    def __init__(self, database, name):
        self.database, self.name, self.ids = database, name, []
        database.client(f"CREATE DATABASE {name}; CREATE TABLE {name}.t (id INT PRIMARY KEY)")

    def insert(self, count):
        new = list(range(len(self.ids) + 1, len(self.ids) + count + 1))
        self.database.client("".join(f"INSERT INTO {self.name}.t VALUES ({i});" for i in new))
        self.ids += new
        return new

    def start(self, url, folder, extra=""):
        folder.mkdir(exist_ok=True)
        arguments = localrun(self.database, type("Broker", (), {"url": url}), folder, self.name, rf"{self.name}\..*")
        with (folder / "source.yaml").open("a") as file:
            file.write(extra)
        return Process([bitacora_binary(), *arguments])

    def engine(self, url, folder, extra=""):
        process = self.start(url, folder, extra)
        streaming(process)
        return process

    def read(self, url):
        """The ids of the topic's events in their order."""
        messages = wire.dump(url, f"persistent://public/default/{self.name}.{self.name}.t", 1)
        return [json.loads(m["payload"])["after"]["id"] for m in messages if m.get("payload")]

    def arrive(self, url, ids):
        wait_until("the rows in the topic", lambda: set(ids) <= set(self.read(url)), 30, pause=0.2)

    def run(self, url, folder, count, extra=""):
        """Lets an engine send new rows; returns what it wrote on its standard error."""
        process = self.engine(url, folder, extra)
        self.arrive(url, self.insert(count))
        assert process.stop() == 0, process.stderr()
        return process.stderr()


def checkpoint_of(folder):
    return next((folder / "data").rglob("checkpoint.redb"))


def test_a_second_engine_of_the_same_name_loses_no_row_of_the_first(database, broker, tmp_path):
    """The second engine's ids were above those of the first: every later row of the first was dropped as "repeated"."""
    table = Table(database, "namesake")
    first, second = tmp_path / "first", tmp_path / "second"
    table.run(broker.url, first, 3)
    told = table.run(broker.url, second, 3)
    assert "a second engine of that name" in told and "bitacora-namesake@" in told, told
    told = table.run(broker.url, first, 3)
    assert "a second engine of that name" in told and "bitacora-namesake@" in told, told
    table.run(broker.url, first, 3)
    assert set(table.read(broker.url)) == set(table.ids)
    # Both at once: the one that is fenced out names the other.
    held = table.engine(broker.url, first)
    table.arrive(broker.url, table.insert(1))
    intruder = table.engine(broker.url, second, '  database.server.id: "4711"\n')
    table.arrive(broker.url, table.insert(1))
    table.insert(1)
    assert held.wait(60) != 0
    assert "has taken over topic namesake.namesake.t" in held.stderr() and "the producer bitacora-namesake@" in held.stderr(), held.stderr()
    intruder.stop()


def test_an_older_checkpoint_of_the_same_base_sends_nothing_twice(database, broker, tmp_path):
    table = Table(database, "older")
    table.run(broker.url, tmp_path / "e", 5)
    shutil.copy(checkpoint_of(tmp_path / "e"), tmp_path / "old.redb")
    table.run(broker.url, tmp_path / "e", 5)
    shutil.copy(tmp_path / "old.redb", checkpoint_of(tmp_path / "e"))
    table.run(broker.url, tmp_path / "e", 5)
    assert table.read(broker.url) == table.ids


def test_a_checkpoint_of_before_a_new_snapshot_loses_no_row(database, broker, tmp_path):
    """Ids that a new snapshot began with were above all of the old checkpoint: 23 of 23 rows were dropped, also after restarts."""
    table = Table(database, "former")
    table.run(broker.url, tmp_path / "e", 5)
    shutil.copy(checkpoint_of(tmp_path / "e"), tmp_path / "old.redb")
    checkpoint_of(tmp_path / "e").unlink()
    table.run(broker.url, tmp_path / "e", 5)
    shutil.copy(tmp_path / "old.redb", checkpoint_of(tmp_path / "e"))
    table.run(broker.url, tmp_path / "e", 20)
    table.run(broker.url, tmp_path / "e", 3)
    rows = table.read(broker.url)
    assert set(rows) == set(table.ids)
    assert [i for i in rows if i > 10] == table.ids[10:]


@pytest.fixture
def own_broker():
    """A broker whose data are put back from a copy."""
    running = servers.Bitacora()
    yield running
    running.stop()


def copy_of(running, folder):
    """Copies the data of a broker at rest; it runs again afterwards."""
    assert running.process.stop() == 0
    shutil.copytree(running.data_dir, folder)
    running.start()


def put_back(running, folder):
    running.process.stop()
    shutil.rmtree(running.data_dir)
    shutil.copytree(folder, running.data_dir)
    running.start()


def test_a_broker_older_than_the_checkpoint_gets_again_what_it_lacks(database, own_broker, tmp_path):
    """Messages between the copy and the checkpoint were gone without a word."""
    running, table = own_broker, Table(database, "restored")
    table.run(running.url, tmp_path / "e", 5)
    copy_of(running, tmp_path / "copy")
    table.run(running.url, tmp_path / "e", 5)
    table.run(running.url, tmp_path / "e", 5)
    put_back(running, tmp_path / "copy")
    told = table.run(running.url, tmp_path / "e", 5)
    assert "restored.restored.t ends with sequence id" in told and "goes back in the log" in told, told
    assert table.read(running.url) == table.ids
    # While the engine is connected.
    engine = table.engine(running.url, tmp_path / "e")
    table.arrive(running.url, table.insert(5))
    put_back(running, tmp_path / "copy")
    table.arrive(running.url, table.insert(1))
    wait_until("all rows", lambda: table.read(running.url) == table.ids, 30, pause=0.2)
    assert engine.stop() == 0, engine.stderr()


def test_a_topic_without_its_messages_gets_them_again(database, own_broker, tmp_path):
    running, table = own_broker, Table(database, "emptied")
    table.run(running.url, tmp_path / "e", 0)
    copy_of(running, tmp_path / "empty")
    table.run(running.url, tmp_path / "e", 5)
    table.run(running.url, tmp_path / "e", 5)
    put_back(running, tmp_path / "empty")
    told = table.run(running.url, tmp_path / "e", 5)
    assert "emptied.emptied.t has none of the changes" in told, told
    assert table.read(running.url) == table.ids


def test_messages_that_the_log_does_not_have_are_asked_for(database, own_broker, tmp_path):
    """Rows of the snapshot, and a log that was purged: an error that names topic, ids and remedy; when_needed reads them again."""
    running, table = own_broker, Table(database, "asked")
    copy_of(running, tmp_path / "empty")
    table.insert(3)
    table.run(running.url, tmp_path / "e", 2)
    put_back(running, tmp_path / "empty")
    engine = table.start(running.url, tmp_path / "e")
    assert engine.wait(60) != 0
    assert "of the messages of the snapshot up to" in engine.stderr() and "put the topic's messages back" in engine.stderr(), engine.stderr()
    table.run(running.url, tmp_path / "e", 2, "  snapshot.mode: when_needed\n")
    assert set(table.read(running.url)) == set(table.ids)


def test_messages_that_were_deleted_on_purpose_are_not_asked_for_again(database, own_broker, tmp_path):
    """`lost_messages = "accept"` goes on where the checkpoint stands, and is needed once."""
    running, table = own_broker, Table(database, "accepted")
    copy_of(running, tmp_path / "empty")
    table.insert(3)
    table.run(running.url, tmp_path / "e", 2)
    put_back(running, tmp_path / "empty")
    told = table.run(running.url, tmp_path / "e", 2, "  bitacora.lost.messages: accept\n")
    assert "goes on without the messages that were deleted" in told, told
    told = table.run(running.url, tmp_path / "e", 2)
    assert "accepted.accepted.t" not in told and table.read(running.url) == table.ids[-4:], told
