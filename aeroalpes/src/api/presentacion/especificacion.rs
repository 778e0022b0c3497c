//! La descripción de la API: OpenAPI sacado de los propios manejadores, en `/spec`, y Swagger UI para leerla y
//! probarla, en `/docs/`. Los archivos de Swagger UI van dentro del programa: la página no necesita otra máquina.

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderValue, Response};
use axum::middleware::map_response;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::contexto::Contexto;

/// La página solo carga sus archivos y `/spec`, y así se lo dice al navegador. Sus iconos son direcciones `data:`.
const POLITICA: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

#[derive(OpenApi)]
#[openapi(info(
    title = "AeroAlpes",
    description = "Reservas de vuelos, con un evento por cada cambio mediante una bandeja de salida transaccional; \
                   usuarios de la tabla legado. Los errores son `{\"error\": \"…\", \"campo\": \"…\"}`, con una \
                   frase y el lugar de la falta. Los módulos `/hoteles`, `/pagos`, `/precios_dinamicos` y \
                   `/vehiculos` contestan 501."
))]
struct Especificacion;

/// Empieza la descripción, todavía sin direcciones.
pub(super) fn vacia() -> OpenApiRouter<Contexto> {
    OpenApiRouter::with_openapi(Especificacion::openapi())
}

/// Sirve las direcciones, su descripción y la página.
pub(super) fn publicar(descrito: OpenApiRouter<Contexto>) -> Router<Contexto> {
    let (router, documento) = descrito.split_for_parts();
    // Sin esto la página mandaría el documento a validator.swagger.io.
    let ajustes = Config::from("/spec").validator_url("none").use_base_layout().try_it_out_enabled(true);
    let pagina = Router::from(SwaggerUi::new("/docs").config(ajustes)).layer(map_response(con_politica));
    router.route("/spec", get(async || Json(documento))).merge(pagina)
}

async fn con_politica<C>(mut respuesta: Response<C>) -> Response<C> {
    respuesta.headers_mut().insert(CONTENT_SECURITY_POLICY, POLITICA);
    respuesta
}
