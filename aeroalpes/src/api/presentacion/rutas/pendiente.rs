//! Módulos que nombra el contrato y que todavía no hacen nada: lo dicen.

use axum::http::{StatusCode, Uri};

use crate::api::presentacion::Problema;

/// Sus direcciones.
pub(crate) const MODULOS: [&str; 4] = ["/hoteles", "/pagos", "/precios_dinamicos", "/vehiculos"];

/// Contesta 501.
pub(crate) async fn responder(uri: Uri) -> Problema {
    let modulo = uri.path().split('/').nth(1).unwrap_or_default();
    Problema::nuevo(StatusCode::NOT_IMPLEMENTED, format!("El módulo {modulo} no está implementado"))
}
