"""Settings and privileges of the server that make capture impossible: `up` and `doctor` refuse; mended, `doctor` is content."""

import socketserver
import threading
import types

import pytest
from harness.process import Process, wait_until
from harness.servers import Bitacora, bitacora_binary, source_toml
from test_start_refusals import refuses, run, up


@pytest.mark.parametrize("variable, bad, good", [("binlog_format", "STATEMENT", "ROW"), ("binlog_row_image", "MINIMAL", "FULL")])
def test_setting(database, tmp_path, variable, bad, good):
    database.client(f"SET GLOBAL {variable} = '{bad}'")
    try:
        arguments = up(tmp_path, source_toml(database, "s", ["faults.t"]))
        refuses(run(*arguments), variable, good)
        refuses(run("doctor", *arguments[1:]), "capture is not possible")
    finally:
        database.client(f"SET GLOBAL {variable} = '{good}'")
    refuses_not = run("doctor", *arguments[1:])
    assert refuses_not[0] == 0, refuses_not


@pytest.mark.parametrize("granted, missing", [
    ("SELECT, RELOAD, BINLOG MONITOR", "REPLICATION SLAVE"),
    ("RELOAD, REPLICATION SLAVE, BINLOG MONITOR", "SELECT|faults.t"),
])
def test_privilege(database, tmp_path, granted, missing):
    database.client(f"CREATE OR REPLACE USER poor@'%' IDENTIFIED BY 'p'; GRANT {granted} ON *.* TO poor@'%';")
    arguments = up(tmp_path, source_toml(database, "s", ["faults.t"], user="poor", password="p"))
    refuses(run(*arguments), missing)
    refuses(run("doctor", *arguments[1:]), "capture is not possible")


@pytest.mark.parametrize("bytes_sent", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xff\xff\x00" + b"\xff" * 4096, b"\x05\x00\x00\x00\x0a8.0"],
                         ids=["http", "absurd-length", "cut"])
def test_doctor_survives_what_is_no_handshake(tmp_path, bytes_sent):
    class Garbage(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(bytes_sent)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Garbage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = types.SimpleNamespace(product="mysql", port=server.server_address[1])
        refuses(run("doctor", *up(tmp_path, source_toml(there, "s", ["faults.t"]))[1:]))
        server.shutdown()


def test_up_drains_and_ends_with_zero(database):
    running = Bitacora(source_toml(database, "drained", ["faults.t"]))
    assert running.stop() == 0, running.process.stderr()


def test_ctrl_c_while_it_starts_is_not_missed(database, tmp_path):
    """It used to end the process at once, or to be lost, when it came between the first sign of life and the wait for it."""
    for _ in range(20):
        process = Process([bitacora_binary(), *up(tmp_path, source_toml(database, "early", ["faults.t"]))])
        wait_until("the broker's line", lambda: process.must_run() or "broker ready" in process.stdout(), 30, pause=0)
        assert process.stop() == 0, process.stdout() + process.stderr()
