"""What a server's log may hold besides committed rows of one server: rows that were rolled back, prepared transactions, statements,
and the same transactions in the log of another server."""

import json

import pytest
from harness import servers, wire
from harness.process import wait_until
from harness.servers import streaming

TABLE = "CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY, v VARCHAR(4000)) ENGINE=InnoDB"
TOPIC = "persistent://public/default/s.faults.t"


@pytest.fixture(params=["mysql", "mariadb"])
def database(request):
    server = servers.Database(request.param)
    server.client(TABLE)
    yield server
    server.stop()


def source(database, snapshot="initial", tables=("faults.t",)):
    return servers.source_toml(database, "s", list(tables), snapshot=snapshot)


def events(running, last, seconds=30):
    """(op, id) of every event of the topic, in order; waits for the one with id `last`."""
    found = []

    def read():
        payloads = [json.loads(message["payload"]) for message in wire.dump(running.url, TOPIC, 0.5) if message.get("payload")]
        found[:] = [(event["op"], (event["after"] or event["before"])["id"]) for event in payloads]
        return any(id == last for _, id in found)

    wait_until(f"the row {last}", lambda: running.process.must_run() or read(), seconds, pause=0.2)
    return found


def test_rows_that_were_rolled_back_are_never_events(database):
    """MariaDB logs some of them, and says only behind them that they do not count."""
    database.client("CREATE TABLE faults.plain (a INT) ENGINE=MyISAM")
    running = servers.Bitacora(source(database))
    streaming(running.process)
    # MySQL refuses such a mixture while GTIDs are on, and runs the statements around it.
    mixed = "INSERT INTO faults.plain VALUES (1);" if database.product == "mariadb" else ""
    database.client(f"""
        BEGIN; INSERT INTO faults.t VALUES (1, ''); DROP TEMPORARY TABLE IF EXISTS faults.x; ROLLBACK;
        BEGIN; INSERT INTO faults.t VALUES (2, ''); CREATE TEMPORARY TABLE faults.y (a INT); ROLLBACK;
        BEGIN; {mixed} SAVEPOINT s; INSERT INTO faults.t VALUES (3, ''); ROLLBACK TO s; COMMIT;
        BEGIN; {mixed} INSERT INTO faults.t VALUES (10, ''); SAVEPOINT s; INSERT INTO faults.t VALUES (4, ''); SAVEPOINT u;
        INSERT INTO faults.t VALUES (5, ''); ROLLBACK TO S; INSERT INTO faults.t VALUES (11, ''); COMMIT;
        BEGIN; INSERT INTO faults.t VALUES (12, ''); SAVEPOINT s; UPDATE faults.t SET v = 'x' WHERE id = 12; RELEASE SAVEPOINT s; COMMIT;
        INSERT INTO faults.t VALUES (13, '');""")
    assert database.client("SELECT id FROM faults.t ORDER BY id").split() == ["10", "11", "12", "13"]
    assert events(running, 13) == [("c", 10), ("c", 11), ("c", 12), ("u", 12), ("c", 13)]
    assert running.stop() == 0


def test_a_large_transaction_of_mariadb_is_whole():
    """One that is larger than what may wait for the end of its transaction."""
    database = servers.Database("mariadb")
    try:
        database.client(TABLE)
        running = servers.Bitacora(source(database))
        streaming(running.process)
        database.client("INSERT INTO faults.t SELECT seq, REPEAT('x', 3000) FROM seq_1_to_12000", "faults")
        database.client("INSERT INTO faults.t VALUES (99999, '')")
        found = events(running, 99_999, 60)
        assert found == [("c", id) for id in [*range(1, 12_001), 99_999]]
        assert running.stop() == 0
    finally:
        database.stop()


def test_an_xa_transaction_prepared_before_the_snapshot_is_not_lost(database):
    database.client("XA START 'a'; INSERT INTO faults.t VALUES (1, ''); XA END 'a'; XA PREPARE 'a'")
    running = servers.Bitacora(source(database))
    try:
        if database.product == "mariadb":
            # The account may ask for prepared transactions: the snapshot waits for the decision.
            wait_until("its start", lambda: running.process.must_run() or "snapshot" not in running.process.stdout(), 5)
            database.client("XA COMMIT 'a'")
            streaming(running.process)
            assert events(running, 1) == [("r", 1)]
            assert running.stop() == 0
        else:
            streaming(running.process)
            database.client("XA COMMIT 'a'")
            assert running.process.wait(30) == 1
            last = running.process.stderr().splitlines()[-1]
            assert "XA transaction" in last and "binlog.0" in last and "new snapshot" in last, last
    finally:
        running.process.kill()
        running.folder.remove()


def test_the_stream_from_the_oldest_log(database):
    database.client("""INSERT INTO faults.t VALUES (1, 'a'); FLUSH BINARY LOGS; INSERT INTO faults.t VALUES (2, 'b');
        ALTER TABLE faults.t ADD c INT; UPDATE faults.t SET c = 7 WHERE id = 1""")
    running = servers.Bitacora(source(database, "never"))
    streaming(running.process)
    database.client("INSERT INTO faults.t VALUES (3, 'c', 1)")
    assert events(running, 3) == [("c", 1), ("c", 2), ("u", 1), ("c", 3)]
    assert running.stop() == 0


def test_another_server_of_the_same_transactions(database):
    """The source reads from a replica, whose events are larger, is killed, and goes on at the replica's own source."""
    replica = servers.Database(database.product, extra="--server-id=2 --log-slave-updates=ON" if database.product == "mariadb" else "--server-id=2")
    running = None
    try:
        if database.product == "mariadb":
            replica.client(f"""STOP SLAVE; SET GLOBAL gtid_slave_pos = '';
                CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {database.port}, MASTER_USER = 'debezium', MASTER_PASSWORD = 'dbz',
                MASTER_USE_GTID = slave_pos; START SLAVE""")
        else:
            replica.client(f"""CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {database.port}, SOURCE_USER = 'debezium',
                SOURCE_PASSWORD = 'dbz', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA""")
        wait_until("the replica", lambda: "faults" in replica.client("SHOW DATABASES"), 30)
        running = servers.Bitacora(source(replica))
        streaming(running.process)
        rows = "".join(f"INSERT INTO faults.t VALUES ({id}, '');" for id in range(1, 1_501))
        database.client(rows)
        events(running, 1_500)
        running.process.kill()  # its last checkpoint lies before most of these rows
        database.client("".join(f"INSERT INTO faults.t VALUES ({id}, '');" for id in range(1_501, 1_601)))
        running._configuration = source(database)
        running.start()
        streaming(running.process)
        assert "is another server now" in running.process.stderr()
        found = [id for _, id in events(running, 1_600)]
        assert set(found) == set(range(1, 1_601)), sorted(set(range(1, 1_601)) - set(found))
        again = found[1_500:]
        assert again == list(range(again[0], 1_601)), "what came again came in order, and once"
        assert running.stop() == 0
    finally:
        if running:
            running.process.kill()
        replica.stop()


def test_a_table_that_is_captured_later_has_its_types(database):
    """Types that the log stores as others are known of a table that was not captured at the first start."""
    column, value, printed = ("u UUID", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000") \
        if database.product == "mariadb" else ("u FLOAT(7,2)", "1.25", 1.25)
    database.client(f"CREATE TABLE faults.later (id INT PRIMARY KEY, {column} COMMENT 'told')")
    running = servers.Bitacora(source(database))
    streaming(running.process)
    assert running.process.stop() == 0
    running._configuration = source(database, tables=["faults.t", "faults.later"])
    for start in range(2):
        running.start()
        streaming(running.process)
        assert ("is captured that was not before" in running.process.stderr()) == (start == 0)
        database.client(f"INSERT INTO faults.later VALUES ({start}, {value})")
        topic = "persistent://public/default/s.faults.later"
        read = lambda: [json.loads(m["payload"])["after"] for m in wire.dump(running.url, topic, 0.3) if m.get("payload")]
        wait_until("the row", lambda: running.process.must_run() or len(read()) == start + 1, 30)
        assert read()[start] == {"id": start, "u": printed}
        assert "description" not in running.process.stderr()
        assert running.process.stop() == 0
    running.folder.remove()
