"""Objects of a server that are no tables: no topic, no message."""

import json

from harness import servers, wire
from harness.servers import streaming


def test_a_sequence_is_no_table(database):
    """The numbers that a sequence of MariaDB reserves are rows in the log, and came as events of a table. A table that looks like a
    sequence stays one."""
    database.client("CREATE DATABASE sq; CREATE TABLE sq.t (id INT PRIMARY KEY); CREATE SEQUENCE sq.old CACHE 1; CREATE VIEW sq.v AS SELECT 1 AS a; "
                    "CREATE TABLE sq.copy AS SELECT * FROM sq.old")
    running = servers.Bitacora(servers.source_toml(database, "s", ["sq.*"]))
    streaming(running.process)
    database.client("SELECT NEXTVAL(sq.old); CREATE SEQUENCE sq.new CACHE 1; SELECT NEXTVAL(sq.new); SELECT SETVAL(sq.new, 50); "
                    "INSERT INTO sq.copy SELECT * FROM sq.new; INSERT INTO sq.t VALUES (1)")
    copies = [json.loads(m["payload"])["op"] for m in wire.dump(running.url, "persistent://public/default/s.sq.copy", 2)]
    assert copies == ["r", "c"]
    assert [t.rsplit("/", 1)[1] for t in servers.topics(running.admin)] == ["s", "s.sq.copy", "s.sq.t"]
    assert "sq.old is a sequence" in running.process.stderr(), running.process.stderr()
    assert running.stop() == 0, running.process.stderr()
