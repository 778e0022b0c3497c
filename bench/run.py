#!/usr/bin/env python3
"""`make bench`: measures the build that is handed out (`make release`) on a real MySQL and writes the table into bench/README.md.

--peer runs the real Debezium engine in turn with ours on the same server and prints the ratios; --quick does a tenth of the work.
A figure is the median of --runs runs (3), which stand behind it in brackets; `SELECT *` and dump are medians too. One run each: the
peer with a small heap, and the peer's latencies. Decode and encode is the median of as many starts of crates/change's example (a plain
release build, not the measured one), each of which counts the fastest of its five passes. The consumer of ours counts what the broker
has made durable.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "tests"), str(pathlib.Path(__file__).resolve().parent)]

import peer as peer_engine
import report
import work
from harness import servers
from harness.process import ROOT
from ours import Ours

MARKS = ("<!-- figures of make bench: begin -->", "<!-- end -->")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--peer", action="store_true")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", help="comma-separated: bulk, small, latency")
    arguments = arguments.parse_args()
    if "BITACORA_BIN" not in os.environ:
        sys.exit("set BITACORA_BIN to the build that is measured; `make bench` makes one and measures it")
    if arguments.peer:
        peer_engine.build()
    bench = Bench(arguments)
    chosen = (arguments.only or "bulk,small,latency").split(",")
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="bitacora-bench-") as folder:
            database = servers.Database("mysql", fast=False)
            try:
                database.client(work.CREATE)
                getattr(bench, name)(database, pathlib.Path(folder))
            finally:
                database.stop()
    table = bench.table()
    print(table)
    if not arguments.quick and not arguments.only:
        report.write(ROOT / "bench/README.md", MARKS, table)
        say("the table is in bench/README.md; the figures that its text and README.md repeat are written by hand: compare them")


class Bench:
    def __init__(self, arguments):
        self.runs, self.peer = (1, arguments.peer) if arguments.quick else (arguments.runs, arguments.peer)
        self.rows = 100_000 if arguments.quick else 1_000_000
        self.small_rows = 10_000 if arguments.quick else 100_000
        self.commits = 250 if arguments.quick else 1000
        self.lines = []

    def bulk(self, database, folder):
        """Catch-up and snapshot of the big table, and the limits of the machine."""
        ours, peer, primed, next_key = self.prime(database, folder)
        say(f"inserting {self.rows:,} rows")
        work.fill(database, self.rows, 1000, next_key)
        catch_up = self.in_turn("catch-up", ours, peer, primed, self.rows)
        self.add(f"catch-up of {self.rows:,} rows in 1,000-row transactions", "rows/s", catch_up, "rate")
        self.add("start to first event", "ms", catch_up, "start_ms")
        self.add("peak resident memory of that catch-up", "MiB", catch_up, "peak_bytes", 1 / (1 << 20))
        if peer:
            small_heap = peer_engine.Peer(database, folder, "256m", {"snapshot.mode": "no_data"})
            say("peer with a heap of 256 MB")
            report = small_heap.run(self.rows, primed[1])
            self.lines.append(("the peer with a 256 MB heap: catch-up / memory", "rows/s, MiB", None,
                               f"{report['rate']:,.0f} / {report['peak_bytes'] / (1 << 20):.0f}", None))
        total = self.rows + next_key - 1
        snapshot_peer = peer and peer_engine.Peer(database, folder, options={"snapshot.mode": "initial"})
        snapshot = self.in_turn("snapshot", ours, snapshot_peer, None, total)
        self.add(f"snapshot of {total:,} rows", "rows/s", snapshot, "rate")
        select = self.timed("SELECT *", lambda: subprocess.run(
            [database.script, "client", "--port", str(database.port), "--quick", "-N", "-e", "SELECT * FROM perf.orders"],
            stdout=subprocess.DEVNULL, check=True))
        self.limit("`SELECT *` of the same table by the server's own client", "rows/s", total / select)
        self.binlog(database, folder, total)

    def binlog(self, database, folder, rows):
        """The server's own dump of the log, and decode-and-encode of the dumped file on one core."""
        first = database.client("SHOW BINARY LOGS").split()[0]
        dump = [database.script, "tool", "mysqlbinlog", "--raw", "--read-from-remote-server", "--host=127.0.0.1", f"--port={database.port}",
                "--user=root", f"--result-file={folder}/", first]
        seconds = self.timed("raw dump", lambda: subprocess.run(dump, check=True, stdout=subprocess.DEVNULL))
        size = (folder / first).stat().st_size
        self.limit("dump of the binlog by the server's own tool", "rows/s", rows / seconds)
        self.limit("the same in bytes", "MB/s", size / seconds / 1e6)
        for form in ("1.9", "3.6"):
            rates = decode_and_encode(folder / first, form, self.runs)
            self.lines.append((f"decode and encode on one core, from the recorded binlog, form {form}", "rows/s", spread(rates), None, None))
        os.remove(folder / first)

    def small(self, database, folder):
        """Catch-up of single-row transactions."""
        ours, peer, primed, next_key = self.prime(database, folder)
        say(f"inserting {self.small_rows:,} rows one by one")
        work.fill(database, self.small_rows, 1, next_key)
        reports = self.in_turn("catch-up of small transactions", ours, peer, primed, self.small_rows)
        self.add(f"catch-up of {self.small_rows:,} single-row transactions", "rows/s", reports, "rate")

    def latency(self, database, folder):
        """Commit to consumer at 50 commits a second."""
        next_key = 1

        def write():
            nonlocal next_key
            thread = threading.Thread(target=work.insert_at_rate, args=(database, next_key, self.commits, 50))
            next_key += self.commits
            thread.start()
            return thread

        say("latency of ours")
        ours = [Ours(database, folder).latencies(self.commits, write) for _ in range(self.runs)]
        peers = {}
        if self.peer:
            for name, options in {"default poll": {}, "poll.interval.ms=10": {"poll.interval.ms": 10}}.items():
                say(f"latency of the peer, {name}")
                peers[name] = self.peer_latency(database, folder, options, write)
        for field, title in (("p50_ms", "p50"), ("p99_ms", "p99")):
            mine = [report[field] for report in ours]
            self.lines.append((f"commit to consumer at 50 commits/s, {title}", "ms", spread(mine, 2), None, None))
            for name, report in peers.items():
                value = report[field]
                self.lines.append((f"— the peer with {name}, {title}", "ms", None, f"{value:.1f}", f"{value / statistics.median(mine):.0f}×"))
        memory = [report["peak_bytes"] / (1 << 20) for report in ours]
        self.lines.append(("resident memory at 50 commits/s (peak)", "MiB", spread(memory), None, None))

    def peer_latency(self, database, folder, options, write):
        """The first 5 s of rows, while the JVM warms up, do not count: they go to a first run that stores the position."""
        engine = peer_engine.Peer(database, folder, options={"snapshot.mode": "no_data", **options})
        state = folder / f"state-{len(options)}"
        process = engine.start(self.commits, state, seconds=240)
        time.sleep(10)  # start and warm-up of the JVM; a row before the first position would not arrive
        write().join()
        return engine.finish(process)

    def prime(self, database, folder):
        """Both store a position in front of the rows to come; returns the next free key."""
        next_key = 1
        rows = work.Rows(1)

        def insert_row():
            nonlocal next_key
            database.client(f"INSERT INTO perf.orders VALUES {rows.values(next_key)}")
            next_key += 1

        peer = peer_engine.Peer(database, folder, options={"snapshot.mode": "no_data"}) if self.peer else None
        ours = Ours(database, folder)
        say("storing a position in front of the work")
        primed_peer = peer.prime(insert_row) if peer else None
        primed_ours, self.old_messages = ours.prime(insert_row)
        return ours, peer, (primed_ours, primed_peer), next_key

    def in_turn(self, name, ours, peer, primed, events):
        reports = {"ours": [], "peer": []}
        for run in range(self.runs):
            say(f"{name}: run {run + 1} of {self.runs}")
            reports["ours"].append(ours.run(events, primed and primed[0], self.old_messages if primed else 0))
            if peer:
                reports["peer"].append(peer.run(events, primed and primed[1]))
            say(f"{name}: " + ", ".join(f"{who} {found[-1]['rate']:,.0f}" for who, found in reports.items() if found) + " rows/s")
        return reports

    def timed(self, name, do):
        found = []
        for _ in range(self.runs):
            start = time.monotonic()
            do()
            found.append(time.monotonic() - start)
        say(f"{name}: {statistics.median(found):.2f} s")
        return statistics.median(found)

    def add(self, title, unit, reports, field, factor=1.0):
        mine = [r[field] * factor for r in reports["ours"]]
        theirs = [r[field] * factor for r in reports["peer"]]
        ratio = None
        if theirs:
            a, b = statistics.median(mine), statistics.median(theirs)
            ratio = f"{a / b if unit == 'rows/s' else b / a:.1f}×"
        self.lines.append((title, unit, spread(mine), spread(theirs) if theirs else None, ratio))

    def limit(self, title, unit, value):
        self.lines.append((f"*limit:* {title}", unit, f"{value:,.0f}", None, None))

    def table(self):
        head = ["what", "unit", "ours"] + (["Debezium " + peer_engine.VERSION, "better by"] if self.peer else [])
        rows = [[cell or "–" for cell in line][:len(head)] for line in self.lines]
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        line = lambda cells: "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
        return "\n".join([report.machine(measured_build()), "", line(head), line(["-" * width for width in widths]), *map(line, rows)])


def measured_build():
    """What the table calls the build, by where `make release` puts its own."""
    guided = {"guided", "final"} <= set(pathlib.Path(os.environ["BITACORA_BIN"]).parts)
    return "the guided build of `make release`" if guided else "a build of BITACORA_BIN's choice"


def decode_and_encode(file, form, runs):
    """Runs the measuring example of crates/change; it prints `rows_per_s=N` of the fastest of five passes."""
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "bitacora-change", "--example", "decode_encode"], cwd=ROOT, check=True)
    binary = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/decode_encode"
    found = []
    for _ in range(runs):
        output = subprocess.run([binary, file, "5", form], check=True, capture_output=True, text=True).stdout
        found += [float(word.partition("=")[2]) for word in output.split() if word.startswith("rows_per_s=")]
    return found


def spread(values, digits=0):
    """The median, and each run in brackets."""
    text = f"{statistics.median(values):,.{digits}f}"
    return text if len(values) == 1 else text + " (" + ", ".join(f"{v:,.{digits}f}" for v in values) + ")"


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
