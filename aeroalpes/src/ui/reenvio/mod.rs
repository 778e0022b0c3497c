//! Las reservas de la página, reenviadas a la API de AeroAlpes.
//!
//! La página envía lo que tiene su formulario y recibe los errores con los nombres de sus campos; cómo es una reserva
//! de la API está en [`formulario`]. La dirección de la API se queda aquí, y también lo que diga que no sea JSON.

mod api;
mod formulario;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Api;
use formulario::Formulario;

/// La clave de idempotencia más larga.
const MAX_CLAVE: usize = 100;

/// Reservas de una página.
const TAMANO: u32 = 10;

/// El id más largo, de un cliente o de una reserva.
const MAX_ID: usize = 40;

/// Las rutas debajo de `/api`.
pub(super) fn rutas<S: Clone + Send + Sync + 'static>(api: Api) -> Router<S> {
    Router::new()
        .route("/reservas", get(listar).post(reservar))
        .route("/reservas/{id}/{orden}", post(ordenar))
        .fallback(async || rechazar(StatusCode::NOT_FOUND, "Esa dirección no existe."))
        .with_state(api)
}

async fn reservar(State(api): State<Api>, cabeceras: HeaderMap, cuerpo: Bytes) -> Response {
    let clave = cabeceras.get("idempotency-key").and_then(|valor| valor.to_str().ok()).unwrap_or_default();
    if clave.is_empty() || clave.len() > MAX_CLAVE {
        return rechazar(StatusCode::BAD_REQUEST, "Falta la cabecera Idempotency-Key, o es demasiado larga.");
    }
    let formulario: Formulario = match serde_json::from_slice(&cuerpo) {
        Ok(formulario) => formulario,
        Err(error) => return rechazar(StatusCode::BAD_REQUEST, &format!("El formulario no se entiende: {error}.")),
    };
    match formulario.reserva() {
        Ok(reserva) => {
            let peticion = api.pedir(Method::POST, api.url(&["vuelos", "reserva"]));
            responder(peticion.header("idempotency-key", clave).json(&reserva)).await
        }
        Err(fallo) => {
            let cuerpo = json!({"error": fallo.mensaje, "campo": fallo.campo});
            (StatusCode::BAD_REQUEST, Json(cuerpo)).into_response()
        }
    }
}

#[derive(Debug, Deserialize)]
struct Lista {
    id_cliente: String,
    #[serde(default = "primera")]
    pagina: u32,
}

fn primera() -> u32 {
    1
}

async fn listar(
    State(api): State<Api>,
    lista: Result<Query<Lista>, axum::extract::rejection::QueryRejection>,
) -> Response {
    match lista {
        Ok(Query(Lista { id_cliente, pagina })) if es_id(&id_cliente) => {
            let mut url = api.url(&["vuelos", "reserva"]);
            url.set_query(Some(&format!("id_cliente={id_cliente}&pagina={pagina}&tamano={TAMANO}")));
            responder(api.pedir(Method::GET, url)).await
        }
        _ => rechazar(StatusCode::BAD_REQUEST, "Falta id_cliente, o no es un identificador."),
    }
}

async fn ordenar(State(api): State<Api>, Path((id, orden)): Path<(String, String)>) -> Response {
    if !es_id(&id) || !["aprobar", "pagar", "cancelar"].contains(&orden.as_str()) {
        return rechazar(StatusCode::NOT_FOUND, "Esa dirección no existe.");
    }
    responder(api.pedir(Method::POST, api.url(&["vuelos", "reserva", &id, &orden]))).await
}

/// Un id va tal cual en la consulta de la API, así que no tiene más caracteres que estos.
fn es_id(texto: &str) -> bool {
    let permitido = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=MAX_ID).contains(&texto.len()) && texto.bytes().all(permitido)
}

async fn responder(peticion: RequestBuilder) -> Response {
    match api::contestar(peticion).await {
        Ok((estado, mut cuerpo)) => {
            let campo = cuerpo.get("campo").and_then(Value::as_str).and_then(formulario::campo);
            if let Some(campo) = campo.filter(|_| !estado.is_success()) {
                cuerpo = json!({"error": cuerpo.get("error"), "campo": campo});
            }
            (estado, Json(cuerpo)).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "una petición de la página no tiene respuesta");
            let (estado, mensaje) = error.para_la_pagina();
            rechazar(estado, mensaje)
        }
    }
}

fn rechazar(estado: StatusCode, mensaje: &str) -> Response {
    (estado, Json(json!({"error": mensaje}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::es_id;

    #[test]
    fn un_id_no_puede_salir_de_su_lugar() {
        assert!(es_id("019a-B_1") && es_id(&"a".repeat(40)));
        for otro in ["", "a/b", "..", "a%2fb", "a?b", "a&b=c", "ñ", &"a".repeat(41)] {
            assert!(!es_id(otro), "{otro}");
        }
    }
}
