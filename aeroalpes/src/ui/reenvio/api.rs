//! El cliente de la API.

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use thiserror::Error;

use crate::ui::error::Error;

/// Para una conexión.
const CONEXION: Duration = Duration::from_secs(2);

/// Para una respuesta con su cuerpo.
const RESPUESTA: Duration = Duration::from_secs(10);

/// Para la pregunta de si está en marcha.
const PULSO: Duration = Duration::from_secs(2);

/// La respuesta más larga que se lee.
const MAX_RESPUESTA: usize = 1024 * 1024;

/// Reservas de una página.
const TAMANO: u32 = 10;

/// Un cliente de la API. Las copias comparten las conexiones.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: Client,
    base: String,
}

/// Una respuesta en JSON.
#[derive(Debug)]
pub(crate) struct Contestada {
    pub estado: StatusCode,
    pub cuerpo: Value,
}

/// Por qué no hay respuesta que pasar.
#[derive(Debug, Error)]
pub(crate) enum SinRespuesta {
    /// No se llega a la API, o no a tiempo; puede haber hecho lo que se le pidió.
    #[error("la API no contesta: {0}")]
    Ausente(#[source] reqwest::Error),
    /// Su respuesta no sirve.
    #[error("la API contestó {estado} con {que}")]
    Inservible {
        estado: StatusCode,
        /// Lo que vino en lugar de JSON.
        que: &'static str,
    },
}

impl SinRespuesta {
    /// Devuelve el estado para la página.
    pub(crate) fn estado(&self) -> StatusCode {
        match self {
            Self::Ausente(error) if error.is_timeout() && !error.is_connect() => StatusCode::GATEWAY_TIMEOUT,
            Self::Ausente(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Inservible { .. } => StatusCode::BAD_GATEWAY,
        }
    }

    /// Devuelve la frase para la página.
    pub(crate) fn mensaje(&self) -> &'static str {
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
    /// Crea un cliente para una URL base; todavía no se conecta.
    pub(crate) fn nueva(base: &str) -> Result<Self, Error> {
        let fallo = |source| Error::Api { direccion: base.to_owned(), source };
        // Un proxy del entorno es para el mundo de fuera, y una API no manda a otra parte.
        let constructor = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = constructor.connect_timeout(CONEXION).timeout(RESPUESTA).build().map_err(fallo)?;
        http.get(base).build().map_err(fallo)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// Devuelve si la API está en marcha.
    pub(crate) async fn responde(&self) -> bool {
        let pulso = self.pedir(Method::GET, "/health").timeout(PULSO).send().await;
        pulso.is_ok_and(|respuesta| respuesta.status().is_success())
    }

    /// Reserva.
    pub(crate) async fn reservar(&self, clave: &str, reserva: &Value) -> Result<Contestada, SinRespuesta> {
        let pedido = self.pedir(Method::POST, "/vuelos/reserva").header("idempotency-key", clave).json(reserva);
        contestada(pedido.send().await.map_err(SinRespuesta::Ausente)?).await
    }

    /// Lista las reservas de un cliente, la más nueva primero.
    pub(crate) async fn listar(&self, id_cliente: &str, pagina: u32) -> Result<Contestada, SinRespuesta> {
        let ruta = format!("/vuelos/reserva?id_cliente={id_cliente}&pagina={pagina}&tamano={TAMANO}");
        contestada(self.pedir(Method::GET, &ruta).send().await.map_err(SinRespuesta::Ausente)?).await
    }

    /// Aprueba, paga o cancela.
    pub(crate) async fn ordenar(&self, id: &str, orden: &str) -> Result<Contestada, SinRespuesta> {
        let pedido = self.pedir(Method::POST, &format!("/vuelos/reserva/{id}/{orden}"));
        contestada(pedido.send().await.map_err(SinRespuesta::Ausente)?).await
    }

    fn pedir(&self, metodo: Method, ruta: &str) -> RequestBuilder {
        self.http.request(metodo, format!("{}{ruta}", self.base))
    }
}

/// Lee una respuesta; un error de la API debe decir qué está mal, un éxito puede estar vacío.
async fn contestada(mut respuesta: Response) -> Result<Contestada, SinRespuesta> {
    let estado = respuesta.status();
    let mut bytes = Vec::new();
    while let Some(trozo) = respuesta.chunk().await.map_err(SinRespuesta::Ausente)? {
        if bytes.len() + trozo.len() > MAX_RESPUESTA {
            return Err(SinRespuesta::Inservible { estado, que: "demasiados bytes" });
        }
        bytes.extend_from_slice(&trozo);
    }
    if bytes.is_empty() && estado.is_success() {
        return Ok(Contestada { estado, cuerpo: json!({}) });
    }
    let cuerpo: Value =
        serde_json::from_slice(&bytes).map_err(|_| SinRespuesta::Inservible { estado, que: "algo que no es JSON" })?;
    let dice_algo = cuerpo.get("error").is_some_and(Value::is_string);
    if estado.is_redirection() || (!estado.is_success() && !dice_algo) {
        return Err(SinRespuesta::Inservible { estado, que: "un error que no es del contrato" });
    }
    Ok(Contestada { estado, cuerpo })
}
