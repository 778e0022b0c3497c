//! Lo que el sidecar pide a la API.

use reqwest::header::LOCATION;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tonic::Status;

use crate::error::con_causas;
use crate::http::{Api, cuerpo};
use crate::sidecar::estado;
use crate::sidecar::vuelos::Reserva;

/// La respuesta más larga que se lee: unos diez mil legs.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Envía un pedido y devuelve el id de la reserva guardada.
pub(crate) async fn crear(api: &Api, pedido: &Value, clave: Option<&str>) -> Result<String, Status> {
    let mut peticion = api.pedir(Method::POST, api.url(&["vuelos", "reserva"])).json(pedido);
    if let Some(clave) = clave {
        peticion = peticion.header("Idempotency-Key", clave);
    }
    let (estado, ubicacion, cuerpo) = enviar(peticion).await?;
    if !matches!(estado, StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::OK) {
        return Err(estado::de_respuesta(estado, &cuerpo));
    }
    // Solo una ruta de la propia API: una respuesta no debe mandar a este cliente a otra parte.
    let id = ubicacion.as_deref().and_then(|ruta| ruta.strip_prefix("/vuelos/reserva/"));
    id.map(str::to_owned).ok_or_else(|| Status::internal("La API no dijo dónde está la reserva creada"))
}

/// Lee la reserva de ese id.
pub(crate) async fn consultar(api: &Api, id: &str) -> Result<Reserva, Status> {
    if matches!(id, "" | "." | "..") {
        return Err(Status::invalid_argument("Falta el id de la reserva"));
    }
    let (estado, _, cuerpo) = enviar(api.pedir(Method::GET, api.url(&["vuelos", "reserva", id]))).await?;
    if estado != StatusCode::OK {
        return Err(estado::de_respuesta(estado, &cuerpo));
    }
    serde_json::from_slice(&cuerpo)
        .map_err(|error| Status::internal(format!("La API respondió algo que no es una reserva: {error}")))
}

/// Envía una petición; devuelve estado, Location y cuerpo.
async fn enviar(peticion: RequestBuilder) -> Result<(StatusCode, Option<String>, Vec<u8>), Status> {
    let ausente = |error: reqwest::Error| {
        tracing::warn!(error = con_causas(&error), "no se llega a la API");
        Status::unavailable("La API no está disponible; intente de nuevo más tarde")
    };
    let respuesta = peticion.send().await.map_err(ausente)?;
    let estado = respuesta.status();
    let ubicacion = respuesta.headers().get(LOCATION).and_then(|valor| valor.to_str().ok()).map(str::to_owned);
    let cuerpo = cuerpo(respuesta, MAX_BYTES).await.map_err(ausente)?;
    let cuerpo = cuerpo.ok_or_else(|| Status::internal(format!("La API respondió más de {MAX_BYTES} bytes")))?;
    Ok((estado, ubicacion, cuerpo))
}
