//! Los cuerpos: cómo se leen, y los que no son tipos del dominio, como los describe OpenAPI.

mod pedido;
mod reserva;
mod usuario;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use pedido::{huella, leer_itinerarios, leer_pedido};
pub(crate) use reserva::{CambioDto, PaginaReservas, ReservaCreada};
pub(crate) use usuario::{PaginaUsuarios, UsuarioCambiado, UsuarioNuevo, leer_usuario_cambiado, leer_usuario_nuevo};

/// Por qué una petición no tuvo éxito.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDto {
    /// Una frase.
    #[schema(example = "La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)")]
    pub(crate) error: String,
    /// En qué lugar de la petición está la falta.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "itinerarios[0].odos[0].segmentos[0].legs[0].fecha_salida")]
    pub(crate) campo: Option<String>,
}

/// El proceso está en marcha.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SaludDto {
    /// Siempre `up`.
    #[schema(example = "up")]
    pub(crate) status: &'static str,
}

/// Si están las partes que la API necesita: `up` o `down` cada una.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListoDto {
    /// `up` si lo están las dos.
    #[schema(example = "up")]
    pub(crate) status: &'static str,
    /// La base de datos con sus tablas.
    #[schema(example = "up")]
    pub(crate) base_de_datos: &'static str,
    /// El broker.
    #[schema(example = "up")]
    pub(crate) broker: &'static str,
}
