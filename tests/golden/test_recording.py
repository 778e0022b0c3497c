"""The comparison itself: it accepts the recording and finds each kind of change in it."""

import copy
import pathlib

import pytest

from harness import golden

FOLDER = pathlib.Path(__file__).parent / "pulsar-io"
TABLE = "persistent://public/default/aeroalpesdb.reservas.usuarios_legado"


@pytest.mark.parametrize("mode", ["default", "envelope"])
def test_recording_equals_itself(mode):
    recording = golden.recorded(FOLDER / mode)
    assert len(recording) == 5 and all(topic["messages"] and topic["schemas"] for topic in recording.values())
    assert golden.differences(recording, golden.recorded(FOLDER / mode)) == []


@pytest.mark.parametrize("change", [
    lambda topics: topics.pop(TABLE),
    lambda topics: topics[TABLE]["messages"].pop(),
    lambda topics: topics[TABLE]["messages"].reverse(),
    lambda topics: topics[TABLE]["messages"][0].update(partition_key='{"id":2}'),
    lambda topics: topics[TABLE]["messages"][0].update(schema_version=1),
    lambda topics: topics[TABLE]["messages"][0].update(payload=topics[TABLE]["messages"][0]["payload"].replace('"op":"r"', '"op":"c"')),
    lambda topics: topics[TABLE]["schemas"][1].update(version=2),
    lambda topics: topics[TABLE]["schemas"][0]["data"]["value"]["fields"].reverse(),
])
def test_finds_a_change(change):
    recording = golden.recorded(FOLDER / "default")
    changed = copy.deepcopy(recording)
    change(changed)
    assert golden.differences(recording, changed)


def test_unstable_values_keep_null_and_zero():
    assert golden.normalise('{"ts_ms":17,"server_id":0,"gtid":null,"pos":4,"v":"\\"ts_ms\\":17"}') == \
        '{"ts_ms":<ts_ms>,"server_id":0,"gtid":null,"pos":<pos>,"v":"\\"ts_ms\\":17"}'


def test_snapshot_json_is_compacted_where_reviewed():
    topics = golden.compact_json_of_snapshot_rows(golden.recorded(FOLDER / "default"))
    first = topics["persistent://public/default/aeroalpesdb.reservas.tipos"]["messages"][0]["payload"]
    assert '"j":"{\\"a\\":[1,2.5,\\"ñ\\"],\\"b\\":null}"' in first
