//! Cada error como respuesta: `{"error": "<frase>", "campo"?: "<lugar>"}`.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::dto::ErrorDto;
use crate::api::aplicacion::Error;
use crate::api::dominio;
use crate::api::infraestructura::Falla;

/// Texto del 503 cuando ya se atienden todas las peticiones que caben.
pub(super) const DEMASIADAS: &str = "Hay demasiadas peticiones en curso; intente de nuevo en unos segundos";

/// Segundos tras los que un cliente puede intentarlo otra vez.
const REINTENTO: HeaderValue = HeaderValue::from_static("2");

/// Una respuesta que no es un éxito. La frase es para el cliente de la API; las causas van al registro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problema {
    estado: StatusCode,
    error: String,
    campo: Option<String>,
}

impl Problema {
    /// Crea una respuesta con un estado y una frase.
    pub(crate) fn nuevo(estado: StatusCode, error: impl Into<String>) -> Problema {
        Problema { estado, error: error.into(), campo: None }
    }

    /// Crea un problema de la petición (400).
    pub(crate) fn peticion(error: impl Into<String>) -> Problema {
        Problema::nuevo(StatusCode::BAD_REQUEST, error)
    }

    /// Añade el lugar del error; el cuerpo entero no tiene.
    pub(crate) fn en(mut self, campo: impl Into<String>) -> Problema {
        self.campo = Some(campo.into()).filter(|campo| !campo.is_empty());
        self
    }

    /// Devuelve la frase con su lugar, para quien no tiene otro sitio para él.
    pub(crate) fn motivo(&self) -> String {
        match &self.campo {
            Some(campo) => format!("{campo}: {}", self.error),
            None => self.error.clone(),
        }
    }
}

impl From<dominio::Error> for Problema {
    fn from(error: dominio::Error) -> Problema {
        let estado = match error {
            dominio::Error::Transicion { .. } => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Problema::nuevo(estado, error.to_string()).en(error.campo().unwrap_or_default())
    }
}

impl From<Error> for Problema {
    fn from(error: Error) -> Problema {
        match error {
            Error::Dominio(error) => error.into(),
            Error::ReservaInexistente { .. } | Error::UsuarioInexistente { .. } => {
                Problema::nuevo(StatusCode::NOT_FOUND, error.to_string())
            }
            Error::ClaveConOtroCuerpo => Problema::nuevo(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            Error::Falla(falla) => falla.into(),
        }
    }
}

impl From<Falla> for Problema {
    fn from(falla: Falla) -> Problema {
        let texto = match falla {
            Falla::Interna(_) => {
                tracing::error!(%falla, "se contesta 500 a una petición");
                let texto = "Error interno; el registro del servicio tiene la causa";
                return Problema::nuevo(StatusCode::INTERNAL_SERVER_ERROR, texto);
            }
            Falla::Pasajera(_) | Falla::Ausente(_) => {
                "La base de datos no está disponible en este momento; intente de nuevo en unos segundos"
            }
            Falla::Dudosa(_) => {
                "La base de datos se desconectó al confirmar y no se sabe si el cambio quedó guardado; consulte el \
                 estado, o repita una reserva con la misma Idempotency-Key"
            }
            Falla::Saturada(_) => DEMASIADAS,
        };
        tracing::warn!(%falla, "se contesta 503 a una petición");
        Problema::nuevo(StatusCode::SERVICE_UNAVAILABLE, texto)
    }
}

impl IntoResponse for Problema {
    fn into_response(self) -> Response {
        let mut respuesta = (self.estado, Json(ErrorDto { error: self.error, campo: self.campo })).into_response();
        if self.estado == StatusCode::SERVICE_UNAVAILABLE {
            respuesta.headers_mut().insert(RETRY_AFTER, REINTENTO);
        }
        respuesta
    }
}
