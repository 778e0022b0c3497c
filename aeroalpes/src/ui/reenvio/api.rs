//! Lo que se pasa de una respuesta de la API, y lo que se dice si no la hay.

use axum::http::StatusCode;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use thiserror::Error;

use crate::http::cuerpo;

/// La respuesta más larga que se lee.
const MAX_RESPUESTA: usize = 1024 * 1024;

/// Por qué no hay respuesta que pasar.
#[derive(Debug, Error)]
pub(super) enum SinRespuesta {
    /// No se llega a la API, o no a tiempo; puede haber hecho lo que se le pidió.
    #[error("la API no contesta: {0}")]
    Ausente(#[from] reqwest::Error),
    /// Su respuesta no sirve; lo que vino en lugar de JSON.
    #[error("la API contestó {0} con {1}")]
    Inservible(StatusCode, &'static str),
}

impl SinRespuesta {
    /// Devuelve el estado y la frase para la página.
    pub(super) fn para_la_pagina(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Ausente(error) if error.is_timeout() && !error.is_connect() => (
                StatusCode::GATEWAY_TIMEOUT,
                "El servicio de reservas tarda demasiado. Inténtalo de nuevo: no se reservará dos veces.",
            ),
            Self::Ausente(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "El servicio de reservas no responde. Inténtalo de nuevo en un momento.",
            ),
            Self::Inservible(..) => {
                (StatusCode::BAD_GATEWAY, "El servicio de reservas respondió algo inesperado. Inténtalo más tarde.")
            }
        }
    }
}

/// Envía una petición y lee su respuesta; un error de la API debe decir qué está mal, un éxito puede estar vacío.
pub(super) async fn contestar(peticion: RequestBuilder) -> Result<(StatusCode, Value), SinRespuesta> {
    let respuesta = peticion.send().await?;
    let estado = respuesta.status();
    let inservible = |que| SinRespuesta::Inservible(estado, que);
    let bytes = cuerpo(respuesta, MAX_RESPUESTA).await?.ok_or_else(|| inservible("demasiados bytes"))?;
    if bytes.is_empty() && estado.is_success() {
        return Ok((estado, json!({})));
    }
    let cuerpo: Value = serde_json::from_slice(&bytes).map_err(|_| inservible("algo que no es JSON"))?;
    let dice_algo = cuerpo.get("error").is_some_and(Value::is_string);
    if estado.is_redirection() || (!estado.is_success() && !dice_algo) {
        return Err(inservible("un error que no es del contrato"));
    }
    Ok((estado, cuerpo))
}
