"""Pulsar's binary protocol as it is on the wire, with the standard library alone.

A client library hides and converts; these tests want to see what is stored. `TopicStream` reads a topic from its start and
gives entries; `messages` turns an entry into one dictionary a message, with the field names of PulsarApi.proto and only
those fields that are really present. Run as a program it prints a topic:

    python -m harness.wire pulsar://127.0.0.1:6650 persistent://public/default/topic
"""

import base64
import json
import socket
import struct
import sys
import time
import zlib
from urllib.parse import urlparse

ENTRY_FIELDS = {
    1: "producer_name", 2: "sequence_id", 3: "publish_time", 4: "properties", 5: "replicated_from", 6: "partition_key",
    7: "replicate_to", 8: "compression", 9: "uncompressed_size", 11: "num_messages_in_batch", 12: "event_time",
    16: "schema_version", 17: "partition_key_b64_encoded", 18: "ordering_key", 19: "deliver_at_time", 20: "marker_type",
    22: "txnid_least_bits", 23: "txnid_most_bits", 24: "highest_sequence_id", 25: "null_value", 26: "uuid",
    27: "num_chunks_from_msg", 28: "total_chunk_msg_size", 29: "chunk_id", 30: "null_partition_key"}
MESSAGE_FIELDS = {
    1: "properties", 2: "partition_key", 3: "payload_size", 4: "compacted_out", 5: "event_time",
    6: "partition_key_b64_encoded", 7: "ordering_key", 8: "sequence_id", 9: "null_value", 10: "null_partition_key"}
BOOLEANS = {"partition_key_b64_encoded", "null_value", "null_partition_key", "compacted_out"}

CONNECT, CONNECTED, SUBSCRIBE, PRODUCER, SEND, SEND_RECEIPT, MESSAGE, FLOW, SUCCESS, ERROR = 2, 3, 4, 5, 6, 7, 9, 11, 13, 14
PRODUCER_SUCCESS, PING, PONG, LOOKUP, LOOKUP_RESPONSE = 17, 18, 19, 23, 24


def encode_varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode_message(fields):
    """A protobuf message from a dictionary of field number to int, text, bytes or dictionary."""
    out = bytearray()
    for number, value in fields.items():
        if isinstance(value, dict):
            value = encode_message(value)
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += encode_varint(number << 3 | 2) + encode_varint(len(value)) + value
        else:
            out += encode_varint(number << 3) + encode_varint(value)
    return bytes(out)


def decode_varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def decode_message(data):
    """Yields the fields of a protobuf message as (number, value)."""
    at = 0
    while at < len(data):
        tag, at = decode_varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = decode_varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, at = decode_varint(data, at)
            value = data[at:at + size]
            at += size
        yield tag >> 3, value


def decompress_lz4(data, size):
    """One block of the LZ4 format."""
    out, at = bytearray(), 0

    def length(n):
        nonlocal at
        if n == 15:
            while True:
                byte = data[at]
                at += 1
                n += byte
                if byte != 255:
                    break
        return n

    while at < len(data):
        token = data[at]
        at += 1
        count = length(token >> 4)
        out += data[at:at + count]
        at += count
        if at >= len(data):
            break
        distance = data[at] | data[at + 1] << 8
        at += 2
        count = length(token & 15) + 4
        start = len(out) - distance
        if distance >= count:
            out += out[start:start + count]
        else:  # the copy overlaps what it writes
            for i in range(count):
                out.append(out[start + i])
    assert len(out) == size, f"{len(out)} bytes instead of {size} after decompression"
    return bytes(out)


def as_text(data):
    """UTF-8 as it is, anything else as base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def named(data, names):
    out = {}
    for number, value in decode_message(data):
        name = names.get(number, f"field_{number}")
        if name == "properties":
            pair = dict(decode_message(value))
            out.setdefault(name, {})[as_text(pair[1])] = as_text(pair.get(2, b""))
        elif name == "schema_version":
            out[name] = value.hex()
        elif name in BOOLEANS:
            out[name] = bool(value)
        else:
            out[name] = as_text(value) if isinstance(value, (bytes, bytearray)) else value
    return out


class Connection:
    """A connection that has said CONNECT and answers PING."""

    def __init__(self, url):
        address = urlparse(url)
        self.socket = socket.create_connection((address.hostname, address.port or 6650), 10)
        self.frame_bytes, self.received = bytearray(4), 0
        self.send(CONNECT, {1: "harness", 4: 19})
        self.expect(CONNECTED)

    def send(self, kind, fields, entry=b""):
        command = encode_message({1: kind, kind: fields})
        self.socket.sendall(struct.pack(">II", len(command) + 4 + len(entry), len(command)) + command + entry)

    def frame(self, patience):
        """The next command, its fields and a view of the entry behind it; None when nothing comes for `patience` seconds."""
        deadline = time.monotonic() + patience
        while self._receive(4, deadline):
            size, = struct.unpack_from(">I", self.frame_bytes)
            if not self._receive(size + 4, deadline):
                return None
            frame, self.frame_bytes, self.received = memoryview(self.frame_bytes)[4:], bytearray(4), 0
            command_size, = struct.unpack_from(">I", frame)
            command = dict(decode_message(bytes(frame[4:4 + command_size])))
            if command[1] != PING:
                return command[1], command.get(command[1], b""), frame[4 + command_size:]
            self.send(PONG, {})
        return None

    def _receive(self, size, deadline):
        """Reads on until the frame at hand has `size` bytes, straight into its place; false when the time is over."""
        self.frame_bytes.extend(bytes(size - len(self.frame_bytes)))
        with memoryview(self.frame_bytes) as target:
            while self.received < size:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.socket.settimeout(left)
                try:
                    count = self.socket.recv_into(target[self.received:])
                except TimeoutError:
                    return False
                if count == 0:
                    raise EOFError("the broker closed the connection")
                self.received += count
        return True

    def expect(self, kind):
        while True:
            got = self.frame(30)
            if got is None:
                raise TimeoutError(f"no answer of kind {kind} in 30 s")
            if got[0] == ERROR:
                raise RuntimeError({n: as_text(v) if isinstance(v, bytes) else v for n, v in decode_message(got[1])})
            if got[0] == kind:
                return got

    def close(self):
        self.socket.close()


class TopicStream:
    """Entries of a topic from its start, by a reader (a subscription that is not durable)."""

    def __init__(self, url, topic, permits=1_000_000):
        self.connection = Connection(url)
        self.topic = topic
        self.connection.send(LOOKUP, {1: topic, 2: 1})
        self.connection.expect(LOOKUP_RESPONSE)
        self.connection.send(SUBSCRIBE, {1: topic, 2: f"harness-{time.time_ns()}", 3: 0, 4: 1, 5: 2, 8: 0, 9: {1: -1, 2: -1}, 13: 1})
        self.connection.expect(SUCCESS)
        self._permits = permits
        self.permit(permits)

    def permit(self, count):
        self.connection.send(FLOW, {1: 1, 2: count})

    def entry(self, patience):
        """The next entry as (message id, metadata bytes, view of the body), or None."""
        while True:
            got = self.connection.frame(patience)
            if got is None:
                return None
            kind, command, payload = got
            if kind != MESSAGE:
                continue
            message_id = dict(decode_message(dict(decode_message(command))[2]))
            if payload[:2] == b"\x0e\x02":  # broker's own metadata stands before the producer's
                size, = struct.unpack_from(">I", payload, 2)
                payload = payload[6 + size:]
            if payload[:2] == b"\x0e\x01":
                payload = payload[6:]
            size, = struct.unpack_from(">I", payload)
            return (message_id.get(1, 0), message_id.get(2, 0)), bytes(payload[4:4 + size]), payload[4 + size:]

    def messages(self, patience):
        """All messages until nothing comes for `patience` seconds."""
        while (entry := self.entry(patience)) is not None:
            yield from messages(self.topic, *entry)

    def close(self):
        self.connection.close()


def messages(topic, message_id, metadata, body):
    """The messages of an entry, one dictionary each."""
    metadata, body = named(metadata, ENTRY_FIELDS), bytes(body)
    row = {"topic": topic, "id": {"ledger": message_id[0], "entry": message_id[1]}, "metadata": metadata}
    if metadata.get("compression") == 1:
        body = decompress_lz4(body, metadata["uncompressed_size"])
    elif metadata.get("compression") == 2:
        body = zlib.decompress(body)
    elif metadata.get("compression"):
        raise ValueError(f"codec {metadata['compression']} cannot be read here")
    if "num_messages_in_batch" not in metadata:
        yield {**row, "payload": as_text(body)}
        return
    at = 0
    for index in range(metadata["num_messages_in_batch"]):
        size, = struct.unpack_from(">I", body, at)
        single = named(body[at + 4:at + 4 + size], MESSAGE_FIELDS)
        at += 4 + size
        size = single.get("payload_size", 0)
        yield {**row, "id": {**row["id"], "batch_index": index}, "single": single, "payload": as_text(body[at:at + size])}
        at += size


def dump(url, topic, patience=1.5):
    """All messages of a topic as a list."""
    stream = TopicStream(url, topic)
    try:
        return list(stream.messages(patience))
    finally:
        stream.close()


if __name__ == "__main__":
    for name in sys.argv[2:]:
        for message in dump(sys.argv[1], name):
            print(json.dumps(message, ensure_ascii=False))
