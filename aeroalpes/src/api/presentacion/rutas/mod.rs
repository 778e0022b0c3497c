//! Las direcciones de la API, un archivo por grupo.

pub(super) mod reserva;
pub(super) mod salud;
pub(super) mod usuario;

mod parametros;
mod respuestas;

use axum::http::{Method, StatusCode, Uri};

use super::Problema;

/// Las direcciones de los módulos que nombra el contrato y que todavía no hacen nada.
pub(super) const PENDIENTES: [&str; 4] = ["/hoteles", "/pagos", "/precios_dinamicos", "/vehiculos"];

/// Contesta por un módulo que todavía no hace nada.
pub(super) async fn pendiente(uri: Uri) -> Problema {
    let modulo = uri.path().split('/').nth(1).unwrap_or_default();
    Problema::nuevo(StatusCode::NOT_IMPLEMENTED, format!("El módulo {modulo} no está implementado"))
}

/// Contesta a una dirección que la API no tiene.
pub(super) async fn desconocida(uri: Uri) -> Problema {
    let ruta: String = uri.path().chars().take(100).collect();
    Problema::nuevo(StatusCode::NOT_FOUND, format!("No existe la dirección {ruta}; las que hay están en /docs"))
}

/// Contesta a un método que una dirección no tiene.
pub(super) async fn metodo_no_permitido(metodo: Method) -> Problema {
    Problema::nuevo(StatusCode::METHOD_NOT_ALLOWED, format!("Esta dirección no admite el método {metodo}"))
}
