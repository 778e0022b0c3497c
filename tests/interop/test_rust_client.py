"""The tests of our own client (crates/pulsar/tests/real_pulsar.rs) against a real Pulsar; that crate tests it against the embedded broker."""

import os
import subprocess

import pytest

from harness import servers
from harness.process import ROOT


@pytest.mark.conformance
def test_our_client_against_a_real_pulsar():
    pulsar = servers.Pulsar()
    try:
        # Without a cursor a real Pulsar would drop what was sent when a topic is unloaded.
        pulsar.keep_messages()
        command = ["cargo", "test", "--quiet", "-p", "bitacora-pulsar", "--features", "bitacora-pulsar/real-pulsar", "--test", "real_pulsar"]
        # One at a time: a test counts the topics of the namespace that all share.
        done = subprocess.run([*command, "--", "--test-threads", "1"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "BITACORA_PULSAR_URL": pulsar.url, "BITACORA_PULSAR_HTTP": f"http://127.0.0.1:{pulsar.http}"})
    finally:
        pulsar.stop()
    assert done.returncode == 0, done.stdout
