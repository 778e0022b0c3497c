"""The HTTP API of AeroAlpes line by line, on MySQL and MariaDB. Faults of the tutorial are regressions here, named after what broke."""

import json
import re
import threading
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import jsonschema
import pytest
from openapi_spec_validator import validate

from harness.aeroalpes import ACCOUNT, Api, booking, leg
from harness.process import wait_until


@pytest.fixture(scope="module")
def api(database):
    running = Api(database)
    yield running
    assert running.stop() == 0, running.log()


def rows(database, sql):
    return [line.split("\t") for line in database.client(sql, "reservas").splitlines()]


def count(database, table, where="1 = 1"):
    return int(database.client(f"SELECT COUNT(*) FROM {table} WHERE {where}", "reservas"))


def book(api, body=None, **headers):
    answer = api.call("POST", "/vuelos/reserva", body or booking(), headers)
    assert answer.status == 202, answer
    return answer.json["id"]


def error(answer, status, text, place=None):
    assert answer.status == status, answer
    assert answer.json == {"error": text, **({"campo": place} if place else {})}


# Health and description


def test_health_says_that_the_process_runs_and_ready_what_it_lacks(api):
    assert (api.call("GET", "/health").status, api.call("GET", "/health").json) == (200, {"status": "up"})
    ready = api.call("GET", "/ready")
    assert (ready.status, ready.json) == (503, {"status": "down", "base_de_datos": "up", "broker": "down"})


def test_the_page_of_the_description_needs_no_other_machine(api):
    moved = api.call("GET", "/docs")
    assert (moved.status, moved.headers["location"]) == (303, "/docs/")
    page = api.call("GET", "/docs/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy and "http" not in policy
    files = re.findall(r'(?:src|href)="(?:\./)?([^"]+)"', page.text)
    assert {"swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"} <= set(files)
    texts = {"": page.text}
    for name in files:
        with urllib.request.urlopen(f"http://127.0.0.1:{api.port}/docs/{name}") as answer:
            assert answer.status == 200 and answer.headers["content-security-policy"] == policy, name
            texts[name] = answer.read().decode(errors="replace")
    # The viewer's program names hosts (of namespaces, of its licences): the policy keeps it from asking any of them.
    for name in texts.keys() - {"swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"}:
        assert not re.search(r"https?://(?!www\.w3\.org/)", texts[name]), name
    settings = texts["swagger-initializer.js"]
    assert '"/spec"' in settings and re.search(r'"validatorUrl":\s*"none"', settings)


def resolve(specification, schema):
    """The schema with the components of the document beside it, so that its references are found."""
    return {**schema, "components": specification["components"]}


def test_answers_are_what_the_description_says(api):
    specification = api.call("GET", "/spec").json
    assert specification["openapi"].startswith("3.")
    validate(specification)
    client = uuid.uuid4().hex
    identity = book(api, booking(leg(), client=client, passengers=["ADULTO"]))
    user = {"nombres": "Ana", "apellidos": "Rojas", "email": "ana@example.com", "password": "muy secreta"}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    number = api.call("POST", "/cliente/usuarios", user).json["id"]
    seen = set()
    for method, template, path, body, headers, status in [
        ("post", "/vuelos/reserva", None, booking(), key, 202),
        ("post", "/vuelos/reserva", None, booking(client="otro"), key, 422),
        ("post", "/vuelos/reserva", None, {}, {}, 400),
        ("post", "/vuelos/reserva", None, b"{}", {}, 415),
        ("get", "/vuelos/reserva", f"/vuelos/reserva?id_cliente={client}", None, {}, 200),
        ("get", "/vuelos/reserva", "/vuelos/reserva?pagina=0", None, {}, 400),
        ("get", "/vuelos/reserva/{id}", f"/vuelos/reserva/{identity}", None, {}, 200),
        ("get", "/vuelos/reserva/{id}", "/vuelos/reserva/nada", None, {}, 404),
        ("post", "/vuelos/reserva/{id}/pagar", f"/vuelos/reserva/{identity}/pagar", None, {}, 409),
        ("post", "/vuelos/reserva/{id}/aprobar", f"/vuelos/reserva/{identity}/aprobar", None, {}, 200),
        ("post", "/vuelos/reserva/{id}/aprobar", f"/vuelos/reserva/{identity}/aprobar", None, {}, 409),
        ("post", "/vuelos/reserva/{id}/aprobar", "/vuelos/reserva/nada/aprobar", None, {}, 404),
        ("post", "/vuelos/reserva/{id}/pagar", f"/vuelos/reserva/{identity}/pagar", None, {}, 200),
        ("post", "/vuelos/reserva/{id}/pagar", "/vuelos/reserva/nada/pagar", None, {}, 404),
        ("post", "/vuelos/reserva/{id}/cancelar", f"/vuelos/reserva/{book(api)}/cancelar", None, {}, 200),
        ("post", "/vuelos/reserva/{id}/cancelar", f"/vuelos/reserva/{identity}/cancelar", None, {}, 409),
        ("post", "/vuelos/reserva/{id}/cancelar", "/vuelos/reserva/nada/cancelar", None, {}, 404),
        ("post", "/cliente/usuarios", None, user, {}, 201),
        ("post", "/cliente/usuarios", None, {}, {}, 400),
        ("post", "/cliente/usuarios", None, b"{}", {}, 415),
        ("get", "/cliente/usuarios", None, None, {}, 200),
        ("get", "/cliente/usuarios", "/cliente/usuarios?x=1", None, {}, 400),
        ("get", "/cliente/usuarios/{id}", f"/cliente/usuarios/{number}", None, {}, 200),
        ("get", "/cliente/usuarios/{id}", "/cliente/usuarios/0", None, {}, 404),
        ("put", "/cliente/usuarios/{id}", f"/cliente/usuarios/{number}", user, {}, 200),
        ("put", "/cliente/usuarios/{id}", f"/cliente/usuarios/{number}", {}, {}, 400),
        ("put", "/cliente/usuarios/{id}", "/cliente/usuarios/0", user, {}, 404),
        ("put", "/cliente/usuarios/{id}", f"/cliente/usuarios/{number}", b"{}", {}, 415),
        ("delete", "/cliente/usuarios/{id}", f"/cliente/usuarios/{number}", None, {}, 204),
        ("delete", "/cliente/usuarios/{id}", f"/cliente/usuarios/{number}", None, {}, 404),
        ("get", "/health", None, None, {}, 200),
        ("get", "/ready", None, None, {}, 503),
    ]:
        answer = api.call(method.upper(), path or template, body, headers)
        assert answer.status == status, (method, template, answer)
        described = specification["paths"][template][method]["responses"][str(status)]
        seen.add((method, template, str(status)))
        for name in described.get("headers", {}):
            assert status == 503 or name.lower() in answer.headers, (name, answer.headers)
        if "content" in described:
            schema = resolve(specification, described["content"]["application/json"]["schema"])
            jsonschema.Draft202012Validator(schema).validate(answer.json)
        else:
            assert answer.text == ""
    # What only a database or broker in another state answers is seen in test_api_faults.py.
    described = {(method, path, status) for path, methods in specification["paths"].items()
                 for method, operation in methods.items() for status in operation["responses"]}
    assert {case for case in described - seen if case[2] != "503"} == {("get", "/ready", "200")}


# Bookings


def test_a_booking_is_read_back_as_it_was_made(api):
    """The tutorial's API gave another id back, lost the airports' names and told the moment when the process started."""
    body = booking(leg("BOG", "JFK"), leg("JFK", "CDG", 23), client="cliente ñ", passengers=["ADULTO", "INFANTE"])
    before = int(time.time())
    answer = api.call("POST", "/vuelos/reserva", body)
    after = int(time.time())
    assert answer.status == 202 and answer.json.keys() == {"id"}
    identity = answer.json["id"]
    assert uuid.UUID(identity).version == 7
    assert answer.headers["location"] == f"/vuelos/reserva/{identity}"
    found = api.call("GET", answer.headers["location"])
    assert found.status == 200
    assert list(found.json) == ["id", "id_cliente", "estado", "fecha_creacion", "fecha_actualizacion", "itinerarios"]
    assert (found.json["id"], found.json["id_cliente"], found.json["estado"]) == (identity, "cliente ñ", "PENDIENTE")
    assert found.json["itinerarios"] == body["itinerarios"]
    made = datetime.strptime(found.json["fecha_creacion"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    assert before <= made <= after and found.json["fecha_actualizacion"] == found.json["fecha_creacion"]


def test_the_moment_of_a_booking_is_not_that_of_the_process(api):
    first = api.call("GET", f"/vuelos/reserva/{book(api)}").json["fecha_creacion"]
    second = int(time.time())
    wait_until("the next second", lambda: int(time.time()) > second)
    assert api.call("GET", f"/vuelos/reserva/{book(api)}").json["fecha_creacion"] > first


def test_a_second_booking_of_the_same_flight_works(api, database):
    """In the tutorial it answered 500: the row of `itinerarios` was there already."""
    body = booking(leg("AAA", "BBB"))
    identities = {book(api, body) for _ in range(3)}
    assert len(identities) == 3
    for identity in identities:
        assert api.call("GET", f"/vuelos/reserva/{identity}").json["itinerarios"] == body["itinerarios"]
    assert count(database, "itinerarios", "origen_codigo = 'AAA'") == 1


def test_a_flight_whose_row_somebody_deletes_is_booked_again(api, database):
    """The API remembers which rows of `itinerarios` are there; the table is right."""
    book(api, booking(leg("DEL", "ETE")))
    database.client("DELETE FROM reservas_itinerarios WHERE origen_codigo = 'DEL'; DELETE FROM itinerarios WHERE origen_codigo = 'DEL'", "reservas")
    body = booking(leg("DEL", "ETE"))
    assert api.call("GET", f"/vuelos/reserva/{book(api, body)}").json["itinerarios"] == body["itinerarios"]
    assert count(database, "itinerarios", "origen_codigo = 'DEL'") == 1


def test_many_bookings_of_the_same_flights_at_once_all_work(api, database):
    """Flights in any order: their rows are locked in one, so nobody deadlocks for good."""
    flights = [leg("MAS", code) for code in ("AA", "BB", "CC", "DD")]
    bodies = [booking(*(flights[i:] + flights[:i])) for i in range(4)] * 15
    with ThreadPoolExecutor(30) as pool:
        identities = list(pool.map(lambda body: book(api, body), bodies))
    assert len(set(identities)) == 60
    marks = ",".join(f"'{identity}'" for identity in identities)
    assert count(database, "reservas_itinerarios", f"reserva_id IN ({marks})") == 240
    assert count(database, "eventos_reserva", f"id_entidad IN ({marks})") == 60


def test_order_is_kept_and_itineraries_stay_apart(api):
    legs = lambda *codes: {"legs": [leg(a, b, 1 + i) for i, (a, b) in enumerate(codes)]}
    tree = [
        {"odos": [{"segmentos": [legs(("Z", "Y"), ("Y", "X")), legs(("X", "W"))]}, {"segmentos": [legs(("W", "Z"))]}]},
        # Equal to the first up to its second odo, and then its double: the rows differ by the itinerary's place alone.
        {"odos": [{"segmentos": [legs(("Z", "Y"), ("Y", "X")), legs(("X", "W"))]}]},
        {"odos": [{"segmentos": [legs(("Z", "Y"), ("Y", "X")), legs(("X", "W"))]}], "pasajeros": [{"tipo": "MENOR"}, {"tipo": "ADULTO"}]},
    ]
    assert api.call("GET", f"/vuelos/reserva/{book(api, {'itinerarios': tree})}").json["itinerarios"] == tree


def test_airports_have_the_names_that_each_booking_gave(api):
    named, bare = book(api, booking(leg("N1", "N2"))), book(api, booking(leg("N1", "N2", names=False)))
    origin = lambda identity: api.call("GET", f"/vuelos/reserva/{identity}").json["itinerarios"][0]["odos"][0]["segmentos"][0]["legs"][0]["origen"]
    assert origin(named) == {"codigo": "N1", "nombre": "Aeropuerto de N1, ñ ✈"}
    assert origin(bare) == {"codigo": "N1"}


def test_the_tutorials_rules_have_the_tutorials_words(api, database):
    before = count(database, "reservas"), count(database, "eventos_reserva")
    post = lambda body: api.call("POST", "/vuelos/reserva", body)
    error(post({"itinerarios": []}), 400, "La lista de itinerarios debe tener al menos un itinerario", "itinerarios")
    error(post(booking(leg("BOG", "BOG"))), 400, "La ruta propuesta es incorrecta", "itinerarios[0].odos[0].segmentos[0].legs[0].destino.codigo")
    error(post(booking(leg(), passengers=["MENOR"])), 400, "Al menos un adulto debe ser parte del itinerario", "itinerarios[0].pasajeros")
    assert (count(database, "reservas"), count(database, "eventos_reserva")) == before


LEG = "itinerarios[0].odos[0].segmentos[0].legs[0]"
DATE = "La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)"


@pytest.mark.parametrize("body, text, place", [
    (b'{"itinerarios": [', "El cuerpo no es JSON válido: termina antes de tiempo (línea 1, columna 17)", None),
    (b'{"itinerarios":\n x}', "El cuerpo no es JSON válido (línea 2, columna 2)", None),
    (b"\xff\xfe", "El cuerpo no es JSON válido (línea 1, columna 1)", None),
    (b"[]", "El cuerpo debe ser un objeto, no una lista", None),
    ({"itinerarios": None}, "Debe ser una lista, no null", "itinerarios"),
    ({}, "Falta este campo", "itinerarios"),
    ({**booking(), "descuento": 1}, "Este campo no se conoce; se admiten: id_cliente, itinerarios", "descuento"),
    ({**booking(), "id_cliente": 7}, "Debe ser un texto, no un número", "id_cliente"),
    ({**booking(), "id_cliente": "x" * 41}, "El texto tiene más de 40 caracteres", "id_cliente"),
    (booking({**leg(), "fecha_salida": "22/11/2022"}), DATE, f"{LEG}.fecha_salida"),
    (booking({**leg(), "fecha_llegada": "2022-11-31T00:00:00Z"}), DATE, f"{LEG}.fecha_llegada"),
    (booking({**leg(), "origen": {"codigo": "LARGUISIMO1"}}), "El texto tiene más de 10 caracteres", f"{LEG}.origen.codigo"),
    ({"itinerarios": [{"odos": [{"segmentos": []}]}]}, "La lista no puede estar vacía", "itinerarios[0].odos[0].segmentos"),
    (b" " * 131_073, "El cuerpo supera el máximo de 131072 bytes", None),
])
def test_what_is_wrong_with_a_body_is_told_with_its_place(api, database, body, text, place):
    before = count(database, "reservas")
    error(api.call("POST", "/vuelos/reserva", body, {"Content-Type": "application/json"}), 400, text, place)
    assert count(database, "reservas") == before


def test_a_body_without_a_length_is_bounded_too(api):
    chunks = iter([b"[" + b" " * 65_000] * 5)
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    try:
        connection.request("POST", "/vuelos/reserva", chunks, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, encode_chunked=True)
    except (BrokenPipeError, ConnectionResetError):
        pass  # The answer may come before all is sent.
    answer = connection.getresponse()
    assert answer.status == 400 and "131072" in answer.read().decode()
    connection.close()


def test_addresses_and_methods_that_are_none(api):
    error(api.call("GET", "/vuelos/reserva/nada"), 404, "No existe la reserva nada")
    error(api.call("GET", "/nada"), 404, "No existe la dirección /nada; las que hay están en /docs")
    error(api.call("GET", "/vuelos/reserva/%FF"), 400, "La dirección no es texto válido")
    error(api.call("GET", "/vuelos/reserva?estado=%FF%"), 400, "El estado debe ser PENDIENTE, APROBADA, PAGADA o CANCELADA", "estado")
    answer = api.call("DELETE", "/vuelos/reserva")
    error(answer, 405, "Esta dirección no admite el método DELETE")
    assert {method.strip() for method in answer.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}
    for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = api.call("POST", "/vuelos/reserva", json.dumps(booking()).encode(), kind)
        error(answer, 415, "El cuerpo debe ser JSON y llevar el encabezado Content-Type: application/json")
    for module in ("hoteles", "pagos", "precios_dinamicos", "vehiculos"):
        for method, path in (("GET", f"/{module}"), ("GET", f"/{module}/"), ("POST", f"/{module}/1/algo")):
            error(api.call(method, path), 501, f"El módulo {module} no está implementado")


# Pages


def test_pages_are_filtered_counted_and_newest_first(api):
    client = uuid.uuid4().hex
    made = []
    for number in range(5):
        made.insert(0, book(api, booking(leg("PG", f"P{number}"), client=client)))
    for identity in made[:2]:
        assert api.call("POST", f"/vuelos/reserva/{identity}/aprobar").status == 200
    page = lambda query: api.call("GET", f"/vuelos/reserva?id_cliente={client}&{query}").json
    whole = page("")
    assert (whole["pagina"], whole["tamano"], whole["total"]) == (1, 20, 5)
    assert [one["id"] for one in whole["reservas"]] == made
    assert whole["reservas"][0] == api.call("GET", f"/vuelos/reserva/{made[0]}").json
    parts = [[one["id"] for one in page(f"tamano=2&pagina={number}")["reservas"]] for number in (1, 2, 3, 4)]
    assert parts == [made[:2], made[2:4], made[4:], []]
    assert (page("estado=APROBADA")["total"], page("estado=PENDIENTE&tamano=1")["total"], page("estado=PAGADA")["total"]) == (2, 3, 0)
    for query, text, place in [
        ("tamano=101", "Debe ser un número de 1 a 100", "tamano"), ("pagina=0", "Debe ser un número de 1 a 100000", "pagina"),
        ("estado=LISTA", "El estado debe ser PENDIENTE, APROBADA, PAGADA o CANCELADA", "estado"),
        ("color=rojo", "Este parámetro no se conoce; se admiten: estado, id_cliente, pagina, tamano", "color")]:
        error(api.call("GET", f"/vuelos/reserva?{query}"), 400, text, place)


# States and events


def test_each_change_leaves_one_event_that_agrees_with_the_answer(api, database):
    """In the tutorial the row's content and the published event could disagree, and three of the events were not there."""
    client = uuid.uuid4().hex
    paid, cancelled = book(api, booking(client=client)), book(api)
    steps = {paid: ["aprobar", "pagar"], cancelled: ["aprobar", "cancelar"]}
    for identity, changes in steps.items():
        for change in changes:
            answer = api.call("POST", f"/vuelos/reserva/{identity}/{change}")
            assert answer.status == 200, answer
            found = api.call("GET", f"/vuelos/reserva/{identity}").json
            assert answer.json == {name: found[name] for name in ("id", "estado", "fecha_actualizacion")}
    ms = lambda text: int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp() * 1000)
    for identity, types in {paid: ["ReservaCreada", "ReservaAprobada", "ReservaPagada"], cancelled: ["ReservaCreada", "ReservaAprobada", "ReservaCancelada"]}.items():
        found = api.call("GET", f"/vuelos/reserva/{identity}").json
        events = rows(database, f"""SELECT id, tipo_evento, version, formato_contenido, nombre_servicio,
            UNIX_TIMESTAMP(CONVERT_TZ(fecha_evento, '+00:00', @@session.time_zone)) * 1000, contenido FROM eventos_reserva
            WHERE id_entidad = '{identity}' ORDER BY id""")
        assert [event[1] for event in events] == types
        assert len({event[0] for event in events}) == 3 and all(uuid.UUID(event[0]).version == 7 for event in events)
        assert all(event[2:5] == ["v1", "JSON", "aeroalpes"] for event in events)
        states = ["PENDIENTE", "APROBADA", found["estado"]]
        for event, state in zip(events, states):
            content = json.loads(event[6])
            assert (content["id_reserva"], content["estado"], content["fecha_creacion"]) == (identity, state, ms(found["fecha_creacion"]))
            assert content["id_cliente"] == (client if identity == paid else None)
            assert content.get("fecha_actualizacion", ms(found["fecha_creacion"])) == int(event[5])
        assert "fecha_actualizacion" not in json.loads(events[0][6])
        assert json.loads(events[2][6])["fecha_actualizacion"] == ms(found["fecha_actualizacion"])


def test_a_wrong_transition_is_refused_and_leaves_no_event(api, database):
    identity = book(api)
    change = lambda name: api.call("POST", f"/vuelos/reserva/{identity}/{name}")
    error(change("pagar"), 409, "La reserva está PENDIENTE y no puede pasar a PAGADA")
    assert change("cancelar").status == 200
    for name, state in [("aprobar", "APROBADA"), ("pagar", "PAGADA"), ("cancelar", "CANCELADA")]:
        error(change(name), 409, f"La reserva está CANCELADA y no puede pasar a {state}")
    assert count(database, "eventos_reserva", f"id_entidad = '{identity}'") == 2
    error(api.call("POST", "/vuelos/reserva/nada/aprobar"), 404, "No existe la reserva nada")


def test_one_of_two_changes_at_once_wins(api, database):
    for _ in range(5):
        identity = book(api)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda name: api.call("POST", f"/vuelos/reserva/{identity}/{name}").status, ["aprobar"] * 8))
        assert sorted(answers) == [200] + [409] * 7
        assert count(database, "eventos_reserva", f"id_entidad = '{identity}'") == 2


@pytest.mark.parametrize("table", ["eventos_reserva", "reservas_itinerarios"])
def test_a_rollback_leaves_neither_reservation_nor_event(api, database, table):
    before = count(database, "reservas"), count(database, "eventos_reserva"), count(database, "itinerarios")
    database.client(f"CREATE TRIGGER falla BEFORE INSERT ON {table} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'prueba'", "reservas")
    try:
        answer = api.call("POST", "/vuelos/reserva", booking(leg("ROL", "LBK")), {"Idempotency-Key": table})
        error(answer, 500, "Error interno; el registro del servicio tiene la causa")
    finally:
        database.client("DROP TRIGGER falla", "reservas")
    assert (count(database, "reservas"), count(database, "eventos_reserva"), count(database, "itinerarios")) == before
    # The key went with the rest, so the same click works now.
    book(api, booking(leg("ROL", "LBK")), **{"Idempotency-Key": table})


# Idempotency


def test_the_same_key_books_once_and_answers_alike(api, database):
    key, body = {"Idempotency-Key": uuid.uuid4().hex}, booking(leg(), client="c")
    first = api.call("POST", "/vuelos/reserva", body, key)
    # The same request in another spelling is the same.
    spelled = json.dumps(dict(reversed(body.items())), indent=3).encode()
    second = api.call("POST", "/vuelos/reserva", spelled, {**key, "Content-Type": "application/json"})
    assert (first.status, first.json, first.headers["location"]) == (second.status, second.json, second.headers["location"])
    assert count(database, "eventos_reserva", f"id_entidad = '{first.json['id']}'") == 1
    text = "La clave de Idempotency-Key ya se usó con otro cuerpo; use una clave nueva para otra reserva"
    error(api.call("POST", "/vuelos/reserva", booking(client="d"), key), 422, text)
    error(api.call("POST", "/vuelos/reserva", body, {"Idempotency-Key": "x" * 201}), 400,
          "La clave debe tener de 1 a 200 caracteres ASCII imprimibles", "Idempotency-Key")
    # Keys compare byte by byte.
    assert book(api, body, **{"Idempotency-Key": "Clave"}) != book(api, body, **{"Idempotency-Key": "clave"})


def test_twenty_clicks_at_once_book_once(api, database):
    """In the tutorial two clicks booked twice."""
    for _ in range(3):
        key, client = uuid.uuid4().hex, uuid.uuid4().hex
        start = threading.Barrier(20)

        def click(_):
            start.wait()
            return book(api, booking(client=client), **{"Idempotency-Key": key})

        with ThreadPoolExecutor(20) as pool:
            assert len(set(pool.map(click, range(20)))) == 1
        assert count(database, "reservas", f"id_cliente = '{client}'") == 1
        assert count(database, "eventos_reserva", f"contenido LIKE '%{client}%'") == 1


# Users


def test_las_paginas_ajenas_y_los_nombres_prestados_no_entran(api, database):
    """Una página cualquiera podía reservar, y leer los usuarios, en la API de quien la mira."""
    before = count(database, "reservas")
    own = f"localhost:{api.port}"
    for headers in ({"Origin": "http://mala.example"}, {"Origin": "null"}, {"Host": "mala.example"},
                    {"Host": f"mala.example:{api.port}", "Origin": f"http://mala.example:{api.port}"},
                    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, {"Origin": f"http://localhost:{api.port + 1}"}):
        for method, path, body in (("POST", "/vuelos/reserva", booking()), ("GET", "/cliente/usuarios", None), ("GET", "/spec", None),
                                   ("GET", "/docs", None), ("GET", "/docs/", None), ("GET", "/docs/swagger-ui-bundle.js", None)):
            answer = api.call(method, path, body, headers)
            assert answer.status == 403 and "AEROALPES_NOMBRES" in answer.json["error"], (headers, answer)
    assert count(database, "reservas") == before
    for headers in ({}, {"Host": own}, {"Host": own, "Origin": f"http://{own}"}, {"Host": f"[::1]:{api.port}"}):
        assert api.call("GET", "/cliente/usuarios", headers=headers).status == 200, headers
    assert api.call("GET", "/health", headers={"Host": "vigilante"}).status == 200


def test_solo_se_registran_direcciones_a_las_que_se_puede_escribir(api):
    for email, status in (("ana@señal.example", 201), ("ana@192.0.2.1", 400), ("ana@exa\u0001mple.com", 400),
                          (f"{'a' * 65}@example.com", 400), ("ana@mal..example", 400), ("Ana <ana@example.com>", 400)):
        body = {"nombres": "Ana", "apellidos": "Rojas", "email": email, "password": "12345678"}
        answer = api.call("POST", "/cliente/usuarios", body)
        assert answer.status == status, (email, answer)
        if status == 400:
            assert answer.json["campo"] == "email"


def test_a_user_lives_and_its_password_is_seen_nowhere(api, database):
    secret, other = "contraseña-que-nadie-ve", "otra-que-tampoco-se-ve"
    seen = []

    def call(*arguments):
        answer = api.call(*arguments)
        seen.append(answer.text + str(answer.headers))
        return answer

    body = {"nombres": "Ana María", "apellidos": "Ñáñez", "telefono": "+57 1", "email": "ana@example.com", "password": secret}
    made = call("POST", "/cliente/usuarios", body)
    assert made.status == 201
    identity = made.json["id"]
    expected = {"id": identity, "nombres": "Ana María", "apellidos": "Ñáñez", "direccion": None, "telefono": "+57 1", "email": "ana@example.com"}
    assert (made.json, made.headers["location"]) == (expected, f"/cliente/usuarios/{identity}")
    assert call("GET", f"/cliente/usuarios/{identity}").json == expected
    stored = lambda: database.client(f"SELECT password FROM usuarios_legado WHERE id = {identity}", "reservas").strip()
    first = stored()
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    changed = {**body, "direccion": "Calle 1"}
    del changed["password"], changed["telefono"]
    expected = {**expected, "direccion": "Calle 1", "telefono": None}
    assert call("PUT", f"/cliente/usuarios/{identity}", changed).json == expected
    assert stored() == first, "without a password the old one stays"
    assert call("PUT", f"/cliente/usuarios/{identity}", {**changed, "password": other}).status == 200
    assert stored().startswith("$argon2id$") and stored() != first
    # The same row again is no missing row.
    assert call("PUT", f"/cliente/usuarios/{identity}", changed).json == expected
    assert expected in call("GET", "/cliente/usuarios?tamano=100").json["usuarios"]

    error(call("POST", "/cliente/usuarios", {**body, "password": "corta"}), 400, "La contraseña debe tener al menos 8 caracteres", "password")
    error(call("POST", "/cliente/usuarios", {**body, "email": "nada"}), 400, "No es una dirección de correo", "email")
    assert call("POST", "/cliente/usuarios", {**body, "password": {"valor": secret}}).status == 400
    assert call("POST", "/cliente/usuarios", {**body, secret: 1}).status == 400
    assert call("POST", "/cliente/usuarios", json.dumps(body).encode()[:-1], {"Content-Type": "application/json"}).status == 400

    assert call("DELETE", f"/cliente/usuarios/{identity}").status == 204
    for method, *rest in (("GET",), ("PUT", body), ("DELETE",)):
        error(call(method, f"/cliente/usuarios/{identity}", *rest), 404, f"No existe el usuario {identity}")
    error(call("GET", "/cliente/usuarios/abc"), 404, "No existe el usuario abc")
    # The last but two named the secret as a field, which a client may see again; nothing else shows it.
    shown = [text for text in seen if secret in text or other in text or "argon2" in text]
    assert len(shown) == 1 and "Este campo no se conoce" in shown[0]
    assert not any(word in api.log() for word in (secret, other, "$argon2id$", ACCOUNT["DB_PASSWORD"]))


def test_rows_of_the_legacy_system_may_lack_anything(api, database):
    database.client("INSERT INTO usuarios_legado (id, nombres, password) VALUES (900000, NULL, 'legado')", "reservas")
    answer = api.call("GET", "/cliente/usuarios/900000")
    assert answer.json == {"id": 900000, "nombres": None, "apellidos": None, "direccion": None, "telefono": None, "email": None}
    comment = database.client("SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_NAME = 'usuarios_legado'")
    assert comment.strip() == "Tabla legado de los usuarios"
