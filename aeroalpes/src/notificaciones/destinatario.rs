//! A quién va un correo: la dirección que la API conoce del usuario.

use std::time::Duration;

use crate::causas::con_causas;
use crate::contrato::correo;
use bitacora_pulsar::Outcome;
use lettre::Address;
use lettre::message::Mailbox;
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use crate::notificaciones::error::Error;

/// Para una pregunta a la API.
const ESPERA: Duration = Duration::from_secs(10);
/// Un usuario son unos pocos campos; más no se lee.
const MAX_BYTES: u64 = 64 * 1024;

/// Pregunta direcciones a la API.
#[derive(Debug)]
pub(crate) struct Directorio {
    cliente: Client,
    api_url: String,
    por_defecto: Mailbox,
}

/// El único campo de un usuario que hace falta aquí.
#[derive(Deserialize)]
struct Usuario {
    email: Option<String>,
}

impl Directorio {
    pub(crate) fn nuevo(api_url: String, por_defecto: Mailbox) -> Result<Self, Error> {
        let cliente = Client::builder().timeout(ESPERA).no_proxy().build();
        let cliente = cliente.map_err(|source| Error::Cliente { que: "de la API", source: Box::new(source) })?;
        Ok(Self { cliente, api_url, por_defecto })
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
        let url = format!("{}/cliente/usuarios/{id}", self.api_url);
        let ausente_por = |motivo: String| Outcome::Unavailable(format!("{url} no dio una dirección: {motivo}"));
        let mut respuesta = self.cliente.get(&url).send().await.map_err(|error| ausente_por(con_causas(&error)))?;
        match respuesta.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            estado => return Err(ausente_por(format!("contestó {estado}"))),
        }
        let mut cuerpo = Vec::new();
        while let Some(trozo) = respuesta.chunk().await.map_err(|error| ausente_por(con_causas(&error)))? {
            cuerpo.extend_from_slice(&trozo);
            if cuerpo.len() as u64 > MAX_BYTES {
                return Err(ausente_por(format!("su respuesta tiene más de {MAX_BYTES} bytes")));
            }
        }
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
