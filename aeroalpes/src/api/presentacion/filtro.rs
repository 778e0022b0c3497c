//! Lo que una petición pasa antes de su manejador: de dónde viene, y si hay lugar para ella.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bitacora_origin::{HostRule, Refusal};

use super::Problema;
use super::contexto::Contexto;
use super::problema::DEMASIADAS;

/// Direcciones de los vigilantes, que llaman a la API por el nombre que conocen.
const DE_VIGILANTES: [&str; 2] = ["/health", "/ready"];

/// Rechaza las peticiones de páginas ajenas con 403, el motivo y el remedio. La API no autentica a nadie: sin esto,
/// cualquier página abierta en el navegador de quien la usa podría reservar y leer los usuarios.
pub(super) async fn rechazar_paginas_ajenas(
    State(contexto): State<Contexto>,
    peticion: Request,
    next: Next,
) -> Response {
    let regla = if DE_VIGILANTES.contains(&peticion.uri().path()) { HostRule::Any } else { HostRule::Known };
    let Err(rechazo) = contexto.guardia.check(peticion.method(), peticion.uri(), peticion.headers(), regla) else {
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

/// Atiende una petición si hay lugar para ella; si no, contesta 503 enseguida: una cola solo haría llegar tarde a
/// todas.
pub(super) async fn limitar(State(contexto): State<Contexto>, peticion: Request, next: Next) -> Response {
    match contexto.lugares.try_acquire() {
        Ok(_lugar) => next.run(peticion).await,
        Err(_) => Problema::nuevo(StatusCode::SERVICE_UNAVAILABLE, DEMASIADAS).into_response(),
    }
}
