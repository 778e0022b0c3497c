"""Comparison with what the real pipeline put into a real Pulsar (tests/golden/pulsar-io/README.md).

Both sides become the same plain form: for each topic its schemas and, in order, its messages. What differs from run to run
is replaced by a mark of its kind, everything else is compared byte for byte.
"""

import base64
import json
import re
import struct

from . import servers, wire

# Clocks, server ids, threads, positions, GTIDs. A zero server id or a null stays, because both say something.
UNSTABLE = [(re.compile(rf'(?<!\\)"{name}":{value}'), rf'"{name}":<{name}>') for name, value in [
    ("ts_ms", r"\d+"), ("server_id", r"[1-9]\d*"), ("thread", r"\d+"), ("pos", r"\d+"), ("file", r'"[^"\\]*"'), ("gtid", r'"[^"\\]*"')]]

OWN_AFFAIR = ("offset-topic", "history-topic", "debezium-mysql-topic")


def is_compared(topic):
    """Offsets and history are the recorded connector's own affair; the destination topic stays empty."""
    return topic.rpartition("/")[2] not in OWN_AFFAIR


def normalise(text):
    for pattern, mark in UNSTABLE:
        text = pattern.sub(mark, text)
    return text


def plain_message(message):
    """What a consumer can tell of a message, without how messages fell into batches."""
    entry, single = message["metadata"], message.get("single", message["metadata"])
    out = {"schema_version": int(entry["schema_version"], 16) if "schema_version" in entry else None,
           "compression": entry.get("compression", 0)}
    for field in ("partition_key", "partition_key_b64_encoded", "null_partition_key", "null_value", "properties", "event_time", "ordering_key"):
        out[field] = single.get(field) or None  # an explicit false says the same as none
    if out["partition_key_b64_encoded"]:
        out["partition_key"] = base64.b64decode(out["partition_key"]).decode()
    out["payload"] = plain_payload(message["payload"])
    return out


def plain_payload(payload):
    if isinstance(payload, str):
        return normalise(payload)
    data, parts = base64.b64decode(payload["base64"]), []  # key and value, each behind its length
    while data:
        size, = struct.unpack_from(">i", data)
        parts.append(None if size < 0 else normalise(data[4:4 + size].decode()))
        data = data[4 + max(size, 0):]
    return parts


def plain_schema(schema):
    return {"version": schema["version"], "type": schema["type"], "data": schema["data"], "properties": {
        name: json.loads(value) if value.startswith("{") else value for name, value in schema.get("properties", {}).items()}}


def recorded(folder):
    """The recording in the plain form: topic to {"schemas": […], "messages": […]}."""
    out = {}
    for line in (folder / "messages.jsonl").read_text().splitlines():
        message = json.loads(line)
        if is_compared(message["topic"]):
            out.setdefault(message["topic"], {"schemas": [], "messages": []})["messages"].append(plain_message(message))
    for line in (folder / "schemas.jsonl").read_text().splitlines():
        row = json.loads(line)
        if is_compared(row["topic"]) and row["schema"].get("type"):
            out[row["topic"]]["schemas"].append(plain_schema(row["schema"]))
    return out


def read(url, admin, patience=1.5):
    """What a broker has now, in the plain form."""
    out = {}
    for topic in filter(is_compared, servers.topics(admin)):
        out[topic] = {"schemas": schemas(admin, topic), "messages": [plain_message(m) for m in wire.dump(url, topic, patience)]}
    return out


def schemas(admin, topic):
    answer = servers.rest(admin, f"schemas/{topic.removeprefix('persistent://')}/schemas") or {"getSchemaResponses": []}
    out = []
    for schema in answer["getSchemaResponses"]:
        data = schema.get("data", "")
        out.append(plain_schema({**schema, "data": json.loads(data) if data.startswith("{") else data}))
    return out


def compact_json_of_snapshot_rows(topics):
    """Reviewed difference: in snapshot rows the recorded connector prints a JSON column with the server's spaces and in the stream
    without them. Ours prints both without."""
    column = re.compile(r'("j":")((?:[^"\\]|\\.)*)"')

    def compact(match):
        value = json.loads('"' + match[2] + '"')
        text = json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":"))
        return match[1] + json.dumps(text, ensure_ascii=False)[1:]

    def change(payload):
        if isinstance(payload, list):
            return [part and change(part) for part in payload]
        return column.sub(compact, payload) if '"op":"r"' in payload else payload

    for topic in topics.values():
        for message in topic["messages"]:
            message["payload"] = change(message["payload"])
    return topics


def differences(expected, actual):
    """Every difference as a line of text; none means equal."""
    found = []
    for topic in sorted(set(expected) | set(actual)):
        if topic not in actual or topic not in expected:
            found.append(f"{topic}: {'missing' if topic not in actual else 'not in the recording'}")
            continue
        name = topic.rpartition("/")[2]
        for what in ("schemas", "messages"):
            left, right = expected[topic][what], actual[topic][what]
            if len(left) != len(right):
                found.append(f"{name}: {len(right)} {what} instead of {len(left)}")
            for place, (a, b) in enumerate(zip(left, right)):
                for field in a:
                    x, y = json.dumps(a[field], ensure_ascii=False), json.dumps(b[field], ensure_ascii=False)
                    if x != y:
                        at = next((i for i, (c, d) in enumerate(zip(x, y)) if c != d), min(len(x), len(y)))
                        start = max(0, at - 60)
                        found.append(f"{name} {what}[{place}].{field} at {at}:\n    recorded …{x[start:at + 100]}\n    ours     …{y[start:at + 100]}")
    return found
