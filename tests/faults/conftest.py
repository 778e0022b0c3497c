"""The server that the tests of a file share; a test that harms its server has one of its own."""

import pytest
from harness.servers import Database


@pytest.fixture(scope="module")
def database():
    server = Database("mariadb")
    server.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY, v INT); INSERT INTO faults.t VALUES (1, 1);")
    yield server
    server.stop()
