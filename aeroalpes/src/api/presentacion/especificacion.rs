//! La descripción de la API: OpenAPI sacado de los propios manejadores, y una página que la muestra sin ninguna otra
//! máquina.

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
        description = "Reservas de vuelos, con un evento por cada cambio mediante una bandeja de salida transaccional; usuarios de la tabla legado. \
                       Los errores son `{\"error\": \"…\", \"campo\": \"…\"}`, con una frase y el lugar de la falta. \
                       Los módulos `/hoteles`, `/pagos`, `/precios_dinamicos` y `/vehiculos` contestan 501."
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

/// Contesta con el documento OpenAPI.
pub(super) async fn documento() -> Json<openapi::OpenApi> {
    Json(Especificacion::openapi())
}

/// Contesta con la página. Solo carga `/spec`, y así se lo dice al navegador.
pub(super) async fn pagina() -> ([(HeaderName, &'static str); 1], Html<&'static str>) {
    let politica = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";
    ([(CONTENT_SECURITY_POLICY, politica)], Html(include_str!("docs.html")))
}
