"""The records of the tutorial's services, as they declare them for the official client."""

from pulsar.schema import Long, Record, String


class ReservaCreadaPayload(Record):
    id_reserva = String()
    id_cliente = String()
    estado = String()
    fecha_creacion = Long()


class EventoReservaCreada(Record):
    id = String()
    time = Long()
    ingestion = Long()
    specversion = String()
    type = String()
    datacontenttype = String()
    service_name = String()
    data = ReservaCreadaPayload()


def narrower():
    """The record of the notification service: of the same name, with the field `data` alone."""
    return type(Record)("EventoReservaCreada", (Record,), {"data": ReservaCreadaPayload()})
