//! The body of a request: JSON of a bounded size that comes in a bounded time. Every fault is told in Spanish.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::Problema;

/// Largest body. A reservation of the most legs with long names is half of it.
const MAXIMO: usize = 128 * 1024;

/// A client that sends slower than this holds a place for nothing.
const PLAZO: Duration = Duration::from_secs(10);

/// The JSON of a body.
#[derive(Debug)]
pub(crate) struct Cuerpo(pub(crate) Value);

impl<S: Sync> FromRequest<S> for Cuerpo {
    type Rejection = Problema;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problema> {
        comprobar(request.headers())?;
        match tokio::time::timeout(PLAZO, to_bytes(request.into_body(), MAXIMO)).await {
            // What breaks off has nobody to answer to, so this is the body without a length that grew too large.
            Ok(Err(_)) => Err(demasiado()),
            Ok(Ok(bytes)) => leer("El cuerpo", &bytes).map(Cuerpo),
            Err(_) => Err(Problema::nuevo(StatusCode::REQUEST_TIMEOUT, "El cuerpo no llegó completo a tiempo")),
        }
    }
}

/// Refuses by the headers alone, before anything is read.
fn comprobar(headers: &HeaderMap) -> Result<(), Problema> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !header(CONTENT_TYPE).is_some_and(es_json) {
        return Err(Problema::nuevo(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "El cuerpo debe ser JSON y llevar el encabezado Content-Type: application/json",
        ));
    }
    let length = header(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAXIMO as u64) { Err(demasiado()) } else { Ok(()) }
}

fn demasiado() -> Problema {
    Problema::peticion(format!("El cuerpo supera el máximo de {MAXIMO} bytes"))
}

/// Reads JSON; a fault is told with its line and column. `que` is its subject.
pub(super) fn leer(que: &str, bytes: &[u8]) -> Result<Value, Problema> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("línea {}, columna {}", error.line(), error.column());
        Problema::peticion(match error.classify() {
            serde_json::error::Category::Eof => {
                format!("{que} no es JSON válido: termina antes de tiempo ({place})")
            }
            _ => format!("{que} no es JSON válido ({place})"),
        })
    })
}

fn es_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}
