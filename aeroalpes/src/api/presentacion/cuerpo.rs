//! El cuerpo de una petición: JSON de tamaño acotado que llega en un tiempo acotado.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::Problema;

/// El cuerpo más largo. Una reserva con todos los legs posibles y nombres largos ocupa la mitad.
const MAXIMO: usize = 128 * 1024;

/// Un cliente que envía más despacio ocupa un lugar para nada.
const PLAZO: Duration = Duration::from_secs(10);

/// El JSON de un cuerpo.
#[derive(Debug)]
pub(crate) struct Cuerpo(pub(crate) Value);

impl<S: Sync> FromRequest<S> for Cuerpo {
    type Rejection = Problema;

    async fn from_request(peticion: Request, _: &S) -> Result<Self, Problema> {
        comprobar(peticion.headers())?;
        match tokio::time::timeout(PLAZO, to_bytes(peticion.into_body(), MAXIMO)).await {
            // Si el cliente cortó, nadie lee la respuesta; si no, es un cuerpo sin longitud que pasó del máximo.
            Ok(Err(_)) => Err(demasiado()),
            Ok(Ok(bytes)) => leer("El cuerpo", &bytes).map(Cuerpo),
            Err(_) => Err(Problema::nuevo(StatusCode::REQUEST_TIMEOUT, "El cuerpo no llegó completo a tiempo")),
        }
    }
}

/// Rechaza solo por las cabeceras, antes de leer nada.
fn comprobar(cabeceras: &HeaderMap) -> Result<(), Problema> {
    let cabecera = |nombre| cabeceras.get(nombre).and_then(|valor| valor.to_str().ok());
    if !cabecera(CONTENT_TYPE).is_some_and(es_json) {
        return Err(Problema::nuevo(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "El cuerpo debe ser JSON y llevar el encabezado Content-Type: application/json",
        ));
    }
    let longitud = cabecera(CONTENT_LENGTH).and_then(|texto| texto.parse::<u64>().ok());
    if longitud.is_some_and(|longitud| longitud > MAXIMO as u64) { Err(demasiado()) } else { Ok(()) }
}

fn demasiado() -> Problema {
    Problema::peticion(format!("El cuerpo supera el máximo de {MAXIMO} bytes"))
}

/// Lee JSON; un error se cuenta con su línea y su columna. `que` es el sujeto.
pub(super) fn leer(que: &str, bytes: &[u8]) -> Result<Value, Problema> {
    serde_json::from_slice(bytes).map_err(|error| {
        let lugar = format!("línea {}, columna {}", error.line(), error.column());
        Problema::peticion(match error.classify() {
            serde_json::error::Category::Eof => {
                format!("{que} no es JSON válido: termina antes de tiempo ({lugar})")
            }
            _ => format!("{que} no es JSON válido ({lugar})"),
        })
    })
}

fn es_json(tipo: &str) -> bool {
    let tipo_medio = tipo.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    tipo_medio == "application/json" || (tipo_medio.starts_with("application/") && tipo_medio.ends_with("+json"))
}
