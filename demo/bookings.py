"""The bookings that the demo makes on its own: a flight of the airline, and mostly what follows it."""

import random
import uuid

from harness.aeroalpes import booking, leg

ROUTES = [("BOG", "Bogotá, El Dorado", "JFK", "Nueva York, John F. Kennedy"), ("MDE", "Medellín, José María Córdova", "MAD", "Madrid, Barajas"),
          ("CLO", "Cali, Alfonso Bonilla Aragón", "LIM", "Lima, Jorge Chávez"), ("BOG", "Bogotá, El Dorado", "EZE", "Buenos Aires, Ezeiza")]


class Bookings:
    """Makes bookings one after the other, and approves, pays or cancels some of the ones before."""

    def __init__(self, api, seed=1):
        self._api, self._random = api, random.Random(seed)
        self._pending, self._approved = [], []

    def one(self):
        """One booking and at most one step of an earlier one."""
        origin, origin_name, destination, destination_name = self._random.choice(ROUTES)
        flight = leg(origin, destination, day=self._random.randrange(1, 29), names=False)
        flight["origen"]["nombre"], flight["destino"]["nombre"] = origin_name, destination_name
        answer = self._api.call("POST", "/vuelos/reserva", booking(flight, passengers=["ADULTO"]), {"Idempotency-Key": uuid.uuid4().hex})
        if answer.status == 202:
            self._pending.append(answer.json["id"])
        step = self._random.random()
        if self._approved and step < 0.4:
            self._order(self._approved.pop(0), "pagar")
        elif len(self._pending) > 1 and step < 0.8:
            identity = self._pending.pop(0)
            self._order(identity, "aprobar")
            self._approved.append(identity)
        elif len(self._pending) > 1 and step < 0.9:
            self._order(self._pending.pop(0), "cancelar")
        return answer

    def _order(self, identity, order):
        self._api.call("POST", f"/vuelos/reserva/{identity}/{order}", b"")
