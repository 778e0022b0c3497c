"""Ours: `bitacora up` with the embedded broker; a consumer on the binary protocol counts what arrives, after it is durable."""

import json
import shutil
import time

from harness import servers, wire
from harness.process import wait_until

NAME = "srv"
TOPIC = f"persistent://public/default/{NAME}.perf.orders"


class Ours:
    def __init__(self, database, folder):
        self.folder = folder
        self.database = database

    def up(self, data_dir, snapshot):
        return servers.Bitacora(servers.source_toml(self.database, NAME, ["perf.orders"], snapshot=snapshot), data_dir=data_dir)

    def prime(self, insert_row):
        """Stores a position: streams until one row has arrived, and closes in order. Returns data folder and message count."""
        data_dir = self.folder / "primed"
        running = self.up(data_dir, "no_data")
        stream = wire.TopicStream(running.url, TOPIC)

        def arrived():
            insert_row()
            return stream.entry(0.5)

        entry, count = wait_until("the first row", arrived, 60), 0
        while entry is not None:
            count += dict(wire.decode_message(entry[1])).get(11, 1)
            entry = stream.entry(1)
        stream.close()
        assert running.stop() == 0, running.process.stderr()
        return data_dir, count

    def run(self, events, primed=None, skip=0):
        """A timed run until `events` messages have arrived; the first `skip` are old ones."""
        data_dir = self.folder / "run"
        shutil.rmtree(data_dir, ignore_errors=True)
        if primed:
            shutil.copytree(primed, data_dir)
        running = self.up(data_dir, "initial" if primed is None else "no_data")
        stream = wire.TopicStream(running.url, TOPIC)
        count = size = 0
        first = last = None
        while count < skip + events:
            entry = stream.entry(60)
            if entry is None:
                running.process.must_run()
                raise TimeoutError(f"{count} of {skip + events} messages, then nothing for 60 s: {running.process.stderr()[-800:]}")
            fields = dict(wire.decode_message(entry[1]))
            count += fields.get(11, 1)
            if count > skip:
                last = time.monotonic()
                first = first or last
                size += fields.get(9, len(entry[2]))
        report = {"events": events, "rate": events / max(last - first, 1e-6), "event_bytes": size // events,
                  "start_ms": (first - running.process.started) * 1000, "peak_bytes": running.process.peak_bytes(),
                  "cpu_s": running.process.cpu_seconds()}
        stream.close()
        running.stop()
        shutil.rmtree(data_dir, ignore_errors=True)
        return report

    def latencies(self, count, write):
        """Milliseconds from the commit (source.ts_us, the server's clock) to this consumer, and the report of memory."""
        data_dir = self.folder / "latency"
        running = self.up(data_dir, "no_data")
        stream = wire.TopicStream(running.url, TOPIC)
        # A row that is committed before the first position is not asked for.
        wait_until("the stream", lambda: "streaming" in running.process.stderr(), 60)
        writer = write()
        found = []
        while len(found) < count:
            entry = stream.entry(30)
            now = servers.now_us()
            if entry is None:
                raise TimeoutError(f"{len(found)} of {count} messages: {running.process.stderr()[-800:]}")
            for message in wire.messages(TOPIC, *entry):
                found.append((now - json.loads(message["payload"])["source"]["ts_us"]) / 1000)
        writer.join()
        peak = running.process.peak_bytes()
        stream.close()
        running.stop()
        shutil.rmtree(data_dir, ignore_errors=True)
        return {"p50_ms": servers.percentile(found, 0.5), "p99_ms": servers.percentile(found, 0.99), "peak_bytes": peak}
