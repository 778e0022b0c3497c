//! Modules that the contract names and that have no function yet: they say so.

use axum::http::{StatusCode, Uri};

use crate::api::presentacion::Problema;

/// Their addresses.
pub(crate) const MODULOS: [&str; 4] = ["/hoteles", "/pagos", "/precios_dinamicos", "/vehiculos"];

/// Answers 501.
pub(crate) async fn responder(uri: Uri) -> Problema {
    let modulo = uri.path().split('/').nth(1).unwrap_or_default();
    Problema::nuevo(StatusCode::NOT_IMPLEMENTED, format!("El módulo {modulo} no está implementado"))
}
