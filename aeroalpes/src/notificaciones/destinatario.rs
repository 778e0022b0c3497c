//! A quién va un correo: la dirección que la API conoce del usuario.

use std::time::Duration;

use bitacora_pulsar::Outcome;
use lettre::Address;
use lettre::message::Mailbox;
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use crate::contrato::{correo, direccion};
use crate::error::{Error, con_causas};
use crate::http::{Api, cuerpo};

/// Para una pregunta a la API.
const ESPERA: Duration = Duration::from_secs(10);
/// Un usuario son unos pocos campos; más no se lee.
const MAX_BYTES: usize = 64 * 1024;

/// Pregunta direcciones a la API.
#[derive(Debug)]
pub(crate) struct Directorio {
    api: Api,
    por_defecto: Mailbox,
}

/// El único campo de un usuario que hace falta aquí.
#[derive(Deserialize)]
struct Usuario {
    email: Option<String>,
}

impl Directorio {
    pub(crate) fn nuevo(por_defecto: Mailbox) -> Result<Self, Error> {
        Ok(Self { api: Api::nueva(&direccion::api_del_entorno()?, ESPERA, ESPERA)?, por_defecto })
    }

    /// Devuelve la dirección del usuario, o la general si no existe.
    ///
    /// Una API que no está no decide nada: el correo espera, porque la dirección general no sería la suya.
    pub(crate) async fn de(&self, id_cliente: Option<&str>) -> Result<Mailbox, Outcome> {
        let Some(id) = id_cliente.and_then(numero) else { return Ok(self.por_defecto.clone()) };
        match self.preguntar(id).await? {
            Some(direccion) => Ok(Mailbox::new(None, direccion)),
            None => Ok(self.por_defecto.clone()),
        }
    }

    async fn preguntar(&self, id: u32) -> Result<Option<Address>, Outcome> {
        let url = self.api.url(&["cliente", "usuarios", &id.to_string()]);
        let ausente_por = |motivo: String| Outcome::Unavailable(format!("{url} no dio una dirección: {motivo}"));
        let sin_respuesta = |error: reqwest::Error| ausente_por(con_causas(&error));
        let respuesta = self.api.pedir(Method::GET, url.clone()).send().await.map_err(sin_respuesta)?;
        match respuesta.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            estado => return Err(ausente_por(format!("contestó {estado}"))),
        }
        let cuerpo = cuerpo(respuesta, MAX_BYTES).await.map_err(sin_respuesta)?;
        let cuerpo = cuerpo.ok_or_else(|| ausente_por(format!("su respuesta tiene más de {MAX_BYTES} bytes")))?;
        let usuario: Usuario = serde_json::from_slice(&cuerpo).map_err(|error| ausente_por(error.to_string()))?;
        let email = usuario.email.unwrap_or_default();
        let direccion = correo::leer(email.trim());
        if direccion.is_none() {
            tracing::warn!(usuario = id, "un usuario no tiene una dirección que sirva; se toma la general");
        }
        Ok(direccion)
    }
}

/// Los usuarios tienen número; un cliente con otro nombre no es un usuario.
fn numero(id_cliente: &str) -> Option<u32> {
    id_cliente.bytes().all(|byte| byte.is_ascii_digit()).then(|| id_cliente.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::numero;

    #[test]
    fn solo_un_numero_es_un_usuario() {
        assert_eq!(numero("17"), Some(17));
        for otro in ["", "None", "+1", "-1", "1/../2", "99999999999"] {
            assert_eq!(numero(otro), None, "{otro}");
        }
    }
}
