//! The event of a reservation.

use serde::{Deserialize, Serialize};

/// Avro schema of the topic: what the tutorial's producer registers (every field a union with null first), and at the
/// end of the payload the date that the later events carry, so that a reader of the first form reads every event.
pub const ESQUEMA: &str = include_str!("evento.avsc");

/// Names of the events in `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TipoEvento {
    /// The reservation was made.
    ReservaCreada,
    /// It was approved.
    ReservaAprobada,
    /// It was paid.
    ReservaPagada,
    /// It was cancelled.
    ReservaCancelada,
}

impl TipoEvento {
    /// Every kind of event.
    pub const TODOS: [Self; 4] =
        [Self::ReservaCreada, Self::ReservaAprobada, Self::ReservaPagada, Self::ReservaCancelada];

    /// Returns the name as it stands in `type` and in the outbox column `tipo_evento`.
    pub fn nombre(self) -> &'static str {
        match self {
            Self::ReservaCreada => "ReservaCreada",
            Self::ReservaAprobada => "ReservaAprobada",
            Self::ReservaPagada => "ReservaPagada",
            Self::ReservaCancelada => "ReservaCancelada",
        }
    }

    /// Returns the kind of event with that name.
    pub fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS.into_iter().find(|tipo| tipo.nombre() == nombre)
    }
}

/// Envelope of an event on [`crate::contrato::tema::EVENTOS_RESERVA`]. Every field may be missing, as the schema allows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventoReserva {
    /// Id of the event, the id of its outbox row.
    pub id: Option<String>,
    /// When it happened, in milliseconds since 1970.
    pub time: Option<i64>,
    /// When it was relayed, in milliseconds since 1970.
    pub ingestion: Option<i64>,
    /// Version of the envelope: `v1`.
    pub specversion: Option<String>,
    /// Name of a [`TipoEvento`].
    #[serde(rename = "type")]
    pub tipo: Option<String>,
    /// Form of the data: `AVRO`.
    pub datacontenttype: Option<String>,
    /// The service that tells it: `aeroalpes`.
    pub service_name: Option<String>,
    /// The reservation.
    pub data: Option<DatosReserva>,
}

/// The reservation in an event; also the JSON of the outbox column `contenido`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatosReserva {
    /// Id of the reservation.
    pub id_reserva: Option<String>,
    /// Id of its client, if it has one.
    pub id_cliente: Option<String>,
    /// `PENDIENTE`, `APROBADA`, `PAGADA` or `CANCELADA`.
    pub estado: Option<String>,
    /// When the reservation was made, in milliseconds since 1970.
    pub fecha_creacion: Option<i64>,
    /// When it was changed, in milliseconds since 1970; none in the event of its creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fecha_actualizacion: Option<i64>,
}
