#!/usr/bin/env python3
"""`make demo`: the whole of AeroAlpes on this machine, with a booking now and then, and every event and change as it arrives.

Ctrl-C ends everything. With --check it runs unattended: books through HTTP, gRPC and the form of the page, verifies what became
of each booking, and exits.
"""

import argparse
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(pathlib.Path(__file__).resolve().parent)]

import bookings
import check
import live
from harness.airline import Airline, EVENTS, PREFIX

SECONDS_BETWEEN_BOOKINGS = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="unattended: three ways to book, verify, exit")
    unattended = parser.parse_args().check
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    print("Starting a private MariaDB with the tutorial's database, the broker, both engines, API, sidecar, notifications and page …", flush=True)
    airline = None
    code = 0
    try:
        airline = Airline("mariadb")
        if unattended:
            check.run(airline)
        else:
            watch(airline)
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
    except check.Failed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        code = 1
    finally:
        failed = airline.stop() if airline else {}
    for name, exit_code in failed.items():
        print(f"{name} ended with exit code {exit_code}", file=sys.stderr)
    return code or int(bool(failed))


def watch(airline):
    print(f"""
The page       {airline.page.url}
The API        http://127.0.0.1:{airline.api.port}/docs
The sidecar    aeroalpes sidecar-cliente --direccion 127.0.0.1:{airline.grpc_port} crear demo/reserva.json
The broker     {airline.broker.url}  (topics: curl {airline.broker.admin}/persistent/public/default)
The database   tools/mariadb-server.sh client --port {airline.database.port} reservas

Events and changes with a client of your own, in any language, or with ours (programs are in target/release):
    bitacora client --url {airline.broker.url} consume -s mia -p Earliest -n 0 {PREFIX}.reservas.reservas
    bitacora client --url {airline.broker.url} consume -s mia -p Earliest -n 0 {EVENTS}

A booking is made every {SECONDS_BETWEEN_BOOKINGS} seconds; below is what becomes of it. Ctrl-C ends everything that was started here.
""", flush=True)
    shown = live.Shown(airline)
    made = bookings.Bookings(airline.api)
    due = time.monotonic()
    while True:
        airline.must_run()
        shown.show_new()
        if time.monotonic() >= due:
            made.one()
            due += SECONDS_BETWEEN_BOOKINGS
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
