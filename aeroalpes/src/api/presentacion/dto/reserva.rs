//! Los cuerpos de las reservas como se describen y se escriben.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::dominio::{Aeropuerto, Itinerario, Leg, Odo, Reserva, Segmento};

/// Un aeropuerto.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AeropuertoDto {
    /// Código del aeropuerto.
    #[schema(min_length = 1, max_length = 10, example = "BOG")]
    codigo: String,
    /// Nombre del aeropuerto, guardado como se dio.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "El Dorado")]
    nombre: Option<String>,
}

/// Un vuelo.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "fecha_salida": "2022-11-22T13:10:00Z",
    "fecha_llegada": "2022-11-22T19:10:00Z",
    "origen": {"codigo": "BOG", "nombre": "El Dorado"},
    "destino": {"codigo": "JFK", "nombre": "John F. Kennedy"},
}))]
pub(crate) struct LegDto {
    /// Salida, en UTC.
    #[schema(format = DateTime, example = "2022-11-22T13:10:00Z")]
    fecha_salida: String,
    /// Llegada, en UTC.
    #[schema(format = DateTime, example = "2022-11-22T15:10:00Z")]
    fecha_llegada: String,
    /// Dónde empieza.
    origen: AeropuertoDto,
    /// Dónde acaba; otro aeropuerto.
    destino: AeropuertoDto,
}

/// Vuelos bajo un mismo número.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SegmentoDto {
    /// Sus vuelos, en orden.
    #[schema(min_items = 1, max_items = 20)]
    legs: Vec<LegDto>,
}

/// Un trayecto de un origen a un destino.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OdoDto {
    /// Sus segmentos, en orden.
    #[schema(min_items = 1, max_items = 20)]
    segmentos: Vec<SegmentoDto>,
}

/// Quién vuela.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasajeroDto {
    /// `ADULTO`, `MENOR` o `INFANTE`.
    #[schema(example = "ADULTO", pattern = "^(ADULTO|MENOR|INFANTE)$")]
    tipo: &'static str,
}

/// Un itinerario.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItinerarioDto {
    /// Sus trayectos, en orden.
    #[schema(min_items = 1, max_items = 20)]
    odos: Vec<OdoDto>,
    /// Sus pasajeros, con un adulto al menos; no está si no se dieron.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 100)]
    pasajeros: Vec<PasajeroDto>,
}

/// Un pedido de reserva.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaNueva {
    /// El cliente, si lo hay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 40, example = "42")]
    pub(super) id_cliente: Option<String>,
    /// Lo que se reserva.
    #[schema(min_items = 1, max_items = 20)]
    pub(super) itinerarios: Vec<ItinerarioDto>,
}

/// La reserva está guardada.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaCreada {
    /// Id de la reserva, un UUID de versión 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    pub(crate) id: String,
}

/// Una reserva.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaDto {
    /// Su id.
    id: String,
    /// Su cliente.
    #[schema(required = true)]
    id_cliente: Option<String>,
    /// `PENDIENTE`, `APROBADA`, `PAGADA` o `CANCELADA`.
    #[schema(pattern = "^(PENDIENTE|APROBADA|PAGADA|CANCELADA)$")]
    estado: &'static str,
    /// Cuándo se reservó, en UTC.
    #[schema(format = DateTime)]
    fecha_creacion: String,
    /// Cuándo cambió por última vez, en UTC.
    #[schema(format = DateTime)]
    fecha_actualizacion: String,
    /// Sus itinerarios; ninguno si la abrió un comando sin vuelo.
    itinerarios: Vec<ItinerarioDto>,
}

/// Una reserva después de un cambio de estado.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CambioDto {
    /// Su id.
    id: String,
    /// Su estado ahora.
    #[schema(pattern = "^(PENDIENTE|APROBADA|PAGADA|CANCELADA)$")]
    estado: &'static str,
    /// Cuándo cambió, en UTC.
    #[schema(format = DateTime)]
    fecha_actualizacion: String,
}

/// Una página de reservas, la más nueva primero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaginaReservas {
    /// Las de esta página.
    pub(crate) reservas: Vec<ReservaDto>,
    /// Número de la página, desde 1.
    pub(crate) pagina: u32,
    /// Reservas de una página, como mucho.
    pub(crate) tamano: u32,
    /// Todas las que cumplen el filtro.
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
