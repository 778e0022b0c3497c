"""Fixtures for tests that talk to `bitacora` from outside."""

import pulsar
import pytest

from harness import servers
from harness.process import Process


def pytest_addoption(parser):
    parser.addoption("--real-pulsar", action="store_true", help="run the client tests against Apache Pulsar, to check the tests themselves")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its processes said, the servers' too."""
    report = yield
    if report.failed:
        for process in sorted(Process.known, key=lambda process: process.started):
            report.sections.append((f"process {process.pid}", process.report()))
    return report


@pytest.fixture(scope="session")
def real_pulsar(request):
    if not request.config.getoption("--real-pulsar"):
        yield None
        return
    running = servers.Pulsar("brokerDeduplicationEnabled=true")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def broker(real_pulsar):
    """A fresh embedded broker: `url`, `admin`, `http`, `process`."""
    if real_pulsar:
        # Nobody subscribes before these tests send; an embedded broker keeps what was sent, a real one needs to be told.
        real_pulsar.keep_messages()
        yield real_pulsar
        return
    running = servers.Bitacora()
    yield running
    assert running.stop() == 0, running.process.stderr()


@pytest.fixture
def client(broker):
    """The official client, connected to the broker."""
    connection = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def mysql():
    server = servers.Database("mysql")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mariadb():
    server = servers.Database("mariadb")
    yield server
    server.stop()


@pytest.fixture
def topic(request):
    """A topic name of the test's own."""
    name = request.node.name.translate(str.maketrans("[]/ ", "----"))
    return f"persistent://public/default/{name}"
