"""Bytes that are not what they should be: the connection is closed or answered, the broker and the others go on."""

import random
import socket
import struct
import subprocess

import pytest

from harness import servers
from harness.process import wait_until
from harness.wire import CONNECT, PRODUCER, PRODUCER_SUCCESS, SEND, SEND_RECEIPT, Connection, encode_message


def connect_frame():
    command = encode_message({1: CONNECT, CONNECT: {1: "test", 4: 19}})
    return struct.pack(">II", len(command) + 4, len(command)) + command


GARBAGE = {
    "zeros": bytes(4096),
    "all ones": b"\xff" * 4096,
    "random": random.Random(7).randbytes(65536),
    "frame of 2 GiB": struct.pack(">II", 0x7FFFFFFF, 16) + bytes(64),
    "frame of 4 GiB": struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFF0) + bytes(64),
    "command longer than its frame": struct.pack(">II", 8, 4096) + bytes(64),
    "http on the binary port": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "garbage after connect": connect_frame() + random.Random(8).randbytes(4096),
    "send without connect": struct.pack(">II", 12, 8) + encode_message({1: 6, 6: {1: 1, 2: 1}})[:8].ljust(8, b"\0"),
    "half a frame, then closed": connect_frame()[:7],
}


def talk(port, data):
    """Sends the bytes and reads until the other side closes or stays silent; returns what came."""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(2)
        got = b""
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while chunk := s.recv(65536):
                got += chunk
        except OSError:
            pass
        return got


@pytest.mark.parametrize("what", GARBAGE)
def test_binary_port(broker, client, what):
    producer = client.create_producer("persistent://public/default/bystander")
    before = broker.process.peak_bytes()
    talk(broker.port, GARBAGE[what])
    producer.send(b"still here")
    assert broker.process.running() and "panicked" not in broker.process.stderr()
    assert broker.process.peak_bytes() - before < 64 << 20, "an announced length must not become an allocation"


HTTP_GARBAGE = {
    "random": random.Random(9).randbytes(65536),
    "endless header": b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20),
    "wrong length": b"POST /admin/v2/persistent/public/default/x/partitions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n1",
    "path with escapes": b"GET /admin/v2/persistent/..%2f..%2fetc/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "body is no json": b"PUT /admin/v2/persistent/public/default/y/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n{{{",
}


@pytest.mark.parametrize("what", HTTP_GARBAGE)
def test_http_port(broker, what):
    talk(broker.http, HTTP_GARBAGE[what])
    wait_until("a healthy broker", lambda: servers.is_healthy(broker.admin), 5)
    assert "panicked" not in broker.process.stderr()


def test_many_idle_connections_do_not_shut_others_out(broker, client):
    idle = [socket.create_connection(("127.0.0.1", broker.port)) for _ in range(200)]
    client.create_producer("persistent://public/default/bystander").send(b"x")
    for s in idle:
        s.close()


def send_lying_batch(url, topic):
    """Stores an entry that announces 1,000 messages and has none."""
    connection = Connection(url)
    connection.send(PRODUCER, {1: topic, 2: 1, 3: 1, 4: "liar"})
    connection.expect(PRODUCER_SUCCESS)
    metadata = encode_message({1: "liar", 2: 0, 3: 1, 11: 1000})
    connection.send(SEND, {1: 1, 2: 0, 3: 1000}, struct.pack(">I", len(metadata)) + metadata + b"no message")
    connection.expect(SEND_RECEIPT)
    connection.close()


def test_a_batch_whose_count_lies_is_told_and_passed(broker, client):
    """It came first at every start of `bitacora client consume`, and nothing behind it was read."""
    topic = "persistent://public/default/lying"
    send_lying_batch(broker.url, topic)
    client.create_producer(topic).send(b"behind it")
    consume = [servers.bitacora_binary(), "client", "--url", broker.url, "consume", topic, "-s", "s", "-n", "1", "-p", "earliest"]
    stopped = subprocess.run([*consume, "--unreadable", "stop"], capture_output=True, text=True, timeout=30)
    assert stopped.returncode == 1 and "announces more messages" in stopped.stderr and "got message" not in stopped.stdout, stopped
    passed = subprocess.run(consume, capture_output=True, text=True, timeout=30)
    assert passed.returncode == 0 and "it is acknowledged" in passed.stderr and "behind it" in passed.stdout, passed
    stats = servers.rest(broker.admin, "persistent/public/default/lying/stats")
    assert stats["subscriptions"]["s"]["msgBacklog"] == 0, stats
