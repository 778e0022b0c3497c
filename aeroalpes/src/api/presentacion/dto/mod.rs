//! What goes over the wire, as OpenAPI describes it.

mod pedido;
mod reserva;
mod usuario;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use pedido::{huella, leer_itinerarios, leer_pedido};
pub(crate) use reserva::{
    AeropuertoDto, CambioDto, ItinerarioDto, LegDto, OdoDto, PaginaReservas, PasajeroDto, ReservaCreada, ReservaDto,
    ReservaNueva, SegmentoDto,
};
pub(crate) use usuario::{
    PaginaUsuarios, UsuarioCambiado, UsuarioDto, UsuarioNuevo, leer_usuario_cambiado, leer_usuario_nuevo,
};

/// Why a request did not succeed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDto {
    /// One sentence in Spanish.
    #[schema(example = "La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)")]
    pub(crate) error: String,
    /// Where in the request the fault is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "itinerarios[0].odos[0].segmentos[0].legs[0].fecha_salida")]
    pub(crate) campo: Option<String>,
}

/// The process runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SaludDto {
    /// Always `up`.
    #[schema(example = "up")]
    pub(crate) status: &'static str,
}

/// Whether the parts that the API needs are there: `up` or `down` each.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListoDto {
    /// `up` when both are.
    #[schema(example = "up")]
    pub(crate) status: &'static str,
    /// The database with its tables.
    #[schema(example = "up")]
    pub(crate) base_de_datos: &'static str,
    /// The broker.
    #[schema(example = "up")]
    pub(crate) broker: &'static str,
}
