"""The sidecar before the real API: called as the tutorial's Python client calls it, by gRPC's standard tools, and by our own client."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading

# These tests start processes. gRPC's own care for a fork, in a child that is about to become another program, aborts it at times.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
import grpc
import grpc_tools
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc
from programa import aeroalpes, direccion

from harness import servers
from harness.aeroalpes import Api, binary, booking, leg, prepare
from harness.process import ROOT, Process, free_port, wait_until


@pytest.fixture(scope="module")
def vuelos(tmp_path_factory):
    """The contract as Python modules, generated as the tutorial does it."""
    folder = tmp_path_factory.mktemp("vuelos")
    proto = ROOT / "aeroalpes/proto"
    wellknown = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    assert protoc.main(["protoc", f"-I{proto}", f"-I{wellknown}", f"--python_out={folder}", f"--grpc_python_out={folder}", "vuelos.proto"]) == 0
    sys.path.insert(0, str(folder))
    import vuelos_pb2
    import vuelos_pb2_grpc
    sys.path.remove(str(folder))
    return type("Vuelos", (), {"pb2": vuelos_pb2, "grpc": vuelos_pb2_grpc})


@pytest.fixture(scope="module")
def api():
    database = servers.Database("mysql")
    prepare(database)
    running = Api(database)
    yield running
    assert running.stop() == 0, running.log()
    database.stop()


def sidecar(port):
    return aeroalpes("sidecar", "--escuchar", "127.0.0.1:0", env={"AEROALPES_ADDRESS": f"127.0.0.1:{port}"})


@pytest.fixture(scope="module")
def running(api):
    process = sidecar(api.port)
    yield process
    assert process.terminate() == 0, process.stderr()


@pytest.fixture(scope="module")
def channel(running):
    with grpc.insecure_channel(direccion(running)) as channel:
        yield channel


@pytest.fixture
def stub(vuelos, channel):
    return vuelos.grpc.VuelosStub(channel)


def mensaje(vuelos, body):
    """The message of an API body; the texts of dates become timestamps."""
    return ParseDict({"itinerarios": body["itinerarios"]}, vuelos.pb2.Reserva())


def refused(call, code):
    with pytest.raises(grpc.RpcError) as found:
        call()
    assert found.value.code() == code, found.value
    return found.value.details()


def test_the_tutorials_client_gets_ok_and_the_stored_reservation(vuelos, stub, api):
    """The tutorial's client builds the messages one by one out of its JSON file, and looks whether `mensaje` is OK."""
    salida, llegada = Timestamp(), Timestamp()
    salida.FromJsonString("2022-11-22T13:10:00Z")
    llegada.FromJsonString("2022-11-22T15:10:00Z")
    pb2 = vuelos.pb2
    reserva = pb2.Reserva(itinerarios=[pb2.Itinerario(odos=[pb2.Odo(segmentos=[pb2.Segmento(legs=[pb2.Leg(
        fecha_salida=salida, fecha_llegada=llegada, origen=pb2.Locacion(codigo="BOG", nombre="El Dorado"),
        destino=pb2.Locacion(codigo="JFK", nombre="John F. Kennedy"))])])])])
    answer = stub.CrearReserva(reserva)
    assert answer.mensaje == "OK"
    assert answer.reserva.itinerarios == reserva.itinerarios
    stored = api.call("GET", f"/vuelos/reserva/{answer.reserva.id}").json
    assert stored["fecha_creacion"] == answer.reserva.fecha_creacion.ToJsonString()
    assert stored["fecha_actualizacion"] == answer.reserva.fecha_actualizacion.ToJsonString()

    again = stub.ConsultarReserva(pb2.QueryReserva(id=answer.reserva.id))
    assert again.mensaje == "OK" and again.reserva == answer.reserva


def test_the_id_in_the_message_or_a_key_makes_one_reservation_of_two_calls(vuelos, stub, api):
    total = lambda: api.call("GET", "/vuelos/reserva").json["total"]
    before = total()
    reserva = mensaje(vuelos, booking())
    reserva.id = "pedido-1"
    first, second = stub.CrearReserva(reserva), stub.CrearReserva(reserva)
    assert first == second and first.reserva.id != "pedido-1"
    metadata = [("idempotency-key", "otra"), ("id-cliente", "17")]
    third, fourth = (stub.CrearReserva(reserva, metadata=metadata) for _ in range(2))
    assert third == fourth and third.reserva.id != first.reserva.id, "the metadata goes before the id"
    assert total() == before + 2
    assert api.call("GET", f"/vuelos/reserva/{third.reserva.id}").json["id_cliente"] == "17"


def test_refusals_have_their_code_and_the_apis_own_text(vuelos, stub, api):
    pb2 = vuelos.pb2
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    same = booking(leg("BOG", "BOG"))
    text = refused(lambda: stub.CrearReserva(mensaje(vuelos, same)), invalid)
    answer = api.call("POST", "/vuelos/reserva", same).json
    assert text.startswith("La ruta propuesta es incorrecta") and answer["error"] in text and answer.get("campo", "") in text
    assert "al menos un itinerario" in refused(lambda: stub.CrearReserva(pb2.Reserva()), invalid)
    no_date = pb2.Reserva(itinerarios=[pb2.Itinerario(odos=[pb2.Odo(segmentos=[pb2.Segmento(legs=[pb2.Leg(
        origen=pb2.Locacion(codigo="BOG"), destino=pb2.Locacion(codigo="JFK"))])])])])
    assert "itinerarios[0].odos[0].segmentos[0].legs[0]" in refused(lambda: stub.CrearReserva(no_date), invalid)
    leg_ = no_date.itinerarios[0].odos[0].segmentos[0].legs[0]
    leg_.fecha_salida.seconds = 1 << 60
    assert refused(lambda: stub.CrearReserva(no_date), invalid) == (
        "La fecha no existe (itinerarios[0].odos[0].segmentos[0].legs[0].fecha_salida)")
    unknown = refused(lambda: stub.ConsultarReserva(pb2.QueryReserva(id="nadie")), grpc.StatusCode.NOT_FOUND)
    assert unknown == api.call("GET", "/vuelos/reserva/nadie").json["error"]
    for hostile in ("", "..", "."):
        assert refused(lambda: stub.ConsultarReserva(pb2.QueryReserva(id=hostile)), invalid) == "Falta el id de la reserva"
    for hostile in ("../../health", "a/b", "x?y", "ñ"):
        refused(lambda: stub.ConsultarReserva(pb2.QueryReserva(id=hostile)), grpc.StatusCode.NOT_FOUND)
    huge = pb2.Reserva(itinerarios=[pb2.Itinerario(id="x" * (2 << 20))])
    refused(lambda: stub.CrearReserva(huge), grpc.StatusCode.OUT_OF_RANGE)


def test_health_and_reflection_are_the_standard_ones(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "vuelos.Vuelos"):
        wait_until("serving", lambda: health.Check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING)
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {"vuelos.Vuelos", "grpc.health.v1.Health"} <= set(database.get_services())
    fields = {message.name: {field.name: field.number for field in message.field}
              for message in database.FindFileContainingSymbol("vuelos.Vuelos").message_type}
    assert fields == {
        "Locacion": {"codigo": 1, "nombre": 2}, "Leg": {"fecha_salida": 1, "fecha_llegada": 2, "destino": 3, "origen": 4},
        "Segmento": {"legs": 1}, "Odo": {"segmentos": 1}, "Itinerario": {"id": 1, "odos": 2},
        "Reserva": {"id": 1, "fecha_creacion": 2, "fecha_actualizacion": 3, "itinerarios": 4}, "QueryReserva": {"id": 1},
        "RespuestaReserva": {"mensaje": 1, "reserva": 2}}


def test_an_api_that_is_away_is_told_and_comes_back(vuelos, api):
    process = sidecar(api.port)
    with grpc.insecure_channel(direccion(process)) as channel:
        health, stub = health_pb2_grpc.HealthStub(channel), vuelos.grpc.VuelosStub(channel)
        status = lambda: health.Check(health_pb2.HealthCheckRequest()).status
        wait_until("serving", lambda: status() == health_pb2.HealthCheckResponse.SERVING)
        checked = lambda: Process([binary(), "salud", f"grpc://{direccion(process)}"])
        assert checked().wait() == 0
        assert api.stop() == 0
        call = lambda: stub.ConsultarReserva(vuelos.pb2.QueryReserva(id="x"))
        assert "La API no está disponible" in refused(call, grpc.StatusCode.UNAVAILABLE)
        wait_until("not serving", lambda: status() == health_pb2.HealthCheckResponse.NOT_SERVING)
        failed = checked()
        assert failed.wait() == 1 and "la API no contesta" in failed.stderr()
        api.process = Process([binary(), "api", "--escuchar", f"127.0.0.1:{api.port}"], env=api._env)
        wait_until("serving again", lambda: api.process.must_run() or status() == health_pb2.HealthCheckResponse.SERVING)
        wait_until("the API's tables", lambda: api.call("GET", "/ready").json["base_de_datos"] == "up", 60)
        refused(call, grpc.StatusCode.NOT_FOUND)
    assert process.stop() == 0, process.stderr()


def test_a_call_ends_with_its_deadline_and_leaves_no_connection_behind(vuelos):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = sidecar(silent.getsockname()[1])
        asked = []

        def accept():
            while True:
                try:
                    connection, _ = silent.accept()
                except OSError:
                    return
                asked.append((connection, connection.recv(200)))

        threading.Thread(target=accept, daemon=True).start()
        with grpc.insecure_channel(direccion(process)) as channel:
            stub = vuelos.grpc.VuelosStub(channel)
            refused(lambda: stub.ConsultarReserva(vuelos.pb2.QueryReserva(id="x"), timeout=0.5), grpc.StatusCode.DEADLINE_EXCEEDED)
            held = wait_until("the API was asked", lambda: [c for c, head in asked if head.startswith(b"GET /vuelos/reserva/x ")])
            held[0].settimeout(10)
            assert held[0].recv(100) == b"", "the sidecar has given the request up"
        assert process.stop() == 0, process.stderr()


def test_a_running_call_is_finished_at_the_end(vuelos):
    with socket.create_server(("127.0.0.1", 0)) as slow:
        process = sidecar(slow.getsockname()[1])
        with grpc.insecure_channel(direccion(process)) as channel:
            call = vuelos.grpc.VuelosStub(channel).ConsultarReserva.future(vuelos.pb2.QueryReserva(id="x"))
            while True:  # the health service asks as well
                connection, _ = slow.accept()
                if connection.recv(200).startswith(b"GET /vuelos/reserva/x "):
                    break
            process._child.terminate()
            body = b'{"error": "La reserva no existe"}'
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            assert (call.code(), call.details()) == (grpc.StatusCode.NOT_FOUND, "La reserva no existe")
        assert process.wait() == 0, process.stderr()


def client(running, *arguments):
    address = [] if "--direccion" in arguments else ["--direccion", direccion(running)]
    process = Process([binary(), "sidecar-cliente", *address, *arguments])
    return process.wait(), process


def test_our_client_takes_the_json_file_of_a_reservation(running, api, tmp_path):
    file = tmp_path / "reserva.json"
    file.write_text(json.dumps(booking(leg(), leg("JFK", "MAD", 23), client="17")))
    code, process = client(running, "crear", file, "--clave", "una")
    assert code == 0, process.stderr()
    answer = json.loads(process.stdout())
    assert answer["mensaje"] == "OK"
    stored = api.call("GET", f"/vuelos/reserva/{answer['reserva']['id']}").json
    assert stored["id_cliente"] == "17"
    assert answer["reserva"]["itinerarios"] == booking(leg(), leg("JFK", "MAD", 23))["itinerarios"]
    code, again = client(running, "crear", file, "--clave", "una")
    assert (code, json.loads(again.stdout())) == (0, answer)
    command = [binary(), "sidecar-cliente", "--direccion", direccion(running), "crear", "-", "--clave", "una"]
    piped = subprocess.run(command, input=file.read_bytes(), capture_output=True, timeout=60)
    assert (piped.returncode, json.loads(piped.stdout)) == (0, answer)
    code, read = client(running, "consultar", answer["reserva"]["id"])
    assert (code, json.loads(read.stdout())) == (0, answer)


def test_our_client_says_in_one_sentence_what_is_wrong(running, tmp_path):
    def check(part, *arguments):
        code, process = client(running, *arguments)
        assert code == 1 and process.stdout() == ""
        sentence, = process.stderr().splitlines()
        assert sentence.startswith("aeroalpes: ") and part in sentence, sentence

    check("NotFound", "consultar", "nadie")
    check("no se puede leer", "crear", tmp_path / "none.json")
    file = tmp_path / "reserva.json"
    file.write_text(json.dumps(booking(leg("BOG", "BOG"))))
    check("La ruta propuesta es incorrecta", "crear", file)
    file.write_text(json.dumps(booking(passengers=["ADULTO"])))
    check("itinerarios[0].pasajeros no tiene campo en el contrato de gRPC", "crear", file)
    check("no hay conexión con el sidecar", "--direccion", f"127.0.0.1:{free_port()}", "consultar", "x")


def test_addresses_that_cannot_be_used_are_one_sentence(running):
    for env, part in [({"AEROALPES_ADDRESS": "https://api"}, "habla http"), ({"AEROALPES_ADDRESS": "http://"}, "no es la dirección de una API")]:
        process = Process([binary(), "sidecar", "--escuchar", "127.0.0.1:0"], env=env)
        assert process.wait() == 1, process.stderr()
        assert part in process.stderr() and len(process.stderr().splitlines()) == 1, process.stderr()
    taken = Process([binary(), "sidecar", "--escuchar", direccion(running)])
    assert taken.wait() == 1 and "no se puede escuchar en" in taken.stderr()
