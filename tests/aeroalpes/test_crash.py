"""Kills of API, engine and broker at random under a steady load of bookings: each booking has one event and one mail, nothing else has.

AEROALPES_KILLS kills (8 unless told), AEROALPES_SEED to repeat a run.
"""

import collections
import http.client
import os
import random
import threading
import time
import uuid

import pulsar
from pulsar.schema import AvroSchema
from test_notificaciones import Correo

from harness.aeroalpes import booking, leg
from harness.airline import EVENTS, Airline
from harness.process import wait_until
from harness.tutorial import EventoReservaCreada

KILLS = int(os.environ.get("AEROALPES_KILLS", "8"))
SEED = int(os.environ.get("AEROALPES_SEED", "0")) or random.randrange(1, 1 << 31)
BOOKINGS_PER_SECOND = 50
CLIENTS = 10


class Load:
    """Clients that book at a steady rate, and repeat a booking with the same key until it is answered, as a good client does."""

    def __init__(self, api):
        self._api, self._stop, self.accepted, self.refused = api, threading.Event(), [], []
        self._threads = [threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _client(self, number):
        choice, due = random.Random(f"{SEED}/{number}"), time.monotonic()
        while not self._stop.is_set():
            self._book(choice)
            due += CLIENTS / BOOKINGS_PER_SECOND
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _book(self, choice):
        body = booking(leg(day=choice.randrange(1, 29)))
        # One in ten gives up after a failure: its booking may be there or not, but never half of it.
        key, patient = {"Idempotency-Key": uuid.uuid4().hex}, choice.random() < 0.9
        for _ in range(400):
            try:
                answer = self._api.call("POST", "/vuelos/reserva", body, key, timeout=20)
            except (OSError, http.client.HTTPException):  # nobody there, or an answer that was cut off
                answer = None
            if answer and answer.status == 202:
                return self.accepted.append(answer.json["id"])
            if answer and answer.status != 503:
                return self.refused.append(answer)
            if not patient:
                return None
            time.sleep(0.1)
        return None

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def test_every_booking_has_one_event_and_one_mail_and_nothing_else_has(tmp_path):
    choice, correo = random.Random(SEED), Correo(tmp_path)
    airline = Airline("mysql", smtp_port=correo.port, parts=("mail",))
    try:
        load = Load(airline.api)
        victims = {"API": (lambda: airline.api.process.kill(), lambda: airline.api.start(wait=False)),
                   "engine": (airline.relay.kill, airline.relay.start),
                   "broker": (lambda: airline.broker.process.kill(), airline.broker.start)}
        killed = collections.Counter()
        for number in range(KILLS):
            time.sleep(choice.uniform(0.2, 1.5))  # the load goes on meanwhile; this is the schedule of the kills
            name = choice.choice(list(victims)) if number >= len(victims) else list(victims)[number]
            kill, start = victims[name]
            kill()
            time.sleep(choice.uniform(0, 0.5))
            start()
            killed[name] += 1
        wait_until("bookings after the last kill", lambda goal=len(load.accepted) + 20: len(load.accepted) >= goal, 60)
        load.stop()
        assert not load.refused, load.refused[:3]
        rows = set(airline.database.client("SELECT id FROM reservas", "reservas").split())
        assert set(load.accepted) <= rows and len(load.accepted) == len(set(load.accepted))
        assert events(airline, len(rows)) == dict.fromkeys(rows, 1)
        mails = collections.Counter(word for mail in correo.wait_for(len(rows), 120) for word in set(mail["asunto"].split()) & rows)
        assert mails == dict.fromkeys(rows, 1)
        print(f"{dict(killed)} kills, {len(rows)} bookings, {len(load.accepted)} of them answered (seed {SEED})")
    except BaseException:
        print(f"seed {SEED}\n{airline.log()[-6000:]}")
        raise
    finally:
        codes = airline.stop()
        correo.process.terminate()
    assert not codes


def events(airline, count):
    """How many events each reservation has, once all are there; a moment later there are no more."""
    client = pulsar.Client(airline.broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    consumer = client.subscribe(EVENTS, "crash", initial_position=pulsar.InitialPosition.Earliest, schema=AvroSchema(EventoReservaCreada))
    found = collections.Counter()
    try:
        while True:
            message = consumer.receive(60_000 if found.total() < count else 2_000)
            data = message.value().data
            found[(data if isinstance(data, dict) else data.__dict__)["id_reserva"]] += 1
            consumer.acknowledge(message)
    except pulsar.Timeout:
        return dict(found)
    finally:
        client.close()
