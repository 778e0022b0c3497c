"""Files of a data folder that are gone, empty, overwritten with zeros, or of another time than the others; and the backup that
helps: what was lost is said, with the remedy, and nothing of one topic is ever seen in another."""

import json
import pathlib
import re
import shutil
import stat
import threading

import pulsar
import pytest
from harness import servers, wire
from harness.process import free_port
from harness.servers import Bitacora, streaming
from test_start_refusals import refuses, run

PAGE = 4096


def broker_arguments(folder):
    return "broker", "--listen", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}", "--data-dir", folder


def produce(url, topic, texts):
    client = pulsar.Client(url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    producer = client.create_producer(topic)
    for text in texts:
        producer.send(text.encode())
    client.close()


def texts(running, topic):
    return [message["payload"] for message in wire.dump(running.url, f"persistent://public/default/{topic}", 1.5)]


@pytest.fixture
def three_topics(tmp_path):
    """The data folder of a broker that was stopped, with three messages in each of three topics."""
    running = Bitacora(data_dir=tmp_path / "data")
    for topic in ("salaries", "news", "orders"):
        produce(running.url, topic, [f"{topic}-{i}" for i in range(3)])
    assert running.stop() == 0
    return tmp_path / "data"


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_logs_without_metadata_are_not_given_to_new_topics(three_topics, how):
    """New topics got the old logs by their numbers: `public-page` showed the messages of `salaries`."""
    file = three_topics / "metadata.redb"
    file.unlink()
    if how == "empty":
        file.touch()
    refuses(run(*broker_arguments(three_topics)), "metadata.redb", "backup", "repair")
    file.unlink(missing_ok=True)
    code, told = run("repair", "--data-dir", three_topics)
    assert code == 0, told
    running = Bitacora(data_dir=three_topics)
    produce(running.url, "public-page", ["hello"])
    produce(running.url, "orders", ["orders-new"])
    assert texts(running, "public-page") == ["hello"]
    assert texts(running, "orders") == ["orders-0", "orders-1", "orders-2", "orders-new"]
    assert texts(running, "salaries") == ["salaries-0", "salaries-1", "salaries-2"]
    assert running.stop() == 0


def test_metadata_older_than_the_logs_do_not_give_numbers_again(three_topics, tmp_path):
    shutil.copy(three_topics / "metadata.redb", tmp_path / "older.redb")
    running = Bitacora(data_dir=three_topics)
    produce(running.url, "later", ["later-0"])
    assert running.stop() == 0
    shutil.copy(tmp_path / "older.redb", three_topics / "metadata.redb")
    running = Bitacora(data_dir=three_topics)
    assert re.search(r"holds the log of persistent://public/default/later .*repair", running.process.stderr())
    produce(running.url, "newest", ["newest-0"])
    assert texts(running, "newest") == ["newest-0"]
    assert running.stop() == 0


@pytest.mark.parametrize("harm", ["metadata", "topics", "segment"])
def test_what_is_gone_is_said(three_topics, harm):
    orders = three_topics / "topics" / f"{2:016x}"
    if harm == "metadata":
        whole = (three_topics / "metadata.redb").read_bytes()
        (three_topics / "metadata.redb").write_bytes(whole[:PAGE] + bytes(len(whole) - PAGE))
        refuses(run(*broker_arguments(three_topics)), "metadata.redb", "damaged", "repair")
        return
    if harm == "topics":
        shutil.rmtree(three_topics / "topics")
    else:
        for segment in orders.iterdir():
            segment.write_bytes(segment.read_bytes()[:-40])
    running = Bitacora(data_dir=three_topics)
    produce(running.url, "orders", ["orders-new"])
    kept = 0 if harm == "topics" else 2
    assert texts(running, "orders") == [f"orders-{i}" for i in range(kept)] + ["orders-new"]
    assert re.search(r"the log ends before what was durable.*orders|orders.*the log ends before what was durable", running.process.stderr())
    assert running.stop() == 0


@pytest.fixture(scope="module")
def numbers():
    server = servers.Database("mysql")
    server.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200)); INSERT INTO faults.t VALUES (1, 'a')")
    yield server
    server.stop()


def source(database):
    return servers.source_toml(database, "s", ["faults.t"])


def captured(running):
    """Ids of all events, in order."""
    found = []
    for message in wire.dump(running.url, "persistent://public/default/s.faults.t", 2):
        if message.get("payload"):
            found.append(json.loads(message["payload"])["after"]["id"])
    return found


def committed(database):
    return [int(line) for line in database.client("SELECT id FROM faults.t ORDER BY id").splitlines()]


@pytest.mark.parametrize("page", ["some", "all"])
def test_zeros_in_a_checkpoint_end_the_process_with_a_sentence(numbers, page):
    """The library that reads it panicked; the process stayed for ever without capture."""
    running = Bitacora(source(numbers))
    streaming(running.process)
    assert running.process.stop() == 0
    file = running.data_dir / "sources/s/checkpoint.redb"
    whole = file.read_bytes()
    start, end = (7 * PAGE, 11 * PAGE) if page == "some" else (0, len(whole))
    file.write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    refuses(run("up", "-c", running.folder.path / "bitacora.toml"), "checkpoint.redb", "damaged", "backup")
    running.folder.remove()


def test_a_backup_under_load_starts_again_and_nothing_is_lost_or_repeated(numbers, tmp_path):
    running = Bitacora(source(numbers))
    streaming(running.process)
    stop = threading.Event()

    def load():
        with numbers.session() as session:
            while not stop.is_set():
                session.stdin.write(b"INSERT INTO faults.t (v) VALUES ('one'), ('two'), ('three');\n")
                session.stdin.flush()

    loading = threading.Thread(target=load)
    loading.start()
    try:
        for name in ("first", "second"):
            code, told = run("backup", tmp_path / name, "--data-dir", running.data_dir)
            assert code == 0, told
    finally:
        stop.set()
        loading.join()
    code, told = run("backup", tmp_path / "first", "--data-dir", running.data_dir)
    assert code == 1 and "not empty" in told[-1], told
    assert running.process.stop() == 0
    # An older checkpoint in front of the same log: what is read again is known to be there.
    shutil.rmtree(running.data_dir / "sources")
    shutil.copytree(tmp_path / "first/sources", running.data_dir / "sources")
    running.start()
    streaming(running.process)
    numbers.client("INSERT INTO faults.t (v) VALUES ('last')")
    wait_for(running, numbers)
    assert running.stop() == 0
    # The whole folder: the source goes on where the copy ends.
    for path in [tmp_path / "second", *(tmp_path / "second").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    restored = Bitacora(source(numbers), data_dir=tmp_path / "second")
    wait_for(restored, numbers)
    assert "ERROR" not in restored.process.stderr(), restored.process.stderr()
    assert restored.stop() == 0


def wait_for(running, database):
    """Waits for the newest row; then every row must be there once and in order."""
    expected = committed(database)
    servers.wait_until("the newest row", lambda: running.process.must_run() or captured(running)[-1:] == expected[-1:], 60)
    assert captured(running) == expected


def test_a_backup_that_was_cut_off_is_not_started_from(three_topics, tmp_path):
    code, told = run("backup", tmp_path / "copy", "--data-dir", three_topics)
    assert code == 0, told
    running = Bitacora(data_dir=tmp_path / "copy")
    assert texts(running, "news") == ["news-0", "news-1", "news-2"]
    assert running.stop() == 0
    pathlib.Path(tmp_path / "copy/UNFINISHED-BACKUP").touch()
    refuses(run(*broker_arguments(tmp_path / "copy")), "not finished", "another backup")
