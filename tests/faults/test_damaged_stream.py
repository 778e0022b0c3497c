"""A real server's replication stream, damaged on its way by a proxy: the source stops with the place, or reads again; nothing is lost."""

import json
import re
import socket
import socketserver
import struct
import threading
import types
import zlib

import pytest
from harness import servers, wire
from harness.process import wait_until

TOPIC = "persistent://public/default/s.faults.t"
MARK = b"the row that meets the fault"
WRITE_ROWS = (23, 30)  # versions 1 and 2


def with_checksum(event):
    return event[:-4] + struct.pack("<I", zlib.crc32(event[:-4]))


def flipped_bit(event):
    at = event.index(MARK)
    return event[:at] + bytes([event[at] ^ 1]) + event[at + 1:]


def wrong_length(event):
    return with_checksum(event[:9] + struct.pack("<I", len(event) + 1) + event[13:])


def unknown_type(event):
    return with_checksum(event[:4] + b"\xc8" + event[5:])


def columns_beyond_the_end(event):
    """The rows event says that its first text has 16,000 bytes more than it has."""
    at = event.index(MARK) - 2
    return with_checksum(event[:at] + struct.pack("<H", len(MARK) + 16_000) + event[at + 2:])


class Proxy:
    """Relays connections to a database; the event that holds MARK is damaged once, or the connection is cut inside it."""

    def __init__(self, port, damage):
        proxy = self
        self.damage, self.is_done = damage, threading.Event()

        class Relay(socketserver.BaseRequestHandler):
            def handle(self):
                looks = threading.Event()

                def asked(data):
                    # COM_BINLOG_DUMP under the server id 0 is a look into the log, not the stream; it leaves most of what comes unread.
                    if data[4:5] == b"\x12" and data[11:15] == bytes(4):
                        looks.set()
                    return data, False

                with socket.create_connection(("127.0.0.1", port)) as server:
                    upstream = threading.Thread(target=proxy.pump, args=(self.request, server, asked), daemon=True)
                    upstream.start()
                    proxy.pump(server, self.request, lambda data: (data, False) if looks.is_set() else proxy.damaged(data))
                    upstream.join()

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pump(self, source, target, change=lambda data: (data, False)):
        is_cut = False
        try:
            while not is_cut and (data := source.recv(1 << 16)):
                data, is_cut = change(data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def damaged(self, data):
        """What is sent instead of `data`, which begins with a packet, and whether the connection ends there."""
        start = 0
        while not self.is_done.is_set() and start + 10 < len(data):
            end = start + 4 + int.from_bytes(data[start:start + 3], "little")
            event = data[start + 5:end]
            # The same words are in a statement's text, in an annotation, and in what a SELECT answers.
            if end <= len(data) and data[start + 4] == 0 and event[4] in WRITE_ROWS and MARK in event:
                self.is_done.set()
                if self.damage is None:
                    return data[:end - 20], True
                return data[:start + 5] + self.damage(event) + data[end:], False
            start = end
        return data, False

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def events(running):
    payloads = [message.get("payload") for message in wire.dump(running.url, TOPIC, 1.5)]
    return [(event["op"], event["after"]["id"]) for event in map(json.loads, filter(None, payloads))]


def streamed(database, damage):
    """A source that reads through a proxy, and the proxy, once the row that meets the fault is committed."""
    database.client("DROP TABLE IF EXISTS faults.t; CREATE TABLE faults.t (id INT PRIMARY KEY, v VARCHAR(4000)); INSERT INTO faults.t VALUES (1, 'a')")
    proxy = Proxy(database.port, damage)
    there = types.SimpleNamespace(product=database.product, port=proxy.port)
    text = servers.source_toml(there, "s", ["faults.t"]).replace("[source.tables]", '[source.server.tls]\nmode = "disabled"\nallow_public_key_retrieval = true\n\n[source.tables]')
    running = servers.Bitacora(text)
    wait_until("the stream", lambda: running.process.must_run() or "streaming from" in running.process.stdout(), 60)
    database.client(f"INSERT INTO faults.t VALUES (2, 'before'); INSERT INTO faults.t VALUES (3, '{MARK.decode()}'); INSERT INTO faults.t VALUES (4, 'b')")
    return running, proxy


@pytest.mark.parametrize("damage", [flipped_bit, wrong_length, unknown_type, columns_beyond_the_end], ids=lambda damage: damage.__name__)
def test_a_damaged_event_stops_the_source_with_its_place(database, damage):
    running, proxy = streamed(database, damage)
    try:
        code = running.process.wait(30)
        assert proxy.is_done.is_set()
        last = running.process.stderr().splitlines()[-1]
        assert code == 1 and re.search(r"\.0000\d\d:\d+", last) and "panicked" not in running.process.stderr(), last
        running.start()
        wait_until("the last row", lambda: running.process.must_run() or ("c", 4) in events(running), 60)
        assert events(running) == [("r", 1), ("c", 2), ("c", 3), ("c", 4)]
    finally:
        running.stop()
        proxy.close()


def test_a_connection_that_is_cut_inside_an_event_is_made_again(database):
    running, proxy = streamed(database, None)
    try:
        wait_until("the last row", lambda: running.process.must_run() or ("c", 4) in events(running), 60)
        assert proxy.is_done.is_set()
        assert events(running) == [("r", 1), ("c", 2), ("c", 3), ("c", 4)]
    finally:
        running.stop()
        proxy.close()
