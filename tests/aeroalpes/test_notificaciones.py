"""Mails for events: from the official client's producer, through `aeroalpes notificaciones`, to a real SMTP server.

Each case runs with the embedded broker and (marker `conformance`) with a real Pulsar.
"""

import collections
import fcntl
import http.server
import json
import os
import random
import subprocess
import sys
import termios
import threading

import pytest
from programa import EVENTOS, MUERTOS, Productor, aeroalpes, evento

from harness import servers
from harness.aeroalpes import binary
from harness.process import ROOT, Process, free_port, wait_until


class Correo:
    """The mail server with its mails."""

    def __init__(self, folder, cert=None):
        self.folder, self.port = folder, free_port()
        self._options = ["--cert", cert] if cert else []
        self.start()

    def start(self):
        script = ROOT / "tests/aeroalpes/servidor_smtp.py"
        self.process = Process([sys.executable, script, "--port", self.port, "--folder", self.folder, *self._options])
        wait_until("the mail server", lambda: self.process.must_run() or "ready" in self.process.stdout())

    def mails(self):
        file = self.folder / "mails.jsonl"
        text = file.read_text() if file.exists() else ""
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]  # the last line may still be written

    def wait_for(self, count, seconds=60):
        """Waits for so many mails, makes sure that a later event's mail brings none before it, and returns them."""
        return wait_until(f"{count} mails, not {len(self.mails())}", lambda: self.mails() if len(self.mails()) >= count else None, seconds)


class Api(http.server.BaseHTTPRequestHandler):
    """The two answers of `GET /cliente/usuarios/{id}`, as the contract has them."""

    usuarios = {"17": {"id": 17, "nombres": "Ana", "apellidos": "Ríos", "direccion": None, "telefono": None, "email": "ana@correo.example"},
                "18": {"id": 18, "nombres": "Sin", "apellidos": "Correo", "direccion": None, "telefono": None, "email": None},
                "19": {"id": 19, "email": "ocupado@correo.example"}, "20": {"id": 20, "email": "rechazado@correo.example"}}

    def do_GET(self):
        user = self.usuarios.get(self.path.removeprefix("/cliente/usuarios/"))
        body = json.dumps(user or {"error": "El usuario no existe"}).encode()
        self.send_response(200 if user else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class ApiServer:
    def __init__(self):
        self.port = free_port()

    def start(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Api)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def productor(broker):
    productor = Productor(broker.url)
    yield productor
    productor.cerrar()


@pytest.fixture(scope="module")
def un_pulsar():
    """One Apache Pulsar for all tests, started when the first wants it."""
    started = []

    def start():
        if not started:
            started.append(servers.Pulsar())
            started[0].keep_messages()
        return started[0]

    yield start
    for running in started:
        running.stop()


@pytest.fixture(params=["embedded", pytest.param("pulsar", marks=pytest.mark.conformance)])
def broker(request, un_pulsar):
    """A broker without topics: `url`, `admin`."""
    if request.param == "pulsar":
        running = un_pulsar()
        yield running
        for topic in servers.topics(running.admin):
            servers.rest(running.admin, topic.replace("://", "/") + "?force=true", method="DELETE")
        return
    yield request.getfixturevalue("embedded")


@pytest.fixture
def embedded():
    running = servers.Bitacora()
    yield running
    assert running.stop() == 0, running.process.stderr()


@pytest.fixture
def correo(tmp_path):
    server = Correo(tmp_path)
    yield server
    server.process.kill()


def environment(broker, correo=None, api=None, **more):
    smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(correo.port)} if correo else {"SMTP_HOST": ""}
    address = f"127.0.0.1:{api.port if api else free_port()}"
    return {"PULSAR_ADDRESS": broker.url.removeprefix("pulsar://"), "AEROALPES_ADDRESS": address, **smtp, **more}


def notificaciones(tmp_path, env):
    return aeroalpes("notificaciones", "--datos", tmp_path / "datos", env=env)


def test_each_event_is_one_mail_in_spanish(broker, productor, correo, tmp_path):
    api = ApiServer()
    api.start()
    process = notificaciones(tmp_path, environment(broker, correo, api))
    tipos = ["ReservaCreada", "ReservaAprobada", "ReservaPagada", "ReservaCancelada"]
    productor.enviar(*[evento(n, type=tipo) for n, tipo in enumerate(tipos)])
    productor.enviar(evento(0), evento(2))  # published twice: known by their ids
    productor.enviar(evento(5, "17"), evento(6, "18"), evento(7, "999"), evento(8, "None"), evento(9, "../17"))
    mails = correo.wait_for(9)
    assert [(m["asunto"], m["message_id"]) for m in mails[:4]] == [
        ("AeroAlpes: recibimos su reserva r0", "<evento.e0@aeroalpes.example>"),
        ("AeroAlpes: su reserva fue aprobada r1", "<evento.e1@aeroalpes.example>"),
        ("AeroAlpes: recibimos el pago de su reserva r2", "<evento.e2@aeroalpes.example>"),
        ("AeroAlpes: su reserva fue cancelada r3", "<evento.e3@aeroalpes.example>")]
    assert mails[0]["texto"] == ("Hola:\n\nRecibimos su reserva. Le avisaremos cuando sea aprobada.\n\nReserva: r0\nEstado: PENDIENTE\n"
                                 "Fecha: 22 de noviembre de 2022, 13:10 (UTC)\n\nGracias por volar con AeroAlpes.\n")
    assert [m["para"] for m in mails[3:]] == [["reservas@aeroalpes.example"], ["ana@correo.example"]] + [["reservas@aeroalpes.example"]] * 4
    assert {m["de"] for m in mails} == {"reservas@aeroalpes.example"}

    # Another life of the process: what was mailed is known, whoever publishes it again.
    assert process.terminate() == 0, process.stderr()
    productor.enviar(*[evento(n) for n in range(4)])
    process = notificaciones(tmp_path, environment(broker, correo, api))
    productor.enviar(evento(10))
    assert correo.wait_for(10)[-1]["message_id"] == "<evento.e10@aeroalpes.example>"
    assert len(correo.mails()) == 10
    assert process.stop() == 0, process.stderr()
    api.stop()


def test_without_a_mail_server_each_event_is_a_line(broker, productor, tmp_path):
    process = notificaciones(tmp_path, environment(broker))
    productor.enviar(evento(1), evento(1), evento(2))
    lines = wait_until("two lines", lambda: (found := process.stdout().splitlines()[1:]) and len(found) == 2 and found)
    assert lines[0] == ("correo a reservas@aeroalpes.example: AeroAlpes: recibimos su reserva r1 | Hola: | Recibimos su reserva. Le avisaremos "
                        "cuando sea aprobada. | Reserva: r1 | Estado: PENDIENTE | Fecha: 22 de noviembre de 2022, 13:10 (UTC) | "
                        "Gracias por volar con AeroAlpes.")
    assert "reserva r2" in lines[1]
    assert process.stop() == 0


def test_events_wait_for_a_mail_server_that_is_away(broker, productor, correo, tmp_path):
    correo.process.kill()
    process = notificaciones(tmp_path, environment(broker, correo))
    productor.enviar(*[evento(n) for n in range(5)])
    wait_until("five failures", lambda: process.must_run() or process.stderr().count("no se puede usar") >= 5)
    assert "127.0.0.1" in process.stderr() and not correo.mails()
    correo.start()
    productor.enviar(evento(5))
    assert sorted(m["message_id"] for m in correo.wait_for(6)) == [f"<evento.e{n}@aeroalpes.example>" for n in range(6)]
    assert process.stop() == 0


def test_a_busy_server_is_asked_again(broker, productor, correo, tmp_path):
    process = notificaciones(tmp_path, environment(broker, correo, CORREO_PARA="ocupado@aeroalpes.example"))
    productor.enviar(evento(1))
    assert [m["para"] for m in correo.wait_for(1)] == [["ocupado@aeroalpes.example"]]
    assert process.stderr().count("transient error (451)") == 2
    assert process.stop() == 0


def test_the_mail_of_a_user_waits_for_an_api_that_is_away(broker, productor, correo, tmp_path):
    api = ApiServer()
    process = notificaciones(tmp_path, environment(broker, correo, api))
    productor.enviar(evento(1, "17"), evento(2))
    assert [m["para"] for m in correo.wait_for(1)] == [["reservas@aeroalpes.example"]], "who has no user does not wait"
    api.start()
    assert [m["para"] for m in correo.wait_for(2)][1] == ["ana@correo.example"]
    assert process.stop() == 0
    api.stop()


def test_a_refused_recipient_and_unreadable_events_are_dead_letters(broker, productor, correo, tmp_path):
    process = notificaciones(tmp_path, environment(broker, correo, CORREO_PARA="rechazado@aeroalpes.example"))
    productor.enviar(evento(1))
    plain = productor.client.create_producer(EVENTOS)
    plain.send(b"\x99 no record", properties={"id": "x"})
    refused, unreadable = productor.cartas(2)
    topic = {"tema_original": EVENTOS}
    properties = refused.properties()
    assert properties.items() >= {"origen": "prueba", **topic}.items()
    assert "550" in properties["motivo"] and "no such mailbox" in properties["motivo"], properties
    assert (refused.partition_key(), refused.topic_name()) == ("r1", MUERTOS)
    properties = unreadable.properties()
    assert unreadable.data() == b"\x99 no record" and properties.items() >= {"id": "x", **topic}.items()
    assert "evento de una reserva" in properties["motivo"] and properties["id_original"]
    assert process.stop() == 0

    # The letter was durable before its event was acknowledged, and the event is: nothing comes again.
    process = notificaciones(tmp_path, environment(broker, correo))
    productor.enviar(evento(2))
    assert [m["message_id"] for m in correo.wait_for(1)] == ["<evento.e2@aeroalpes.example>"]
    assert process.stop() == 0


def test_what_the_operator_must_mend_buries_no_event(broker, productor, correo, tmp_path):
    """A sender that the server does not take, or a login that it asks for, made dead letters of all events at the first try."""
    process = notificaciones(tmp_path, environment(broker, correo))
    refusals = ["MAIL 550 5.7.1 sender refused", "MAIL 530 5.7.0 login first", "MAIL 553 5.1.8 unknown domain", "RCPT 530 5.7.0 login before that",
                "RCPT 538 5.7.11 encryption first", "RCPT 534 5.7.9 login too weak", "DATA 535 5.7.8 login forgotten"]
    for number, refusal in enumerate(refusals):
        # Whole or not there at all: the server reads it at each command.
        (tmp_path / "nueva").write_text(refusal)
        (tmp_path / "nueva").rename(tmp_path / "rehusar")
        productor.enviar(evento(number))
        wait_until(refusal, lambda: process.must_run() or refusal.split(" ", 3)[3] in process.stderr())
    (tmp_path / "rehusar").unlink()
    mails = correo.wait_for(len(refusals), 120)
    assert sorted(m["message_id"] for m in mails) == [f"<evento.e{n}@aeroalpes.example>" for n in range(len(refusals))]
    assert "can never be handled" not in process.stderr()
    # What is said of the mail itself still decides about it.
    (tmp_path / "rehusar").write_text("DATA 554 5.6.0 no such words here")
    productor.enviar(evento(50))
    letter, = productor.cartas(1)
    assert letter.partition_key() == "r50" and "no such words here" in letter.properties()["motivo"]
    assert process.stop() == 0


def test_a_full_pipe_does_not_hold_back_the_end(embedded, tmp_path):
    """Lines went out on a thread of the runtime, which waited for a reader that did not read, and the end waited for the thread."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    command = [binary(), "notificaciones", "--datos", tmp_path / "datos"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.DEVNULL, env={**os.environ, **environment(embedded)})
    try:
        productor = Productor(embedded.url)
        productor.enviar(*[evento(n) for n in range(40)])
        productor.cerrar()
        inside = lambda: int.from_bytes(fcntl.ioctl(reading, termios.FIONREAD, b"\0" * 4), sys.byteorder)
        wait_until("no room for a further line", lambda: inside() > 3_700)
        process.terminate()
        assert process.wait(45) == 0
        # A reader that comes back finds the next event where the pipe was full.
        lines = os.read(reading, 65_536).decode().splitlines()[1:]
        again = notificaciones(tmp_path, environment(embedded))
        wait_until("the last event", lambda: again.must_run() or "reserva r39" in again.stdout())
        lines += again.stdout().splitlines()[1:]
        assert {f"r{n}" for n in range(40)} == {line.partition("su reserva ")[2].partition(" ")[0] for line in lines}
        assert again.stop() == 0
    finally:
        process.kill()
        process.wait(30)
        os.close(reading)
        os.close(writing)


def test_events_of_one_batch_fare_each_as_it_must(broker, productor, correo, tmp_path):
    """A negative acknowledgement would bring the whole batch again, and with it mails that are out already."""
    api = ApiServer()
    api.start()
    productor.enviar_lote(evento(1), evento(2, "19"), evento(3, "20"), evento(4))
    process = notificaciones(tmp_path, environment(broker, correo, api))
    assert [m["message_id"] for m in correo.wait_for(3)] == [f"<evento.e{n}@aeroalpes.example>" for n in (1, 4, 2)]
    letter, = productor.cartas(1)
    assert (letter.partition_key(), letter.properties()["id_original"].rpartition(":")[2]) == ("r3", "2")
    assert process.stop() == 0 and "un evento volvió" not in process.stderr()
    process = notificaciones(tmp_path, environment(broker, correo, api))
    productor.enviar(evento(5))
    assert correo.wait_for(4)[-1]["message_id"] == "<evento.e5@aeroalpes.example>"
    assert "un evento volvió" not in process.stderr(), "the whole batch is acknowledged"
    assert process.stop() == 0
    api.stop()


def test_a_kill_while_the_server_takes_a_mail_sends_it_again_under_the_same_id(broker, productor, correo, tmp_path):
    hold = tmp_path / "retener"
    hold.touch()
    process = notificaciones(tmp_path, environment(broker, correo))
    productor.enviar(evento(1))
    correo.wait_for(1)
    process.kill()
    hold.unlink()
    process = notificaciones(tmp_path, environment(broker, correo))
    assert [m["message_id"] for m in correo.wait_for(2)] == ["<evento.e1@aeroalpes.example>"] * 2
    assert "si había llegado, llega dos veces" in process.stderr()
    assert process.stop() == 0


def test_no_mail_is_lost_over_kill_9(broker, productor, correo, tmp_path):
    chance, total, kills = random.Random(11), 150, 6
    env = environment(broker, correo)
    writer = threading.Thread(target=lambda: [productor.enviar(evento(n)) for n in range(total)])
    process = notificaciones(tmp_path, env)
    writer.start()
    for number in range(1, kills + 1):
        correo.wait_for(number * 15 + chance.randrange(10))
        process.kill()
        process = notificaciones(tmp_path, env)
    writer.join()
    sent = wait_until("the mail of each event", lambda: (ids := collections.Counter(m["message_id"] for m in correo.mails()))
                      and len(ids) == total and ids, 60)
    assert set(sent) == {f"<evento.e{n}@aeroalpes.example>" for n in range(total)}
    assert max(sent.values()) <= 2 and sum(sent.values()) - total <= kills, "at most the one mail under way at each kill"
    assert process.stop() == 0


def test_a_broker_that_is_killed_or_away_costs_nothing(embedded, correo, tmp_path):
    env = environment(embedded, correo)
    embedded.process.kill()
    process = notificaciones(tmp_path, env)
    embedded.start()
    for life in range(3):
        productor = Productor(embedded.url)
        productor.enviar(*[evento(3 * life + n) for n in range(3)])
        productor.cerrar()
        if life == 1:
            correo.wait_for(6)
        embedded.process.kill()
        embedded.start()
    assert sorted(m["message_id"] for m in correo.wait_for(9)) == [f"<evento.e{n}@aeroalpes.example>" for n in range(9)]
    # It ends as it should with a broker that is away, too.
    embedded.process.kill()
    assert process.terminate() == 0, process.stderr()
    embedded.start()


def test_starttls_and_a_login(broker, productor, tmp_path):
    cert = tmp_path / "servidor.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", cert, "-out",
                    tmp_path / "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
                   check=True, capture_output=True)
    cert.write_text(cert.read_text() + (tmp_path / "cert.pem").read_text())
    correo = Correo(tmp_path, cert)
    account = {"SMTP_USER": "aeroalpes", "SMTP_PASSWORD": "falso"}
    env = environment(broker, correo, SMTP_CA_FILE=str(tmp_path / "cert.pem"), **account)
    process = notificaciones(tmp_path, env)
    productor.enviar(evento(1))
    wait_until("a refused login", lambda: process.must_run() or "(535)" in process.stderr())
    assert "falso" not in process.stderr() + process.stdout()
    assert process.stop() == 0
    # A wrong password is the operator's fault: the event has waited.
    process = notificaciones(tmp_path, {**env, "SMTP_PASSWORD": "secreto"})
    assert [(m["tls"], m["cuenta"]) for m in correo.wait_for(1)] == [(True, "aeroalpes")]
    assert process.stop() == 0
    # A server that cannot prove who it is gets neither mail nor password.
    process = notificaciones(tmp_path, {**env, "SMTP_CA_FILE": "", "SMTP_PASSWORD": "secreto"})
    productor.enviar(evento(2))
    wait_until("an unknown certificate", lambda: process.must_run() or "no se puede usar" in process.stderr())
    assert len(correo.mails()) == 1
    assert process.stop() == 0
    correo.process.kill()


@pytest.mark.parametrize("env, part", [
    ({"SMTP_HOST": "mail.example", "SMTP_TLS": "ssl"}, 'SMTP_TLS="ssl" no sirve: escriba none, starttls o tls'),
    ({"CORREO_PARA": "nadie"}, 'CORREO_PARA="nadie" no sirve'),
    ({"AEROALPES_ADDRESS": "https://api"}, 'AEROALPES_ADDRESS="https://api" no sirve'),
    ({"PULSAR_SERVICE_URL": "http://x"}, "is not a Pulsar service URL")])
def test_a_setting_that_cannot_be_used_is_one_sentence(tmp_path, env, part):
    process = Process([binary(), "notificaciones", "--datos", tmp_path / "datos"], env={"SMTP_HOST": "", **env})
    assert process.wait() == 1
    sentence, = process.stderr().splitlines()
    assert sentence.startswith("aeroalpes: ") and part in sentence, sentence


def test_a_second_process_on_the_same_folder_is_refused(broker, tmp_path):
    first = notificaciones(tmp_path, environment(broker))
    second = Process([binary(), "notificaciones", "--datos", tmp_path / "datos"], env=environment(broker))
    assert second.wait() == 1 and "termine el proceso que la usa" in second.stderr()
    assert first.stop() == 0
