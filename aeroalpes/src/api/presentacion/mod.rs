//! Las entradas: HTTP y los temas. Lee lo que llegó, llama a un comando o una consulta, escribe la respuesta.
//!
//! - `rutas`: un archivo por grupo de direcciones; [`enrutar`] las junta.
//! - `dto`: cómo son los cuerpos, como los describe OpenAPI, y cómo se leen.
//! - `filtro`: lo que una petición pasa antes.
//! - `lector`: lee JSON de modo que cada error se cuente con su lugar.
//! - `especificacion`: la descripción de la API, y la página que la muestra y la prueba.
//! - [`mensajes`]: los consumidores de comandos y eventos.
//! - [`Problema`]: cada error como respuesta.

mod contexto;
mod cuerpo;
mod dto;
mod especificacion;
mod filtro;
mod lector;
pub(super) mod mensajes;
mod problema;
mod rutas;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;

pub(super) use contexto::Contexto;
pub(super) use problema::Problema;

/// Construye el enrutador de toda la API.
pub(super) fn enrutar(contexto: Contexto) -> Router {
    let trabajo = rutas::reserva::rutas().merge(rutas::usuario::rutas());
    let limitado = trabajo.route_layer(from_fn_with_state(contexto.clone(), filtro::limitar));
    let descrito = especificacion::vacia().merge(limitado).merge(rutas::salud::rutas());
    let mut router = especificacion::publicar(descrito);
    for modulo in rutas::PENDIENTES {
        router = router
            .route(modulo, any(rutas::pendiente))
            .route(&format!("{modulo}/"), any(rutas::pendiente))
            .route(&format!("{modulo}/{{*resto}}"), any(rutas::pendiente));
    }
    router
        .fallback(rutas::desconocida)
        .method_not_allowed_fallback(rutas::metodo_no_permitido)
        .layer(from_fn_with_state(contexto.clone(), filtro::rechazar_paginas_ajenas))
        .with_state(contexto)
}
