//! The API's description: OpenAPI out of the handlers themselves, and a page that shows it without any other machine.

use axum::Json;
use axum::http::HeaderName;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Html;
use utoipa::OpenApi;
use utoipa::openapi;

use super::dto::{
    AeropuertoDto, CambioDto, ErrorDto, ItinerarioDto, LegDto, ListoDto, OdoDto, PaginaReservas, PaginaUsuarios,
    PasajeroDto, ReservaCreada, ReservaDto, ReservaNueva, SaludDto, SegmentoDto, UsuarioCambiado, UsuarioDto,
    UsuarioNuevo,
};
use super::rutas::{reserva, salud, usuario};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "AeroAlpes",
        description = "Reservations of flights, with an event for each change through a transactional outbox; users of the legacy table. \
                       Errors are `{\"error\": \"…\", \"campo\": \"…\"}` with a sentence in Spanish and the place of the fault. \
                       The modules `/hoteles`, `/pagos`, `/precios_dinamicos` and `/vehiculos` answer 501."
    ),
    paths(
        reserva::crear,
        reserva::listar,
        reserva::leer,
        reserva::aprobar,
        reserva::pagar,
        reserva::cancelar,
        usuario::registrar,
        usuario::listar,
        usuario::leer,
        usuario::cambiar,
        usuario::borrar,
        salud::vivo,
        salud::listo
    ),
    components(schemas(
        AeropuertoDto,
        CambioDto,
        ErrorDto,
        ItinerarioDto,
        LegDto,
        ListoDto,
        OdoDto,
        PaginaReservas,
        PaginaUsuarios,
        PasajeroDto,
        ReservaCreada,
        ReservaDto,
        ReservaNueva,
        SaludDto,
        SegmentoDto,
        UsuarioCambiado,
        UsuarioDto,
        UsuarioNuevo
    ))
)]
struct Especificacion;

/// Answers with the OpenAPI document.
pub(super) async fn documento() -> Json<openapi::OpenApi> {
    Json(Especificacion::openapi())
}

/// Answers with the page. It loads `/spec` and nothing else, and says so to the browser.
pub(super) async fn pagina() -> ([(HeaderName, &'static str); 1], Html<&'static str>) {
    let policy = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(include_str!("docs.html")))
}
