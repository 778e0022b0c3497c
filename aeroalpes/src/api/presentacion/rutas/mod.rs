//! Las direcciones de la API, un archivo por grupo.

pub(super) mod pendiente;
pub(super) mod reserva;
pub(super) mod salud;
pub(super) mod usuario;

mod parametros;
mod respuestas;

use axum::http::{Method, StatusCode, Uri};

use super::Problema;

/// Contesta a una dirección que la API no tiene.
pub(super) async fn desconocida(uri: Uri) -> Problema {
    let ruta: String = uri.path().chars().take(100).collect();
    Problema::nuevo(StatusCode::NOT_FOUND, format!("No existe la dirección {ruta}; las que hay están en /docs"))
}

/// Contesta a un método que una dirección no tiene.
pub(super) async fn metodo_no_permitido(metodo: Method) -> Problema {
    Problema::nuevo(StatusCode::METHOD_NOT_ALLOWED, format!("Esta dirección no admite el método {metodo}"))
}
