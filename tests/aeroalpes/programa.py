"""Parts of the built `aeroalpes` as child processes, the events of the tutorial's producer, and commands."""

import contextlib
import functools
import os
import pathlib
import signal

import pulsar
from pulsar.schema import AvroSchema, Record, String

from harness.aeroalpes import binary
from harness.process import Process, wait_until
from harness.tutorial import EventoReservaCreada, ReservaCreadaPayload

EVENTOS = "persistent://public/default/eventos-reserva"
COMANDOS = "persistent://public/default/comandos-reserva"
MUERTOS = "persistent://public/default/eventos-reserva-muertos"


def aeroalpes(*arguments, env=None):
    """Starts a part and waits for the line that says it is there."""
    process = Process([binary(), *arguments], env=env)
    wait_until(f"the first line of aeroalpes {arguments[0]}", lambda: process.must_run() or "\n" in process.stdout())
    return process


@contextlib.contextmanager
def callado(process):
    """The process does nothing and the system keeps its sockets open: a frozen machine, a disk that does not answer."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        # One thread takes the signal, and stops the others when it is its turn to run.
        tasks = pathlib.Path(f"/proc/{process.pid}/task")
        wait_until("all threads to stop", lambda: all((t / "stat").read_text().rpartition(")")[2].split()[0] == "T" for t in tasks.iterdir()))
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def direccion(process):
    """The address at the end of the line that a part prints at its start."""
    return process.stdout().splitlines()[0].rpartition(" ")[2]


def evento(number, cliente=None, **fields):
    """Event `number` as the tutorial's service writes it."""
    data = ReservaCreadaPayload(id_reserva=f"r{number}", id_cliente=cliente, estado="PENDIENTE", fecha_creacion=1_669_122_600_000)
    values = {"id": f"e{number}", "time": 1_669_122_600_000, "ingestion": 1_669_122_600_000, "specversion": "v1",
              "type": "ReservaCreada", "datacontenttype": "AVRO", "service_name": "aeroalpes", "data": data}
    return EventoReservaCreada(**{**values, **fields})


@functools.cache
def _registros(*nombres):
    """The records of the tutorial's command, or of the evolved one, whose new field has a default, as Pulsar's compatibility asks for."""
    kinds = {"id_usuario": String(), "itinerarios": String(default=None, required_default=True)}
    payload = type(Record)("ComandoCrearReservaPayload", (Record,), {name: kinds[name] for name in nombres})
    return type(Record)("ComandoCrearReserva", (Record,), {"data": payload()}), payload


def comando(**fields):
    """The record of a command, and one."""
    record, payload = _registros(*fields)
    return record, record(data=payload(**fields))


class Productor:
    """The official client's producer of events."""

    def __init__(self, url):
        self.client = pulsar.Client(url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        self._producer = self.client.create_producer(EVENTOS, schema=AvroSchema(EventoReservaCreada))

    def enviar(self, *events):
        for event in events:
            self._producer.send(event, partition_key=event.data.id_reserva, properties={"origen": "prueba"})

    def enviar_lote(self, *events):
        """All in one entry of the topic."""
        producer = self.client.create_producer(EVENTOS, schema=AvroSchema(EventoReservaCreada), batching_enabled=True,
                                               batching_max_messages=len(events), batching_max_publish_delay_ms=60_000)
        for event in events:
            producer.send_async(event, lambda *_: None, partition_key=event.data.id_reserva)
        producer.flush()
        producer.close()

    def cartas(self, count):
        """The dead letters, exactly so many."""
        consumer = self.client.subscribe(MUERTOS, "prueba", initial_position=pulsar.InitialPosition.Earliest)
        letters = [consumer.receive(30_000) for _ in range(count)]
        for letter in letters:
            consumer.acknowledge(letter)
        consumer.close()
        return letters

    def cerrar(self):
        self.client.close()
