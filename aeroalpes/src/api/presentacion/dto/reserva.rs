//! Los cuerpos de las reservas que no son el dominio tal como es.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::dominio::{Estado, Fecha, Reserva};

/// La reserva está guardada.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservaCreada {
    /// Id de la reserva, un UUID de versión 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    pub(crate) id: String,
}

/// Una reserva después de un cambio de estado.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CambioDto {
    /// Su id.
    id: String,
    /// Su estado ahora.
    #[schema(value_type = String, pattern = "^(PENDIENTE|APROBADA|PAGADA|CANCELADA)$")]
    estado: Estado,
    /// Cuándo cambió, en UTC.
    #[schema(value_type = String, format = DateTime)]
    fecha_actualizacion: Fecha,
}

/// Una página de reservas, la más nueva primero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaginaReservas {
    /// Las de esta página.
    pub(crate) reservas: Vec<Reserva>,
    /// Número de la página, desde 1.
    pub(crate) pagina: u32,
    /// Reservas de una página, como mucho.
    pub(crate) tamano: u32,
    /// Todas las que cumplen el filtro.
    pub(crate) total: i64,
}

impl From<&Reserva> for CambioDto {
    fn from(reserva: &Reserva) -> Self {
        CambioDto {
            id: reserva.id().to_owned(),
            estado: reserva.estado(),
            fecha_actualizacion: reserva.fecha_actualizacion(),
        }
    }
}
