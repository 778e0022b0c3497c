//! La API por HTTP.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;
use tonic::Status;

use crate::causas::con_causas;
use crate::sidecar::error::Error;
use crate::sidecar::estado;
use crate::sidecar::vuelos::Reserva;

/// Para una conexión; la llamada entera tiene el plazo de quien llama.
const CONECTAR: Duration = Duration::from_secs(5);
/// La respuesta más larga que se lee: unos diez mil legs.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Dónde están las reservas.
const RESERVAS: &str = "/vuelos/reserva";

/// Un cliente de la API.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    cliente: Client,
    base: Url,
}

impl Api {
    pub(crate) fn nueva(base: &str) -> Result<Self, Error> {
        let erroneo = |motivo: String| Error::DireccionApi { url: base.to_owned(), motivo };
        let url = Url::parse(base).map_err(|error| erroneo(error.to_string()))?;
        if url.scheme() != "http" || !url.has_host() {
            return Err(erroneo("el sidecar está al lado de la API y habla http".to_owned()));
        }
        let cliente = Client::builder().connect_timeout(CONECTAR).redirect(Policy::none()).no_proxy().build();
        Ok(Self { cliente: cliente.map_err(|error| erroneo(error.to_string()))?, base: url })
    }

    /// Envía un pedido y devuelve la ruta de la reserva guardada.
    pub(crate) async fn crear(&self, pedido: &Value, clave: Option<&str>) -> Result<String, Status> {
        let mut peticion = self.cliente.post(self.url(RESERVAS)?).json(pedido);
        if let Some(clave) = clave {
            peticion = peticion.header("Idempotency-Key", clave);
        }
        let (estado, ubicacion, cuerpo) = enviar(peticion).await?;
        if !matches!(estado, StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::OK) {
            return Err(estado::de_respuesta(estado, &cuerpo));
        }
        // Solo una ruta de la propia API: una respuesta no debe mandar a este cliente a otra parte.
        ubicacion
            .filter(|ruta| ruta.starts_with(&format!("{RESERVAS}/")))
            .ok_or_else(|| Status::internal("La API no dijo dónde está la reserva creada"))
    }

    /// Lee la reserva de una ruta que dio la API.
    pub(crate) async fn leer(&self, ruta: &str) -> Result<Reserva, Status> {
        self.obtener(self.url(ruta)?).await
    }

    /// Lee la reserva de ese id.
    pub(crate) async fn consultar(&self, id: &str) -> Result<Reserva, Status> {
        let mut url = self.url(RESERVAS)?;
        // El id es un segmento, tenga lo que tenga: se codifica, y no puede subir.
        match url.path_segments_mut() {
            Ok(mut segmentos) if !matches!(id, "" | "." | "..") => segmentos.push(id),
            _ => return Err(Status::invalid_argument("Falta el id de la reserva")),
        };
        self.obtener(url).await
    }

    /// Devuelve si la API contesta que está en marcha.
    pub(crate) async fn responde(&self) -> bool {
        let Ok(url) = self.url("/health") else { return false };
        let respuesta = self.cliente.get(url).timeout(CONECTAR).send().await;
        respuesta.is_ok_and(|respuesta| respuesta.status() == StatusCode::OK)
    }

    async fn obtener(&self, url: Url) -> Result<Reserva, Status> {
        let (estado, _, cuerpo) = enviar(self.cliente.get(url)).await?;
        if estado != StatusCode::OK {
            return Err(estado::de_respuesta(estado, &cuerpo));
        }
        serde_json::from_slice(&cuerpo)
            .map_err(|error| Status::internal(format!("La API respondió algo que no es una reserva: {error}")))
    }

    fn url(&self, ruta: &str) -> Result<Url, Status> {
        self.base.join(ruta).map_err(|error| Status::internal(format!("La dirección {ruta} no sirve: {error}")))
    }
}

/// Envía una petición; devuelve estado, Location y cuerpo.
async fn enviar(peticion: RequestBuilder) -> Result<(StatusCode, Option<String>, Vec<u8>), Status> {
    let ausente = |error: reqwest::Error| {
        tracing::warn!(error = con_causas(&error), "no se llega a la API");
        Status::unavailable("La API no está disponible; intente de nuevo más tarde")
    };
    let mut respuesta = peticion.send().await.map_err(ausente)?;
    let ubicacion = respuesta.headers().get(LOCATION).and_then(|valor| valor.to_str().ok()).map(str::to_owned);
    let mut cuerpo = Vec::new();
    while let Some(trozo) = respuesta.chunk().await.map_err(ausente)? {
        if cuerpo.len() + trozo.len() > MAX_BYTES {
            return Err(Status::internal(format!("La API respondió más de {MAX_BYTES} bytes")));
        }
        cuerpo.extend_from_slice(&trozo);
    }
    Ok((respuesta.status(), ubicacion, cuerpo))
}
