#!/usr/bin/env python3
"""The work from which a release build learns which ways through the code are the usual ones (tools/release.sh).

A table of flights on a real MySQL, other than the measured one: a snapshot, then large transactions, updates, deletes and single
rows from the log, into the embedded broker and out to a consumer. $BITACORA_BIN is the build that takes the notes.
"""

import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "tests")]

from harness import servers, wire
from harness.process import wait_until

TABLE = """CREATE DATABASE training; CREATE TABLE training.flights (
  number INT UNSIGNED NOT NULL PRIMARY KEY, airline CHAR(2) NOT NULL, origin VARCHAR(3) NOT NULL, destination VARCHAR(3) NOT NULL,
  departure DATETIME NOT NULL, arrival DATETIME(3), seats SMALLINT UNSIGNED, price DECIMAL(12,3), weight DOUBLE, ratio FLOAT, day DATE,
  duration TIME, state ENUM('open','closed','gone'), remarks TEXT, crew JSON, stamp TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), raw VARBINARY(40))"""
ROWS, SINGLES = 60_000, 2_000


def insert(first, count):
    """One statement that makes up the rows on the server."""
    return f"""SET SESSION cte_max_recursion_depth = 1000000; INSERT INTO training.flights
        WITH RECURSIVE n AS (SELECT {first} AS i UNION ALL SELECT i + 1 FROM n WHERE i < {first + count - 1})
        SELECT i, ELT(1 + i % 3, 'AV', 'LA', 'IB'), ELT(1 + i % 4, 'BOG', 'MDE', 'CLO', 'CTG'), ELT(1 + i % 5, 'JFK', 'MAD', 'LIM', 'EZE', 'MEX'),
          '2026-01-01' + INTERVAL i * 7 MINUTE, IF(i % 9, '2026-01-01' + INTERVAL i * 7919 SECOND, NULL), 80 + i % 220, i * 1.737, SQRT(i), i / 3,
          '2026-01-01' + INTERVAL i % 365 DAY, SEC_TO_TIME(i % 40000), 1 + i % 3,
          IF(i % 4, CONCAT('Flight ', i, ' leaves from gate ', i % 31, ELT(1 + i % 3, '; passengers with children first', '; el equipaje de más se paga aparte', ' "late"')), NULL),
          JSON_OBJECT('pilots', i % 3, 'names', JSON_ARRAY(CONCAT('n', i), 'Ñandú')), NOW(6), UNHEX(SHA2(i, 256)) FROM n"""


def main():
    database = servers.Database("mysql")
    database.client(TABLE)
    database.client(insert(1, ROWS), "training")
    running = servers.Bitacora(servers.source_toml(database, "learn", ["training.flights"]))
    took(running, ROWS)
    running.process.stop()
    for start in range(ROWS, 3 * ROWS, 1000):
        database.client(insert(start + 1, 1000), "training")
    database.client("UPDATE training.flights SET seats = seats + 1, price = price * 1.1 WHERE number % 20 = 0")
    changed = 3 * ROWS // 20
    database.client("DELETE FROM training.flights WHERE number % 40 = 1")
    deleted = 3 * ROWS // 40
    session = database.session()
    session.stdin.write(b"USE training;\n")
    for number in range(SINGLES):
        session.stdin.write(f"INSERT INTO flights (number, airline, origin, destination, departure) VALUES ({10_000_000 + number}, 'AV', 'BOG', 'JFK', NOW());\n".encode())
    session.stdin.close()
    assert session.wait() == 0
    running.start()
    took(running, 3 * ROWS + changed + 2 * deleted + SINGLES)  # a tombstone follows each delete
    code = running.stop()
    database.stop()
    return code


def took(running, count):
    """Reads the topic from its beginning until so many messages have come."""
    stream = wire.TopicStream(running.url, "persistent://public/default/learn.training.flights")

    def arrived():
        nonlocal count
        running.process.must_run()
        entry = stream.entry(1)
        if entry:
            count -= dict(wire.decode_message(entry[1])).get(11, 1)
        return count <= 0

    wait_until(f"{count} messages", arrived, 600, pause=0)
    stream.close()


if __name__ == "__main__":
    sys.exit(main())
