"""The other way round: the same programs against an Apache Pulsar, by its address alone."""

import sys

import pytest

from harness import servers
from harness.airline import Airline
from harness.process import ROOT

sys.path.append(str(ROOT / "demo"))

import check


@pytest.mark.conformance
def test_the_demo_holds_on_a_real_pulsar():
    airline = Airline("mysql", pulsar=servers.Pulsar("brokerDeduplicationEnabled=true"))
    try:
        check.run(airline)
    finally:
        codes = airline.stop()
    assert not codes
