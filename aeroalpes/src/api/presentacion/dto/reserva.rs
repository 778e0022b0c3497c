//! Bodies of reservations as they are described and written.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::dominio::{Aeropuerto, Itinerario, Leg, Odo, Reserva, Segmento};

/// An airport.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AeropuertoDto {
    /// Code of the airport.
    #[schema(min_length = 1, max_length = 10, example = "BOG")]
    codigo: String,
    /// Name of the airport, kept as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "El Dorado")]
    nombre: Option<String>,
}

/// One flight.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "fecha_salida": "2022-11-22T13:10:00Z",
    "fecha_llegada": "2022-11-22T19:10:00Z",
    "origen": {"codigo": "BOG", "nombre": "El Dorado"},
    "destino": {"codigo": "JFK", "nombre": "John F. Kennedy"},
}))]
pub(crate) struct LegDto {
    /// Departure in UTC.
    #[schema(format = DateTime, example = "2022-11-22T13:10:00Z")]
    fecha_salida: String,
    /// Arrival in UTC.
    #[schema(format = DateTime, example = "2022-11-22T15:10:00Z")]
    fecha_llegada: String,
    /// Where it begins.
    origen: AeropuertoDto,
    /// Where it ends; another airport.
    destino: AeropuertoDto,
}

/// Flights under one number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SegmentoDto {
    /// Its flights, in order.
    #[schema(min_items = 1, max_items = 20)]
    legs: Vec<LegDto>,
}

/// One way from an origin to a destination.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OdoDto {
    /// Its segments, in order.
    #[schema(min_items = 1, max_items = 20)]
    segmentos: Vec<SegmentoDto>,
}

/// Who flies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasajeroDto {
    /// `ADULTO`, `MENOR` or `INFANTE`.
    #[schema(example = "ADULTO", pattern = "^(ADULTO|MENOR|INFANTE)$")]
    tipo: &'static str,
}

/// One itinerary.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItinerarioDto {
    /// Its ways, in order.
    #[schema(min_items = 1, max_items = 20)]
    odos: Vec<OdoDto>,
    /// Its passengers, at least one adult among them; absent when none were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 100)]
    pasajeros: Vec<PasajeroDto>,
}

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaNueva {
    /// The client, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 40, example = "42")]
    pub(super) id_cliente: Option<String>,
    /// What is booked.
    #[schema(min_items = 1, max_items = 20)]
    pub(super) itinerarios: Vec<ItinerarioDto>,
}

/// The booking is stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaCreada {
    /// Id of the reservation, a UUID of version 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    pub(crate) id: String,
}

/// A reservation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaDto {
    /// Its id.
    id: String,
    /// Its client.
    #[schema(required = true)]
    id_cliente: Option<String>,
    /// `PENDIENTE`, `APROBADA`, `PAGADA` or `CANCELADA`.
    #[schema(pattern = "^(PENDIENTE|APROBADA|PAGADA|CANCELADA)$")]
    estado: &'static str,
    /// When it was booked, in UTC.
    #[schema(format = DateTime)]
    fecha_creacion: String,
    /// When it was last changed, in UTC.
    #[schema(format = DateTime)]
    fecha_actualizacion: String,
    /// Its itineraries; none for one that a command opened without a flight.
    itinerarios: Vec<ItinerarioDto>,
}

/// A reservation after a change of its state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CambioDto {
    /// Its id.
    id: String,
    /// Its state now.
    #[schema(pattern = "^(PENDIENTE|APROBADA|PAGADA|CANCELADA)$")]
    estado: &'static str,
    /// When it was changed, in UTC.
    #[schema(format = DateTime)]
    fecha_actualizacion: String,
}

/// A page of reservations, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaginaReservas {
    /// Those of this page.
    pub(crate) reservas: Vec<ReservaDto>,
    /// Number of the page, from 1.
    pub(crate) pagina: u32,
    /// Most reservations of a page.
    pub(crate) tamano: u32,
    /// All that fit the filter.
    pub(crate) total: i64,
}

impl From<&Reserva> for ReservaDto {
    fn from(reserva: &Reserva) -> Self {
        ReservaDto {
            id: reserva.id().to_owned(),
            id_cliente: reserva.id_cliente().map(str::to_owned),
            estado: reserva.estado().nombre(),
            fecha_creacion: reserva.fecha_creacion().to_string(),
            fecha_actualizacion: reserva.fecha_actualizacion().to_string(),
            itinerarios: reserva.itinerarios().iter().map(ItinerarioDto::from).collect(),
        }
    }
}

impl From<&Reserva> for CambioDto {
    fn from(reserva: &Reserva) -> Self {
        CambioDto {
            id: reserva.id().to_owned(),
            estado: reserva.estado().nombre(),
            fecha_actualizacion: reserva.fecha_actualizacion().to_string(),
        }
    }
}

impl From<&Itinerario> for ItinerarioDto {
    fn from(itinerario: &Itinerario) -> Self {
        let segmento = |segmento: &Segmento| SegmentoDto { legs: segmento.legs.iter().map(LegDto::from).collect() };
        let odo = |odo: &Odo| OdoDto { segmentos: odo.segmentos.iter().map(segmento).collect() };
        ItinerarioDto {
            odos: itinerario.odos.iter().map(odo).collect(),
            pasajeros: itinerario.pasajeros.iter().map(|pasajero| PasajeroDto { tipo: pasajero.nombre() }).collect(),
        }
    }
}

impl From<&Leg> for LegDto {
    fn from(leg: &Leg) -> Self {
        let aeropuerto = |aeropuerto: &Aeropuerto| AeropuertoDto {
            codigo: aeropuerto.codigo.clone(),
            nombre: aeropuerto.nombre.clone(),
        };
        LegDto {
            fecha_salida: leg.fecha_salida.to_string(),
            fecha_llegada: leg.fecha_llegada.to_string(),
            origen: aeropuerto(&leg.origen),
            destino: aeropuerto(&leg.destino),
        }
    }
}
