//! Si el proceso está en marcha, y si puede hacer su trabajo.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::infraestructura::broker::responde;
use crate::api::presentacion::contexto::Contexto;
use crate::api::presentacion::dto::{ListoDto, SaludDto};

/// Enruta la salud.
pub(crate) fn rutas() -> OpenApiRouter<Contexto> {
    OpenApiRouter::new().routes(routes!(vivo)).routes(routes!(listo))
}

/// Dice que el proceso está en marcha.
#[utoipa::path(
    get,
    path = "/health",
    tag = "salud",
    responses((status = 200, body = SaludDto, description = "El proceso está en marcha"))
)]
async fn vivo() -> Json<SaludDto> {
    Json(SaludDto { status: "up" })
}

/// Dice si están la base de datos y el broker.
///
/// Reservar solo necesita la base de datos; en ella esperan los eventos al broker.
#[utoipa::path(get, path = "/ready", tag = "salud", responses(
    (status = 200, body = ListoDto, description = "Están los dos"),
    (status = 503, body = ListoDto, description = "Falta uno de los dos"),
))]
async fn listo(State(contexto): State<Contexto>) -> (StatusCode, Json<ListoDto>) {
    let (base, broker) = tokio::join!(contexto.almacen.comprobar(), responde(&contexto.broker));
    if let Err(error) = &base {
        tracing::warn!(%error, "la base de datos no está lista");
    }
    let palabra = |arriba| if arriba { "up" } else { "down" };
    let ambos = base.is_ok() && broker;
    let status = if ambos { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ListoDto { status: palabra(ambos), base_de_datos: palabra(base.is_ok()), broker: palabra(broker) }))
}
