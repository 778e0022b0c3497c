//! The addresses of the API, a file for each group.

pub(super) mod pendiente;
pub(super) mod reserva;
pub(super) mod salud;
pub(super) mod usuario;

mod parametros;

use axum::http::{Method, StatusCode, Uri};

use super::Problema;

/// Answers an address that the API does not have.
pub(super) async fn desconocida(uri: Uri) -> Problema {
    let path: String = uri.path().chars().take(100).collect();
    Problema::nuevo(StatusCode::NOT_FOUND, format!("No existe la dirección {path}; las que hay están en /docs"))
}

/// Answers a method that an address does not have.
pub(super) async fn metodo_no_permitido(method: Method) -> Problema {
    Problema::nuevo(StatusCode::METHOD_NOT_ALLOWED, format!("Esta dirección no admite el método {method}"))
}
