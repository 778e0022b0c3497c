//! Rechaza las peticiones de páginas ajenas. La API no autentica a nadie: sin esto, cualquier página abierta en el
//! navegador de quien la usa podría reservar y leer los usuarios.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bitacora_origin::{Guard, HostRule, Refusal};

use super::Problema;

/// Direcciones de los vigilantes, que llaman a la API por el nombre que conocen.
const DE_VIGILANTES: [&str; 2] = ["/health", "/ready"];

/// Deja pasar la petición, o contesta 403 con el motivo y el remedio.
pub(super) async fn rechazar_paginas_ajenas(
    State(guardia): State<Arc<Guard>>,
    peticion: Request,
    next: Next,
) -> Response {
    let regla = if DE_VIGILANTES.contains(&peticion.uri().path()) { HostRule::Any } else { HostRule::Known };
    let Err(rechazo) = guardia.check(peticion.method(), peticion.uri(), peticion.headers(), regla) else {
        return next.run(peticion).await;
    };
    tracing::warn!(%rechazo, "se rechazó una petición de otra página o por un nombre desconocido");
    let texto = match rechazo {
        Refusal::Host(_) => {
            "La API no se conoce por ese nombre; llámela localhost o por su dirección, o añada el nombre a \
             AEROALPES_NOMBRES"
        }
        _ => "La petición viene de otra página; si es de confianza, añada su nombre a AEROALPES_NOMBRES",
    };
    Problema::nuevo(StatusCode::FORBIDDEN, texto).into_response()
}
