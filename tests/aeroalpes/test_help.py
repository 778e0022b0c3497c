"""What `--help` of each part says about its environment."""

import re
import subprocess

import pytest

from harness.aeroalpes import binary
from harness.process import ROOT


@pytest.mark.parametrize("part, addresses", [("api", {"PULSAR_SERVICE_URL"}), ("ui", {"PULSAR_SERVICE_URL", "AEROALPES_ADDRESS"}), ("sidecar", {"AEROALPES_ADDRESS"}),
                                             ("notificaciones", {"PULSAR_SERVICE_URL", "AEROALPES_ADDRESS"})])
def test_help_names_every_variable_that_a_part_reads(part, addresses):
    """Its own ones are found in its sources, where nothing else in quotes looks like one but the folder of the build; those of all parts
    are in the contract."""
    files = [*(ROOT / f"aeroalpes/src/{part}").rglob("*.rs"), *(ROOT / "aeroalpes/src/orden").glob(f"{part}.rs")]
    own = {name for file in files for name in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', file.read_text())} - {"OUT_DIR"}
    assert own
    text = subprocess.run([binary(), part, "--help"], check=True, capture_output=True, text=True).stdout
    assert (own | addresses | {"RUST_LOG"}) - set(re.findall(r"\w+", text)) == set()
