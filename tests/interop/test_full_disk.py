"""A disk that was full for a while costs that while: the metadata are written again without a new start."""

import os
import subprocess
import time

import pulsar
import pytest

from harness import servers

NAMESPACE = "persistent/public/default"


def fill(path):
    """Takes all the space that is left."""
    with open(path, "wb", buffering=0) as filler:
        with pytest.raises(OSError):
            while True:
                filler.write(os.urandom(4096))


def test_metadata_and_cursors_are_written_again_after_a_full_disk(tmp_path):
    """A small file system of its own, which needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], check=True)
    try:
        running = servers.Bitacora(data_dir=disk / "data")
        connection = pulsar.Client(running.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        topic = "persistent://public/default/t"
        consumer = connection.subscribe(topic, "s", initial_position=pulsar.InitialPosition.Earliest)
        producer = connection.create_producer(topic, batching_enabled=False)
        for payload in (b"a", b"b", b"c"):
            producer.send(payload)

        fill(disk / "filler")
        with pytest.raises(RuntimeError, match="500"):
            for i in range(2_000):
                servers.rest(running.admin, f"{NAMESPACE}/refused-{i}", method="PUT")
        consumer.acknowledge(consumer.receive(10_000))
        (disk / "filler").unlink()
        servers.rest(running.admin, f"{NAMESPACE}/created", method="PUT")
        consumer.acknowledge(consumer.receive(10_000))
        consumer.close()  # makes the position durable
        connection.close()
        running.process.kill()

        running.start()
        assert "persistent://public/default/created" in servers.rest(running.admin, NAMESPACE)
        connection = pulsar.Client(running.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        assert connection.subscribe(topic, "s").receive(10_000).data() == b"c"
        connection.close()
        assert running.stop() == 0
    finally:
        time.sleep(0.1)
        subprocess.run(["umount", "-l", disk], check=True)
