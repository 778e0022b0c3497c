//! The API's client.

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use thiserror::Error;

use crate::ui::error::Error;

/// For a connection.
const CONEXION: Duration = Duration::from_secs(2);

/// For an answer including its body.
const RESPUESTA: Duration = Duration::from_secs(10);

/// For the question whether it is up.
const PULSO: Duration = Duration::from_secs(2);

/// Longest answer that is read.
const MAX_RESPUESTA: usize = 1024 * 1024;

/// Reservations on a page.
const TAMANO: u32 = 10;

/// A client of the API. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: String,
}

/// An answer in JSON.
#[derive(Debug)]
pub struct Contestada {
    /// Its status.
    pub estado: StatusCode,
    /// Its body.
    pub cuerpo: Value,
}

/// Why there is no answer to pass on.
#[derive(Debug, Error)]
pub enum SinRespuesta {
    /// The API cannot be reached, or not in time; it may have done what was asked.
    #[error("the API does not answer: {0}")]
    Ausente(#[source] reqwest::Error),
    /// Its answer is of no use.
    #[error("the API answered {estado} with {que}")]
    Inservible {
        /// The status.
        estado: StatusCode,
        /// What came in place of JSON.
        que: &'static str,
    },
}

impl SinRespuesta {
    /// Returns the status for the page.
    pub fn estado(&self) -> StatusCode {
        match self {
            Self::Ausente(error) if error.is_timeout() && !error.is_connect() => StatusCode::GATEWAY_TIMEOUT,
            Self::Ausente(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Inservible { .. } => StatusCode::BAD_GATEWAY,
        }
    }

    /// Returns the sentence for the page.
    pub fn mensaje(&self) -> &'static str {
        match self {
            Self::Ausente(error) if error.is_timeout() && !error.is_connect() => {
                "El servicio de reservas tarda demasiado. Inténtalo de nuevo: no se reservará dos veces."
            }
            Self::Ausente(_) => "El servicio de reservas no responde. Inténtalo de nuevo en un momento.",
            Self::Inservible { .. } => "El servicio de reservas respondió algo inesperado. Inténtalo más tarde.",
        }
    }
}

impl Api {
    /// Creates a client for a base URL; nothing is connected yet.
    ///
    /// # Errors
    /// The URL is none.
    pub fn nueva(base: &str) -> Result<Self, Error> {
        let fallo = |source| Error::Api { direccion: base.to_owned(), source };
        // A proxy of the environment is meant for the world outside, and an API does not send one elsewhere.
        let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = builder.connect_timeout(CONEXION).timeout(RESPUESTA).build().map_err(fallo)?;
        http.get(base).build().map_err(fallo)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// Tells whether the API is up.
    pub async fn responde(&self) -> bool {
        let pulso = self.pedir(Method::GET, "/health").timeout(PULSO).send().await;
        pulso.is_ok_and(|respuesta| respuesta.status().is_success())
    }

    /// Books.
    pub async fn reservar(&self, clave: &str, reserva: &Value) -> Result<Contestada, SinRespuesta> {
        let pedido = self.pedir(Method::POST, "/vuelos/reserva").header("idempotency-key", clave).json(reserva);
        contestada(pedido.send().await.map_err(SinRespuesta::Ausente)?).await
    }

    /// Lists the reservations of a client, newest first.
    pub async fn listar(&self, id_cliente: &str, pagina: u32) -> Result<Contestada, SinRespuesta> {
        let ruta = format!("/vuelos/reserva?id_cliente={id_cliente}&pagina={pagina}&tamano={TAMANO}");
        contestada(self.pedir(Method::GET, &ruta).send().await.map_err(SinRespuesta::Ausente)?).await
    }

    /// Approves, pays or cancels.
    pub async fn ordenar(&self, id: &str, orden: &str) -> Result<Contestada, SinRespuesta> {
        let pedido = self.pedir(Method::POST, &format!("/vuelos/reserva/{id}/{orden}"));
        contestada(pedido.send().await.map_err(SinRespuesta::Ausente)?).await
    }

    fn pedir(&self, metodo: Method, ruta: &str) -> RequestBuilder {
        self.http.request(metodo, format!("{}{ruta}", self.base))
    }
}

/// Reads an answer; an error of the API must say what is wrong, a success may be empty.
async fn contestada(mut respuesta: Response) -> Result<Contestada, SinRespuesta> {
    let estado = respuesta.status();
    let mut bytes = Vec::new();
    while let Some(trozo) = respuesta.chunk().await.map_err(SinRespuesta::Ausente)? {
        if bytes.len() + trozo.len() > MAX_RESPUESTA {
            return Err(SinRespuesta::Inservible { estado, que: "too many bytes" });
        }
        bytes.extend_from_slice(&trozo);
    }
    if bytes.is_empty() && estado.is_success() {
        return Ok(Contestada { estado, cuerpo: json!({}) });
    }
    let cuerpo: Value =
        serde_json::from_slice(&bytes).map_err(|_| SinRespuesta::Inservible { estado, que: "no JSON" })?;
    let dice_algo = cuerpo.get("error").is_some_and(Value::is_string);
    if estado.is_redirection() || (!estado.is_success() && !dice_algo) {
        return Err(SinRespuesta::Inservible { estado, que: "no error of the contract" });
    }
    Ok(Contestada { estado, cuerpo })
}
