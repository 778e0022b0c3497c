#!/usr/bin/env python3
"""`make demo LECCION=escritura-doble`: la misma muerte, entre confirmar y publicar, a las dos formas de publicar un evento.

Con la *escritura doble*, la del curso, el proceso confirma la transacción y después publica en el *broker*. Con la *bandeja de salida*
escribe el evento como una fila más de la transacción, y lo publica el relevo. Diez procesos reservan de cada forma, y tres de ellos
mueren (SIGKILL) justo después de confirmar. Después se cuenta: cada reserva sin evento es una que nadie supo.
"""

import datetime
import json
import os
import pathlib
import signal
import sys
import uuid

RAIZ = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(RAIZ / "tests"))

import pulsar
from pulsar.schema import AvroSchema

from harness.airline import EVENTS, Airline
from harness.process import wait_until
from harness.tutorial import EventoReservaCreada, ReservaCreadaPayload

DOBLE = "persistent://public/default/eventos-reserva-escritura-doble"
RESERVAS = 10
MUEREN = (3, 6, 9)


def escritura_doble(aerolinea, reserva, muere):
    """Confirma, y después publica: dos escrituras, y nada que las una."""
    confirmar(aerolinea, fila_de(reserva))
    if muere:
        os.kill(os.getpid(), signal.SIGKILL)
    publicar(aerolinea, reserva)


def bandeja_de_salida(aerolinea, reserva, muere):
    """Confirma la reserva y su evento en una transacción; publicarlo es trabajo del relevo."""
    confirmar(aerolinea, fila_de(reserva), evento_de(reserva))
    if muere:
        os.kill(os.getpid(), signal.SIGKILL)


def confirmar(aerolinea, *filas):
    aerolinea.database.client("; ".join(["START TRANSACTION", *filas, "COMMIT"]), "reservas")


def fila_de(reserva):
    return f"INSERT INTO reservas(id, fecha_creacion, fecha_actualizacion) VALUES ('{reserva}', NOW(), NOW())"


def evento_de(reserva):
    contenido = json.dumps({"id_reserva": reserva, "id_cliente": None, "estado": "PENDIENTE", "fecha_creacion": ahora_ms()})
    return ("INSERT INTO eventos_reserva(id, id_entidad, fecha_evento, version, tipo_evento, formato_contenido, nombre_servicio, contenido)"
            f" VALUES ('{uuid.uuid4()}', '{reserva}', NOW(), 'v1', 'ReservaCreada', 'JSON', 'aeroalpes', '{contenido}')")


def publicar(aerolinea, reserva):
    cliente = pulsar.Client(aerolinea.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    productor = cliente.create_producer(DOBLE, schema=AvroSchema(EventoReservaCreada))
    datos = ReservaCreadaPayload(id_reserva=reserva, estado="PENDIENTE", fecha_creacion=ahora_ms())
    productor.send(EventoReservaCreada(id=str(uuid.uuid4()), time=ahora_ms(), type="ReservaCreada", data=datos))
    cliente.close()


def ahora_ms():
    return int(datetime.datetime.now().timestamp() * 1000)


def en_un_proceso(forma, *argumentos):
    """Hace una reserva en un proceso propio, para que su muerte sea solo suya."""
    hijo = os.fork()
    if hijo == 0:
        codigo = 1
        try:
            forma(*argumentos)
            codigo = 0
        finally:
            os._exit(codigo)
    codigo = os.waitstatus_to_exitcode(os.waitpid(hijo, 0)[1])
    if codigo not in (0, -signal.SIGKILL):
        raise RuntimeError(f"una reserva acabó con {codigo}")


def con_evento(aerolinea, topico, cuantos):
    """Las reservas de las que hay un evento, leído por el cliente oficial: espera hasta que hay `cuantos`."""
    cliente = pulsar.Client(aerolinea.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    lector = cliente.create_reader(topico, pulsar.MessageId.earliest, schema=AvroSchema(EventoReservaCreada))
    vistas = []

    def leer():
        while lector.has_message_available():
            vistas.append(lector.read_next().value().data.id_reserva)
        return len(vistas) >= cuantos

    wait_until(f"{cuantos} eventos", leer, 60)
    cliente.close()
    return vistas


def leccion(decir=print):
    """Hace las reservas de las dos formas, y dice qué se perdió. Devuelve las perdidas de cada forma."""
    aerolinea = Airline("mariadb", parts=())
    try:
        formas = {"escritura doble": (escritura_doble, DOBLE), "bandeja de salida": (bandeja_de_salida, EVENTS)}
        ids = {nombre: [str(uuid.uuid4()) for _ in range(RESERVAS)] for nombre in formas}
        for nombre, (forma, _) in formas.items():
            for numero, reserva in enumerate(ids[nombre], 1):
                en_un_proceso(forma, aerolinea, reserva, numero in MUEREN)
        decir(f"{RESERVAS} reservas de cada forma; los procesos {', '.join(map(str, MUEREN))} mueren después de confirmar y antes de publicar.\n")
        decir(f"{'':18} {'confirmadas':>11} {'con evento':>11}   {'perdidas'}")
        perdidas = {}
        for nombre, (_, topico) in formas.items():
            filas = aerolinea.database.client("SELECT id FROM reservas", "reservas").split()
            confirmadas = [reserva for reserva in ids[nombre] if reserva in filas]
            vistas = con_evento(aerolinea, topico, RESERVAS - (len(MUEREN) if topico == DOBLE else 0))
            perdidas[nombre] = [numero for numero, reserva in enumerate(ids[nombre], 1) if reserva not in vistas]
            decir(f"{nombre:18} {len(confirmadas):11} {len(vistas):11}   {', '.join(map(str, perdidas[nombre])) or 'ninguna'}")
        return perdidas
    finally:
        aerolinea.stop()


if __name__ == "__main__":
    leccion()
