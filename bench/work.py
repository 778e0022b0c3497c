"""The work that is measured: table `perf.orders` with ten columns, as many rows and as large transactions as asked for."""

import random
import time

WORDS = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon").split()

CREATE = """CREATE DATABASE perf; CREATE TABLE perf.orders (
  id BIGINT NOT NULL PRIMARY KEY, customer INT NOT NULL, sku VARCHAR(32) NOT NULL, email VARCHAR(64), amount DECIMAL(10,2) NOT NULL,
  status TINYINT NOT NULL, created DATETIME(6) NOT NULL, updated TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, note TEXT, score DOUBLE)"""


class Rows:
    """Seeded rows as SQL value lists; about 190 bytes each in the log."""

    def __init__(self, seed=42):
        self._random = random.Random(seed)

    def values(self, key):
        r = self._random
        note = " ".join(r.choices(WORDS, k=17))[:100].ljust(100, ".")
        return (f"({key},{r.randrange(1, 1000000)},'SKU-{r.getrandbits(32):08x}-{r.choice(WORDS)}',"
                f"'{r.choice(WORDS)}.{r.choice(WORDS)}{r.randrange(10000)}@example.com',{r.randrange(100000)}.{r.randrange(100):02d},{r.randrange(5)},"
                f"'2024-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d} {r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}"
                f".{r.randrange(1000000):06d}','2024-05-{r.randrange(1, 29):02d} {r.randrange(24):02d}:{r.randrange(60):02d}:00',"
                f"'{note}',{r.random() * 1000!r})")


def fill(database, rows, rows_in_statement, first_key):
    """Inserts rows, each statement a transaction. The server does not sync meanwhile; measured is what reads them later."""
    database.client("SET GLOBAL sync_binlog = 0; SET GLOBAL innodb_flush_log_at_trx_commit = 0")
    session, generator = database.session(), Rows()
    session.stdin.write(b"USE perf; SET time_zone = '+00:00';\n")
    for start in range(first_key, first_key + rows, rows_in_statement):
        keys = range(start, min(start + rows_in_statement, first_key + rows))
        session.stdin.write(("INSERT INTO orders VALUES " + ",".join(map(generator.values, keys)) + ";\n").encode())
    session.stdin.close()
    if session.wait():
        raise RuntimeError("the rows could not be inserted")
    database.client("SET GLOBAL sync_binlog = 1; SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    count = int(database.client("SELECT count(*) FROM perf.orders"))
    assert count == first_key - 1 + rows, f"{count} rows in the table"


def insert_at_rate(database, first_key, count, per_second):
    """Single-row transactions at a steady rate; returns when the last is sent."""
    session, generator = database.session(), Rows(7)
    session.stdin.write(b"USE perf; SET time_zone = '+00:00';\n")
    start = time.monotonic()
    for i in range(count):
        while (pause := start + i / per_second - time.monotonic()) > 0:
            time.sleep(pause)
        session.stdin.write(f"INSERT INTO orders VALUES {generator.values(first_key + i)};\n".encode())
        session.stdin.flush()
    session.stdin.close()
    session.wait()
