#!/usr/bin/env python3
"""`make load`: 1,000 bookings a second on AeroAlpes for 30 seconds, on each database, and what becomes of them, into bench/README.md.

Database, broker, relay and API run on the machine of the load, as processes from release builds; the database syncs each commit.
"""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(pathlib.Path(__file__).resolve().parent)]

import report
from harness import servers, wire
from harness.airline import EVENTS, Airline
from harness.process import wait_until

MARKS = ("<!-- figures of make load: begin -->", "<!-- end of load -->")
BOOKINGS_PER_SECOND, WARM_UP_SECONDS, SECONDS = 1000, 5, 30
DATABASES = {"mariadb": "MariaDB", "mysql": "MySQL"}


def main():
    release = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    os.environ.update(BITACORA_BIN=str(release / "bitacora"), AEROALPES_BIN=str(release / "aeroalpes"))
    columns = [column(release, product) for product in DATABASES]
    lines = [f"| {' | '.join([*cells[0], *(cell[2] for cell in cells[1:])])} |" for cells in zip(*columns)]
    table = "\n".join([report.machine("plain release builds"), "", f"| what | unit | {' | '.join(DATABASES.values())} |", "| --- " * (2 + len(columns)) + "|", *lines])
    print(table)
    report.write(ROOT / "bench/README.md", MARKS, table)


def column(release, product):
    """Loads AeroAlpes on one database; what was measured, its unit, and the figure."""
    airline = Airline(product, parts=(), fast=False)
    try:
        version = airline.database.client("SELECT VERSION()").strip().partition("-")[0]
        measure(release, airline, WARM_UP_SECONDS)  # connections, prepared statements, the first pages of the tables
        memory = [resident(airline)]
        halves = []
        for _ in range(2):
            halves.append(measure(release, airline, SECONDS // 2))
            memory.append(resident(airline))
        bookings = int(airline.database.client("SELECT COUNT(*) FROM reservas", "reservas"))
        start = time.monotonic()
        delivered = wait_until("every event", lambda: (count := events(airline)) >= bookings and count, 120)
        lag = time.monotonic() - start
    finally:
        codes = airline.stop()
    assert delivered == bookings and not codes, (delivered, bookings, codes)
    total = lambda name: f"{sum(half[name] for half in halves):.0f}"
    return [("database", "", version),
            ("bookings asked for", "1/s", f"{BOOKINGS_PER_SECOND} for {SECONDS} s"),
            ("accepted / failed", "", f"{total('accepted')} / {total('failed')}"),
            *((f"answer, {name}", "ms", f"{max(half[key] for half in halves):.1f}")
              for name, key in (("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"), ("longest", "max_ms"))),
            ("events on `eventos-reserva` of all bookings", "", f"{delivered} of {bookings}"),
            ("the last one counted after the last answer by", "s", f"{lag:.1f}"),
            *((f"resident memory of the {name}: before, in the middle, after", "MiB", ", ".join(str(each[name]) for each in memory))
              for name in memory[0])]


def measure(release, airline, seconds):
    """Runs the load; the figures that it prints, by name."""
    command = [release / "examples/carga", f"127.0.0.1:{airline.api.port}", str(BOOKINGS_PER_SECOND), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(f"{airline.database.product}, {BOOKINGS_PER_SECOND}/s for {seconds} s: {done.stdout.strip()}", file=sys.stderr, flush=True)
    return {name: float(value) for name, value in (word.split("=") for word in done.stdout.split())}


def resident(airline):
    """Resident memory of our three processes in MiB."""
    pids = {"API": airline.api.process.pid, "relay": airline.relay.process.pid, "broker": airline.broker.process.pid}
    return {name: status(pid) for name, pid in pids.items()}


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) >> 10 for line in file if line.startswith("VmRSS:"))


def events(airline):
    """Count of the messages on the topic of events."""
    return servers.rest(airline.broker.admin, f"{EVENTS.replace('://', '/')}/stats")["msgInCounter"]


if __name__ == "__main__":
    main()
