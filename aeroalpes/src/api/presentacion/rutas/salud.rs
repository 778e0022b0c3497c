//! Whether the process runs, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::api::aplicacion::puerto::Almacen;
use crate::api::presentacion::Contexto;
use crate::api::presentacion::dto::{ListoDto, SaludDto};

/// Tells that the process runs.
#[utoipa::path(get, path = "/health", tag = "salud", responses((status = 200, body = SaludDto, description = "The process runs")))]
pub(crate) async fn vivo() -> Json<SaludDto> {
    Json(SaludDto { status: "up" })
}

/// Tells whether database and broker are there. Bookings need the database only; events wait in it for the broker.
#[utoipa::path(get, path = "/ready", tag = "salud", responses(
    (status = 200, body = ListoDto, description = "Both are there"),
    (status = 503, body = ListoDto, description = "One of them is not"),
))]
pub(crate) async fn listo(State(contexto): State<Contexto>) -> (StatusCode, Json<ListoDto>) {
    let (base, broker) = tokio::join!(contexto.almacen.comprobar(), contexto.broker.responde());
    if let Err(error) = &base {
        tracing::warn!(%error, "the database is not ready");
    }
    let word = |up| if up { "up" } else { "down" };
    let both = base.is_ok() && broker;
    let status = if both { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ListoDto { status: word(both), base_de_datos: word(base.is_ok()), broker: word(broker) }))
}
