//! The API over HTTP.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use tonic::Status;

use crate::sidecar::error::Error;
use crate::sidecar::estado;
use crate::sidecar::reserva::Reserva;

/// For a connection; the whole call has the caller's deadline.
const CONECTAR: Duration = Duration::from_secs(5);
/// Largest answer that is read: some ten thousand legs.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Where reservations are.
const RESERVAS: &str = "/vuelos/reserva";

/// A client of the API.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: Url,
}

impl Api {
    pub(crate) fn nueva(base: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::ApiUrl { url: base.to_owned(), reason };
        let url = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if url.scheme() != "http" || !url.has_host() {
            return Err(wrong("the sidecar stands beside the API and speaks http".to_owned()));
        }
        let client = Client::builder().connect_timeout(CONECTAR).redirect(Policy::none()).no_proxy().build();
        Ok(Self { client: client.map_err(|error| wrong(error.to_string()))?, base: url })
    }

    /// Posts a reservation and returns the path of the stored one.
    pub(crate) async fn crear(&self, reserva: &Reserva, clave: Option<&str>) -> Result<String, Status> {
        let mut request = self.client.post(self.url(RESERVAS)?).json(reserva);
        if let Some(clave) = clave {
            request = request.header("Idempotency-Key", clave);
        }
        let (status, location, body) = enviar(request).await?;
        if !matches!(status, StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::OK) {
            return Err(estado::de_respuesta(status, &body));
        }
        // Only a path of the API itself: an answer must not send this client elsewhere.
        location
            .filter(|path| path.starts_with(&format!("{RESERVAS}/")))
            .ok_or_else(|| Status::internal("La API no dijo dónde está la reserva creada"))
    }

    /// Reads the reservation at a path that the API gave.
    pub(crate) async fn leer(&self, path: &str) -> Result<Reserva, Status> {
        self.obtener(self.url(path)?).await
    }

    /// Reads the reservation with that id.
    pub(crate) async fn consultar(&self, id: &str) -> Result<Reserva, Status> {
        let mut url = self.url(RESERVAS)?;
        // The id is one segment whatever it holds: it is encoded, and it cannot climb.
        match url.path_segments_mut() {
            Ok(mut segments) if !matches!(id, "" | "." | "..") => segments.push(id),
            _ => return Err(Status::invalid_argument("Falta el id de la reserva")),
        };
        self.obtener(url).await
    }

    /// Tells whether the API answers that it is up.
    pub(crate) async fn responde(&self) -> bool {
        let Ok(url) = self.url("/health") else { return false };
        let answer = self.client.get(url).timeout(CONECTAR).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    async fn obtener(&self, url: Url) -> Result<Reserva, Status> {
        let (status, _, body) = enviar(self.client.get(url)).await?;
        if status != StatusCode::OK {
            return Err(estado::de_respuesta(status, &body));
        }
        serde_json::from_slice(&body)
            .map_err(|error| Status::internal(format!("La API respondió algo que no es una reserva: {error}")))
    }

    fn url(&self, path: &str) -> Result<Url, Status> {
        self.base.join(path).map_err(|error| Status::internal(format!("La dirección {path} no sirve: {error}")))
    }
}

/// Sends a request; returns status, Location and body.
async fn enviar(request: RequestBuilder) -> Result<(StatusCode, Option<String>, Vec<u8>), Status> {
    let away = |error: reqwest::Error| {
        tracing::warn!(%error, cause = std::error::Error::source(&error).map(tracing::field::display), "the API cannot be reached");
        Status::unavailable("La API no está disponible; intente de nuevo más tarde")
    };
    let mut answer = request.send().await.map_err(away)?;
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(Status::internal(format!("La API respondió más de {MAX_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((answer.status(), location, body))
}
