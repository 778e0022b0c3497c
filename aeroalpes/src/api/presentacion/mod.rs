//! Las entradas: HTTP y los temas. Lee lo que llegó, llama a un comando o una consulta, escribe la respuesta.
//!
//! - `rutas`: un archivo por grupo de direcciones; [`enrutar`] las junta.
//! - `dto`: cómo son los cuerpos, como los describe OpenAPI, y cómo se leen.
//! - `lector`: lee JSON de modo que cada falta se cuente con su lugar.
//! - [`mensajes`]: los consumidores de comandos y eventos.
//! - [`Problema`]: cada error como respuesta.

mod contexto;
mod cuerpo;
mod dto;
mod especificacion;
mod guardia;
mod lector;
mod limite;
pub mod mensajes;
mod problema;
mod rutas;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

pub use contexto::Contexto;
pub use limite::Limite;
pub use problema::Problema;

/// Construye el enrutador de toda la API.
pub fn enrutar(contexto: Contexto) -> Router {
    let trabajo = Router::new()
        .route("/vuelos/reserva", post(rutas::reserva::crear).get(rutas::reserva::listar))
        .route("/vuelos/reserva/{id}", get(rutas::reserva::leer))
        .route("/vuelos/reserva/{id}/aprobar", post(rutas::reserva::aprobar))
        .route("/vuelos/reserva/{id}/pagar", post(rutas::reserva::pagar))
        .route("/vuelos/reserva/{id}/cancelar", post(rutas::reserva::cancelar))
        .route("/cliente/usuarios", post(rutas::usuario::registrar).get(rutas::usuario::listar))
        .route(
            "/cliente/usuarios/{id}",
            get(rutas::usuario::leer).put(rutas::usuario::cambiar).delete(rutas::usuario::borrar),
        )
        .route_layer(from_fn_with_state(contexto.limite.clone(), limite::limitar));
    let mut router = trabajo
        .route("/health", get(rutas::salud::vivo))
        .route("/ready", get(rutas::salud::listo))
        .route("/spec", get(especificacion::documento))
        .route("/docs", get(especificacion::pagina));
    for modulo in rutas::pendiente::MODULOS {
        router = router
            .route(modulo, any(rutas::pendiente::responder))
            .route(&format!("{modulo}/"), any(rutas::pendiente::responder))
            .route(&format!("{modulo}/{{*resto}}"), any(rutas::pendiente::responder));
    }
    router
        .fallback(rutas::desconocida)
        .method_not_allowed_fallback(rutas::metodo_no_permitido)
        .layer(from_fn_with_state(Arc::clone(&contexto.guardia), guardia::rechazar_paginas_ajenas))
        .with_state(contexto)
}
