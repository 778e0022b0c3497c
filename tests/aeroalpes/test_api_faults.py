"""The API while the database is away, silent, slow or somebody else's; its bounds; how it ends."""

import contextlib
import http.client
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pulsar
import pytest
from programa import COMANDOS, callado, comando
from pulsar.schema import AvroSchema

from harness import servers
from harness.aeroalpes import Api, binary, booking, leg, prepare
from harness.process import Process, wait_until


@pytest.fixture
def api(database):
    running = Api(database)
    yield running
    assert running.stop() == 0, running.log()


def kill(database):
    database.process.kill()


def restart(database):
    """The server again on its old port, which clients know."""
    database.process = Process([database.script, "foreground", "--port", database.port, "--datadir", database.folder.path / "data", *database._options])
    wait_until("the server's greeting", lambda: database.process.must_run() or database._greets(), 600)


class Lock:
    """Another session that holds rows until it is told to let go; known to hold them when this is made."""

    def __init__(self, database, sql):
        self._database, self._session = database, database.session()
        # A named lock behind the rows' one: when it is held, so are the rows.
        self._say(f"USE reservas; BEGIN; {sql}; SELECT GET_LOCK('prueba', 0);")
        wait_until("the other session's locks", lambda: database.client("SELECT IS_USED_LOCK('prueba') IS NOT NULL").strip() == "1", 30)

    def _say(self, sql):
        self._session.stdin.write(sql.encode() + b"\n")
        self._session.stdin.flush()

    def release(self):
        self._say("COMMIT; DO RELEASE_LOCK('prueba');")
        self._session.stdin.close()
        self._session.wait(30)


@contextlib.contextmanager
def every_connection_busy(api, database, identity, count):
    """The API's connections wait within a statement for a row, and nothing of what they do is stored."""
    lock = Lock(database, f"SELECT id FROM reservas WHERE id = '{identity}' FOR UPDATE")
    try:
        with ThreadPoolExecutor(count) as pool:
            answers = [pool.submit(api.call, "POST", f"/vuelos/reserva/{identity}/aprobar", timeout=60) for _ in range(count)]
            wait_until("all connections' waits", lambda: waiting(database) == count, 30)
            yield answers
    finally:
        lock.release()


def in_background(function):
    """Runs a call beside the test; the result comes by `.result()`."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(function)
    pool.shutdown(wait=False)
    return future


def waiting(database):
    """How many statements of the API wait for a row's lock."""
    return int(database.client("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"))


AWAY = "La base de datos no está disponible en este momento; intente de nuevo en unos segundos"


def can_book(api):
    """The health check of the API's container."""
    return Process([binary(), "salud", f"http://127.0.0.1:{api.port}/ready", "--si", "base_de_datos=up"])


def test_a_database_that_is_killed_gives_503_until_it_is_back(api, database):
    identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
    kill(database)
    for method, path, body in [("POST", "/vuelos/reserva", booking()), ("GET", f"/vuelos/reserva/{identity}", None), ("GET", "/vuelos/reserva", None),
                               ("POST", f"/vuelos/reserva/{identity}/aprobar", None), ("GET", "/cliente/usuarios", None)]:
        answer = api.call(method, path, body)
        assert (answer.status, answer.json, answer.headers["retry-after"]) == (503, {"error": AWAY}, "2"), answer
    assert api.call("GET", "/health").status == 200
    assert api.call("GET", "/ready").json["base_de_datos"] == "down"
    assert can_book(api).wait() == 1
    # What needs no database goes on telling what is wrong.
    assert api.call("POST", "/vuelos/reserva", {}).status == 400
    restart(database)
    wait_until("readiness", lambda: api.call("GET", "/ready").json["base_de_datos"] == "up", 30)
    assert api.call("GET", "/ready").status == 503, "there is no broker"
    assert can_book(api).wait() == 0
    assert api.call("GET", f"/vuelos/reserva/{identity}").status == 200
    assert api.call("POST", "/vuelos/reserva", booking()).status == 202


def test_a_database_that_falls_silent_gives_503_until_it_speaks_again(database):
    """A statement had no bound: each that was under way kept its request and its connection for ever."""
    broker = servers.Bitacora()
    api = Api(database, broker.port, env={"DB_CONNECTIONS": "4"})
    client = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        record, message = comando(id_usuario="callada")
        producer = client.create_producer(COMANDOS, schema=AvroSchema(record))
        identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
        with every_connection_busy(api, database, identity, 4) as answers, callado(database.process):
            assert api.call("GET", "/health").status == 200
            started = time.monotonic()
            assert api.call("GET", "/ready").json["base_de_datos"] == "down"
            assert time.monotonic() - started < 5
            producer.send(message)
            for answer in answers:
                assert (answer.result(30).status, answer.result().headers["retry-after"]) == (503, "2"), answer.result()
            # The connections that were under way are closed: they are not what the next ones wait for.
            wait_until("four closed connections", lambda: api.log().count("error from `after_release`") == 4, 30)
            with ThreadPoolExecutor(8) as pool:
                for answer in pool.map(lambda _: api.call("POST", "/vuelos/reserva", booking()), range(8)):
                    assert (answer.status, answer.json, answer.headers["retry-after"]) == (503, {"error": AWAY}, "2"), answer
            wait_until("a command that waits", lambda: "a message could not be handled" in api.log(), 30)
        wait_until("readiness", lambda: api.call("GET", "/ready").status == 200, 30)
        with ThreadPoolExecutor(8) as pool:
            assert {answer.status for answer in pool.map(lambda _: api.call("POST", "/vuelos/reserva", booking()), range(32))} == {202}
        assert api.call("GET", f"/vuelos/reserva/{identity}").json["estado"] == "PENDIENTE"
        assert database.client(f"SELECT COUNT(*) FROM eventos_reserva WHERE id_entidad = '{identity}'", "reservas").strip() == "1"
        wait_until("the command's reservation", lambda: api.call("GET", "/vuelos/reserva?id_cliente=callada").json["total"] == 1, 90)
    finally:
        client.close()
        assert api.stop() == 0, api.log()
        assert broker.stop() == 0


def test_a_silent_database_does_not_hold_back_the_end(database):
    api = Api(database, env={"DB_CONNECTIONS": "4"})
    identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
    with every_connection_busy(api, database, identity, 4) as answers, callado(database.process):
        assert api.process.terminate(45) == 0, api.log()
        assert {answer.result(10).status for answer in answers} == {503}
    api.start()
    assert api.stop() == 0


def test_a_read_without_an_answer_is_given_up(api, database):
    """A table that somebody has locked is as silent as a frozen server."""
    lock = Lock(database, "LOCK TABLES reservas WRITE")
    try:
        answer = in_background(lambda: api.call("GET", "/vuelos/reserva", timeout=30))
        started = time.monotonic()
        assert api.call("GET", "/ready").json["base_de_datos"] == "down"
        assert time.monotonic() - started < 5
        assert (answer.result(30).status, answer.result().json) == (503, {"error": AWAY}), answer.result()
    finally:
        lock.release()
    wait_until("the list", lambda: api.call("GET", "/vuelos/reserva").status == 200, 30)


def test_a_second_ctrl_c_ends_at_once(database):
    api = Api(database, env={"DB_CONNECTIONS": "4"})
    identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
    with every_connection_busy(api, database, identity, 4) as answers, callado(database.process):
        os.kill(api.process.pid, signal.SIGINT)
        wait_until("its word that the end takes longer", lambda: "Ctrl-C lo corta" in api.log(), 10)
        assert api.process.stop(5) == 130, api.log()
        assert all(isinstance(answer.exception(10), (OSError, http.client.HTTPException)) for answer in answers)


def test_bookings_over_a_kill_are_stored_whole_or_not_at_all(api, database):
    """Clients repeat with their key until it works: each key has one reservation with one event and all its rows."""
    stop, booked, lock = threading.Event(), {}, threading.Lock()

    def write(writer):
        number = 0
        while not stop.is_set():
            key, number = f"k{writer}-{number}", number + 1
            while True:
                answer = api.call("POST", "/vuelos/reserva", booking(leg("KIL", f"L{writer}"), client=key), {"Idempotency-Key": key})
                assert answer.status in (202, 503), answer
                if answer.status == 202:
                    with lock:
                        booked[key] = answer.json["id"]
                    break

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, writer) for writer in range(6)]
        for wanted in (100, 250):
            wait_until("bookings", lambda: any(w.done() for w in writers) or len(booked) >= wanted, 120)
            kill(database)
            restart(database)
        wait_until("bookings after the last kill", lambda: any(w.done() for w in writers) or len(booked) >= 400, 120)
        stop.set()
        for writer in writers:
            writer.result()
    found = dict(line.split("\t") for line in database.client(
        "SELECT id_cliente, MIN(id) FROM reservas WHERE id_cliente LIKE 'k%-%' GROUP BY id_cliente HAVING COUNT(*) = 1", "reservas").splitlines())
    assert found == booked
    incomplete = database.client("""SELECT COUNT(*) FROM reservas r WHERE id_cliente LIKE 'k%-%' AND (
        (SELECT COUNT(*) FROM eventos_reserva WHERE id_entidad = r.id) <> 1 OR
        (SELECT COUNT(*) FROM reservas_itinerarios WHERE reserva_id = r.id) <> 1 OR
        (SELECT COUNT(*) FROM claves_idempotencia WHERE id_reserva = r.id AND clave = r.id_cliente) <> 1)""", "reservas")
    assert incomplete.strip() == "0"
    orphans = "SELECT COUNT(*) FROM eventos_reserva WHERE id_entidad NOT IN (SELECT id FROM reservas)"
    assert database.client(orphans, "reservas").strip() == "0"


def test_the_api_starts_before_its_database_and_makes_the_tables_when_it_comes(database):
    kill(database)
    api = Api(database, wait=False)
    try:
        assert api.call("GET", "/health").status == 200
        answer = api.call("POST", "/vuelos/reserva", booking())
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        restart(database)
        database.client("DROP DATABASE reservas")
        assert api.call("GET", "/vuelos/reserva").status == 503
        prepare(database)
        api.wait_for_database()
        assert api.call("POST", "/vuelos/reserva", booking()).status == 202
        # Another database in the place of the prepared one is noticed by the first request.
        database.client("DROP DATABASE reservas")
        prepare(database)
        assert api.call("GET", "/vuelos/reserva").status == 503
        wait_until("the tables again", lambda: api.call("POST", "/vuelos/reserva", booking()).status == 202, 30)
    finally:
        assert api.stop() == 0, api.log()


def test_old_rows_go_and_young_ones_stay(database):
    old = "01900000-0000-7000-8000-000000000000"  # of June 2024
    content = "'2024-06-01 00:00:00', 'v1', 'ReservaCreada', 'JSON', 'aeroalpes', '{}'"
    api = Api(database)
    young = api.call("POST", "/vuelos/reserva", booking(), {"Idempotency-Key": "joven"}).json["id"]
    assert api.stop() == 0
    database.client(f"""INSERT INTO eventos_reserva VALUES ('{old}', 'x', {content}), ('no-es-uuid', 'x', {content});
        INSERT INTO claves_idempotencia VALUES ('vieja', '{"0" * 64}', 'x', UTC_TIMESTAMP() - INTERVAL 49 HOUR);
        INSERT INTO mensajes_recibidos VALUES ('c', 'viejo', 1, UTC_TIMESTAMP() - INTERVAL 15 DAY), ('c', 'joven', 1, UTC_TIMESTAMP() - INTERVAL 13 DAY)""", "reservas")
    left = lambda sql: database.client(sql, "reservas").split()
    api.start()
    try:
        wait_until("the cleaning", lambda: "se borraron filas viejas de las bandejas y de las claves de idempotencia" in api.log(), 30)
        assert left(f"SELECT id_entidad FROM eventos_reserva WHERE id_entidad IN ('x', '{young}') ORDER BY id") == [young, "x"]
        assert left(f"SELECT COUNT(*) FROM eventos_reserva WHERE id = '{old}'") == ["0"]
        assert left("SELECT clave FROM claves_idempotencia WHERE clave IN ('vieja', 'joven')") == ["joven"]
        assert left("SELECT event_id FROM mensajes_recibidos WHERE consumer = 'c'") == ["joven"]
    finally:
        assert api.stop() == 0, api.log()


def test_a_body_that_never_ends_is_not_waited_for(api):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    connection.putrequest("POST", "/vuelos/reserva")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.send(b"{")
    answer = connection.getresponse()
    assert answer.status == 408 and "El cuerpo no lleg" in answer.read().decode()
    connection.close()


def test_connections_are_bounded_and_silent_ones_are_closed(database):
    """Two clients that open a connection and say nothing keep a third one out for as long as a header may take, and no longer."""
    api = Api(database, arguments=["--conexiones", "2", "--cabecera-ms", "1500"])
    try:
        wait_until("no connection", lambda: api.call("GET", "/health").status == 200)
        silent = [socket.create_connection(("127.0.0.1", api.port), 10) for _ in range(2)]
        silent[0].sendall(b"GET /health HTTP/1.1\r\nHost:")
        started = time.monotonic()
        assert api.call("GET", "/health").status == 200
        assert time.monotonic() - started > 0.5, "it had to wait for a place"
        for one in silent:
            one.settimeout(10)
            while one.recv(4096):
                pass  # A last word is allowed; then the connection is closed.
            one.close()
        # A client that speaks keeps its connection from one request to the next.
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
        for _ in range(3):
            connection.request("GET", "/health")
            assert connection.getresponse().read() == b'{"status":"up"}'
        connection.close()
    finally:
        assert api.stop() == 0, api.log()


TUTORIAL = """CREATE TABLE reservas (id VARCHAR(40) NOT NULL PRIMARY KEY, fecha_creacion DATETIME NOT NULL, fecha_actualizacion DATETIME NOT NULL);
    CREATE TABLE itinerarios (odo_orden INT NOT NULL, segmento_orden INT NOT NULL, leg_orden INT NOT NULL, fecha_salida DATETIME NOT NULL,
        fecha_llegada DATETIME NOT NULL, origen_codigo VARCHAR(10) NOT NULL, destino_codigo VARCHAR(10) NOT NULL,
        PRIMARY KEY (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo));
    CREATE TABLE reservas_itinerarios (reserva_id VARCHAR(40), odo_orden INT, segmento_orden INT, leg_orden INT, fecha_salida DATETIME,
        fecha_llegada DATETIME, origen_codigo VARCHAR(10), destino_codigo VARCHAR(10), FOREIGN KEY (reserva_id) REFERENCES reservas (id),
        FOREIGN KEY (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo) REFERENCES
        itinerarios (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo));
    CREATE TABLE eventos_reserva (id VARCHAR(40) NOT NULL PRIMARY KEY, id_entidad VARCHAR(40) NOT NULL, fecha_evento DATETIME NOT NULL,
        version VARCHAR(10) NOT NULL, tipo_evento VARCHAR(100) NOT NULL, formato_contenido VARCHAR(10) NOT NULL,
        nombre_servicio VARCHAR(40) NOT NULL, contenido TEXT NOT NULL);
    CREATE TABLE usuarios_legado (id INT NOT NULL PRIMARY KEY AUTO_INCREMENT, nombres VARCHAR(255), apellidos VARCHAR(255), direccion VARCHAR(255),
        telefono VARCHAR(255), email VARCHAR(255), password VARCHAR(255));"""


def insert_as_the_tutorial_does(database, identity):
    flight = "0, 0, 0, '2022-11-22 13:10:00', '2022-11-22 15:10:00', 'TUT', 'ORI'"
    columns = "odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo"
    database.client(f"""INSERT INTO reservas (id, fecha_creacion, fecha_actualizacion) VALUES ('{identity}', '2022-11-01 00:00:00', '2022-11-01 00:00:00');
        INSERT IGNORE INTO itinerarios ({columns}) VALUES ({flight});
        INSERT INTO reservas_itinerarios (reserva_id, {columns}) VALUES ('{identity}', {flight})""", "reservas")


def test_the_tutorials_tables_are_completed_and_its_writes_still_work(database):
    database.client("DROP DATABASE IF EXISTS reservas")
    prepare(database)
    database.client(TUTORIAL, "reservas")
    insert_as_the_tutorial_does(database, "antes")
    api = Api(database)
    try:
        insert_as_the_tutorial_does(database, "despues")
        for identity in ("antes", "despues"):
            found = api.call("GET", f"/vuelos/reserva/{identity}").json
            assert found == {"id": identity, "id_cliente": None, "estado": "PENDIENTE", "fecha_creacion": "2022-11-01T00:00:00Z",
                             "fecha_actualizacion": "2022-11-01T00:00:00Z", **booking({**leg("TUT", "ORI", names=False)})}
            assert api.call("POST", f"/vuelos/reserva/{identity}/aprobar").status == 200
        body = booking(leg("TUT", "ORI"))
        identity = api.call("POST", "/vuelos/reserva", body).json["id"]
        assert api.call("GET", f"/vuelos/reserva/{identity}").json["itinerarios"] == body["itinerarios"]
        # A second start finds everything there.
        assert api.stop() == 0
        api.start()
        assert api.call("GET", "/vuelos/reserva").json["total"] == 3
    finally:
        assert api.stop() == 0, api.log()
        database.client("DROP DATABASE reservas")
        prepare(database)


def test_a_lock_that_is_kept_too_long_repeats_the_whole_unit(api, database):
    identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
    lock = Lock(database, f"SELECT id FROM reservas WHERE id = '{identity}' FOR UPDATE")
    answer = in_background(lambda: api.call("POST", f"/vuelos/reserva/{identity}/aprobar", timeout=60))
    wait_until("the second try", lambda: answer.done() or "se repite una unidad de trabajo" in api.log(), 30)
    lock.release()
    assert answer.result(30).status == 200
    assert database.client(f"SELECT COUNT(*) FROM eventos_reserva WHERE id_entidad = '{identity}'", "reservas").strip() == "2"


def test_more_requests_than_there_is_room_for_are_refused_at_once(database):
    api = Api(database, arguments=["--en-vuelo", "1"])
    try:
        identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
        lock = Lock(database, f"SELECT id FROM reservas WHERE id = '{identity}' FOR UPDATE")
        answer = in_background(lambda: api.call("POST", f"/vuelos/reserva/{identity}/aprobar", timeout=60))
        wait_until("the first request's wait", lambda: answer.done() or waiting(database), 30)
        refused = api.call("POST", "/vuelos/reserva", booking())
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        assert refused.json == {"error": "Hay demasiadas peticiones en curso; intente de nuevo en unos segundos"}
        assert api.call("GET", "/health").status == 200
        lock.release()
        assert answer.result(30).status == 200
        assert api.call("POST", "/vuelos/reserva", booking()).status == 202
    finally:
        assert api.stop() == 0, api.log()


def test_requests_in_flight_finish_when_the_end_is_asked_for(database):
    api = Api(database)
    identity = api.call("POST", "/vuelos/reserva", booking()).json["id"]
    lock = Lock(database, f"SELECT id FROM reservas WHERE id = '{identity}' FOR UPDATE")
    answer = in_background(lambda: api.call("POST", f"/vuelos/reserva/{identity}/aprobar", timeout=60))
    wait_until("the request's wait", lambda: answer.done() or waiting(database), 30)
    ended = in_background(api.stop)

    def refused():
        try:
            http.client.HTTPConnection("127.0.0.1", api.port, timeout=5).connect()
        except ConnectionError:
            return True

    wait_until("the closed door", refused, 30)
    lock.release()
    assert answer.result(30).status == 200
    assert ended.result(30) == 0, api.log()


@pytest.mark.parametrize("variable, value, words", [("DB_PORT", "70000", "DB_PORT"), ("DB_CONNECTIONS", "muchas", "DB_CONNECTIONS"),
                                                    ("PULSAR_SERVICE_URL", "http://x", "PULSAR_SERVICE_URL")])
def test_a_wrong_variable_ends_the_start_with_one_sentence(variable, value, words):
    from harness.aeroalpes import binary
    process = Process([binary(), "api", "--escuchar", "127.0.0.1:0"], env={variable: value})
    assert process.wait(30) == 1
    assert process.stderr().count("\n") == 1 and process.stderr().startswith("aeroalpes: ") and words in process.stderr()
