//! The ways in: HTTP, and the topics. Reads what came, calls a command or query, writes the answer.
//!
//! - `rutas`: one file for each group of addresses; [`enrutar`] puts them together.
//! - `dto`: what bodies look like, as OpenAPI describes them, and how they are read.
//! - `lector`: reads JSON so that a fault is told in Spanish with its place.
//! - [`mensajes`]: the consumers of commands and events.
//! - [`Problema`]: every error as an answer.

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
use bitacora_origin::Guard;

pub use limite::Limite;
pub use problema::Problema;

use crate::api::infraestructura::mysql::MySql;
use crate::api::infraestructura::{Argon2id, Broker};

/// What the handlers share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Contexto {
    /// The database.
    pub almacen: MySql,
    /// Password hashes.
    pub resumidor: Argon2id,
    /// The broker, to tell whether it is there.
    pub broker: Broker,
    /// Requests that are answered at a time.
    pub limite: Limite,
    /// Los nombres por los que se llama a la API.
    pub guardia: Arc<Guard>,
}

/// Builds the router of the whole API.
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
