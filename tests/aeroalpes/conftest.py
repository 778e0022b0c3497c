"""Fixtures of AeroAlpes' tests."""

import pytest

from harness import servers
from harness.aeroalpes import prepare


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def database(request):
    """A server of each kind, with the empty database of the contract."""
    server = servers.Database(request.param)
    prepare(server)
    yield server
    server.stop()
