"""The recorded work of Debezium 3.6.1 through our source: every record, of the snapshot and of the stream, of rows and of statements.

A real server does the work of `debezium/fixture` again, so what belongs to a run is compared by its kind only (`VARIES`). The
recorded logs themselves are replayed, with their positions and times, by `crates/engine/tests/recorded`.
"""

import base64
import gzip
import json
import pathlib
import re
import struct
import subprocess
import tomllib

import pytest

from harness import servers, wire
from harness.process import wait_until

FOLDER = pathlib.Path(__file__).parent / "debezium"
FORMS = {"default": "", "schemas": "json_with_envelope = true\n"}
LOGS_QUERIES = {"mysql": "--binlog-rows-query-log-events=ON", "mariadb": "--binlog-annotate-row-events=ON"}

# Clocks, and where in which log: of another run. A zero server id or a null stays, because both say something.
VARIES = [(re.compile(rf'"{name}":{value}'), f'"{name}":"<{name}>"') for name, value in [
    ("ts_ms", r"\d+"), ("ts_us", r"\d+"), ("ts_ns", r"\d+"), ("server_id", r"[1-9]\d*"), ("thread", r"\d+"), ("pos", r"\d+"),
    ("file", r'"[^"\\]*"'), ("gtid", r'"[^"\\]*"')]]

# Rows that are logged as text: Debezium warns and goes on, this engine stops at them.
REFUSED = re.compile(r"SET SESSION binlog_format = 'STATEMENT';.*?SET SESSION binlog_format = 'ROW';", re.DOTALL)


@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_every_record_is_debeziums(product):
    database = servers.Database(product, extra=f"{LOGS_QUERIES[product]} --local-infile=1")
    for part in ("schema", f"schema-{product}", "snapshot-data", f"snapshot-data-{product}"):
        run(database, part)
    broker = servers.Bitacora(env={"BITACORA_BROKER_SCHEMA_COMPATIBILITY_STRATEGY": "ALWAYS_COMPATIBLE"})
    for form in FORMS:
        servers.rest(broker.admin, f"namespaces/public/srv-{form}", {}, "PUT")
    engine = servers.Bitacora("".join(configuration(database, broker.url, form) for form in FORMS))
    servers.streaming(engine.process, len(FORMS))
    for part in ("changes", f"changes-{product}", "changes-end"):
        run(database, part)
    found = []
    for form in FORMS:
        comparison = Comparison(product, form)
        expected = comparison.expected(recorded(product, form))
        # The last row of the work first: when it is there, so is everything before it.
        last = read(broker, form, "srv.golden.sp", len(expected["srv.golden.sp"]), 60)
        assert '"id":999}' in last[-1][0], f"the end of the work did not arrive: {last[-1]}"
        actual = {topic: read(broker, form, topic, len(records), 2) for topic, records in expected.items()}
        extra = {topic.rpartition("/")[2] for topic in servers.topics(broker.admin, f"public/srv-{form}")} - set(expected)
        found += [f"{form}: topic {topic} is not in the recording" for topic in sorted(extra)]
        found += comparison.differences(expected, actual)
    assert engine.stop() == 0, engine.process.stderr()
    assert broker.stop() == 0, broker.process.stderr()
    database.stop()
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:60])


def run(database, part):
    """Runs a part of the fixture as root; it reads a file beside it."""
    sql = REFUSED.sub("", (FOLDER / "fixture" / f"{part}.sql").read_text())
    command = [database.script, "client", "--port", str(database.port), "--local-infile=1"]
    done = subprocess.run(command, input=sql.encode(), cwd=FOLDER / "fixture", capture_output=True)
    assert done.returncode == 0, f"{part}: {done.stderr.decode()}"


def configuration(database, url, form):
    source = servers.source_toml(database, "srv", [], destination=url)
    own = f'namespace = "public/srv-{form}"\nreplace_null_with_default = true\n{FORMS[form]}'
    return source.replace('name = "srv"\n', f'name = "srv-{form}"\n{own}', 1).replace("include = []", "") + "\n"


def recorded(product, form):
    """Topic to its records, as [key text, value text, headers of a changed key]."""
    topics = {}
    with gzip.open(FOLDER / f"{product}-{form}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            key, value = split(line)
            record = json.loads(line)
            topics.setdefault(record["topic"], []).append([key, value, record["headers"]])
    return topics


def split(line):
    """Texts of key and value of a recorded line."""
    decoder = json.JSONDecoder()
    start = line.index('"key":') + 6
    _, end = decoder.raw_decode(line, start)
    key, start = line[start:end], end + len(',"value":')
    _, end = decoder.raw_decode(line, start)
    return key, line[start:end]


def read(broker, form, topic, count, patience):
    """The records of a topic: as many as are expected, and what stands behind them."""
    stream = wire.TopicStream(broker.url, f"persistent://public/srv-{form}/{topic}")
    try:
        messages = []
        for message in stream.messages(patience):
            messages.append(plain(message))
            if len(messages) == count:
                break
        return messages + [plain(message) for message in stream.messages(0.05)]
    finally:
        stream.close()


def plain(message):
    """A message as [key text, value text, headers]."""
    single = message.get("single", message["metadata"])
    key, payload = single.get("partition_key", "null"), message["payload"]
    if single.get("partition_key_b64_encoded"):
        key = base64.b64decode(key).decode()
    headers = single.get("properties", {})
    if single.get("null_value"):  # the key of an INLINE message is the Base64 of its text
        return [key if key.startswith("{") else base64.b64decode(key).decode(), "null", headers]
    data = payload.encode() if isinstance(payload, str) else base64.b64decode(payload["base64"])
    if data[:1] == b"{":
        return [key, data.decode(), headers]
    halves = []  # key and value, each behind its length
    while data:
        size, = struct.unpack_from(">i", data)
        halves.append("null" if size < 0 else data[4:4 + size].decode())
        data = data[4 + max(size, 0):]
    return [*halves, headers]


class Comparison:
    """Finds what differs and is not listed in `debezium/differences.toml`."""

    def __init__(self, product, form):
        listed = tomllib.loads((FOLDER / "differences.toml").read_text())
        self.form = form
        self.listed = [entry for entry in listed["difference"] if entry.get("server", product) == product]
        self.statements = listed["statement"]
        self.omissions = {(entry["topic"], entry["key"]) for entry in listed["omission"]}
        self.used = set()

    def expected(self, topics):
        return {topic: [record for record in records if not self.is_omitted(topic, *record[:2])] for topic, records in topics.items()}

    def differences(self, expected, actual):
        out = []
        for topic, records in expected.items():
            if len(records) != len(actual[topic]):
                out.append(f"{self.form} {topic}: {len(actual[topic])} records instead of {len(records)}")
            for place, (theirs, ours) in enumerate(zip(records, actual[topic])):
                out += [f"{self.form} {topic} {place} {difference}" for difference in self.of_record(topic, theirs, ours)]
        unused = [entry for place, entry in enumerate(self.listed)
                  if place not in self.used and (self.form == "schemas" or entry["within"] != ["schema"])]
        return out + [f"{self.form}: {entry['topic']} {entry['columns']} no longer differ" for entry in unused]

    def is_omitted(self, topic, key, value):
        return (topic, json.dumps(payload(json.loads(key)), separators=(",", ":"))) in self.omissions or \
            (value == "null" and ("*", key) in self.omissions)

    def of_record(self, topic, theirs, ours):
        if theirs[0] != ours[0]:
            yield f"key {ours[0]} recorded {theirs[0]}"
        headers = [{name: payload(json.loads(text) if isinstance(text, str) else text) for name, text in side[2].items()} for side in (theirs, ours)]
        if headers[0] != headers[1]:
            yield f"headers {headers[1]} recorded {headers[0]}"
        texts = [normalise(side[1]) for side in (theirs, ours)]
        if texts[0] == texts[1]:
            return
        values = [json.loads(text) for text in texts]
        ddl = payload(values[0])["ddl"] if topic == "srv" else None
        for entry in self.statements if ddl else []:
            if ddl.startswith(tuple(entry["ddl"])):
                for member in entry["members"]:
                    for value in values:
                        payload(value).pop(member, None)
        for place, entry in enumerate(self.listed):
            if entry["topic"] == topic:
                for within in entry["within"]:
                    for column in entry["columns"]:
                        taken = [take(value, within, column) for value in values]
                        if json.dumps(taken[0]) != json.dumps(taken[1]):
                            self.used.add(place)
        if json.dumps(values[0]) != json.dumps(values[1]):
            yield from parts(*values)


def normalise(text):
    for pattern, mark in VARIES:
        text = pattern.sub(mark, text)
    return text


def payload(value):
    return value["payload"] if isinstance(value, dict) and "payload" in value else value


def take(value, within, column):
    """Takes the values, or the schemas, of a column out of a record; gives what it took."""
    record = payload(value)
    if record is None:
        return []
    if within == "schema":
        images = [field for field in value.get("schema", {}).get("fields", []) if field["field"] in ("before", "after")]
        taken = [field for image in images for field in image.get("fields", []) if field["field"] == column]
        for image in images:
            image["fields"] = [field for field in image.get("fields", []) if field["field"] != column]
        return taken
    if within == "statement":
        tables = [change["table"] for change in record.get("tableChanges", []) if change["table"]]
        taken = [field for table in tables for field in table["columns"] if field["name"] == column]
        for table in tables:
            table["columns"] = [field for field in table["columns"] if field["name"] != column]
        return taken
    if (record.get("source", {}).get("snapshot") == "false") != (within == "stream"):
        return []
    if column.startswith("source."):
        return [record["source"].pop(column.removeprefix("source."))]
    return [image.pop(column) for image in (record.get("before"), record.get("after")) if image and column in image]


def parts(theirs, ours, path=""):
    """Each place where two values differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict) and list(theirs) == list(ours):
        for name in theirs:
            yield from parts(theirs[name], ours[name], f"{path}.{name}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for place, (a, b) in enumerate(zip(theirs, ours)):
            yield from parts(a, b, f"{path}[{place}]")
    elif theirs != ours:
        yield f"{path}: {json.dumps(ours, ensure_ascii=False)[:300]} recorded {json.dumps(theirs, ensure_ascii=False)[:300]}"
