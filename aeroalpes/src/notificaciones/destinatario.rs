//! Whom a mail goes to: the address that the API knows of the user.

use std::time::Duration;

use crate::contrato::correo;
use bitacora_pulsar::Outcome;
use lettre::Address;
use lettre::message::Mailbox;
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use crate::notificaciones::error::Error;

/// For one question to the API.
const ESPERA: Duration = Duration::from_secs(10);
/// A user is a few fields; more is not read.
const MAX_BYTES: u64 = 64 * 1024;

/// Asks the API for addresses.
#[derive(Debug)]
pub(crate) struct Directorio {
    client: Client,
    api_url: String,
    por_defecto: Mailbox,
}

/// The only field of a user that is needed here.
#[derive(Deserialize)]
struct Usuario {
    email: Option<String>,
}

impl Directorio {
    pub(crate) fn nuevo(api_url: String, por_defecto: Mailbox) -> Result<Self, Error> {
        let client = Client::builder().timeout(ESPERA).no_proxy().build();
        let client = client.map_err(|source| Error::Client { what: "the API", source: Box::new(source) })?;
        Ok(Self { client, api_url, por_defecto })
    }

    /// Returns the user's address, or the general one when there is no such user.
    ///
    /// An API that is away decides nothing: the mail waits, because the general address would be the wrong one.
    pub(crate) async fn de(&self, id_cliente: Option<&str>) -> Result<Mailbox, Outcome> {
        let Some(id) = id_cliente.and_then(numero) else { return Ok(self.por_defecto.clone()) };
        match self.preguntar(id).await? {
            Some(address) => Ok(Mailbox::new(None, address)),
            None => Ok(self.por_defecto.clone()),
        }
    }

    async fn preguntar(&self, id: u32) -> Result<Option<Address>, Outcome> {
        let url = format!("{}/cliente/usuarios/{id}", self.api_url);
        let away = |reason: String| Outcome::Unavailable(format!("{url} gave no address: {reason}"));
        let mut answer = self.client.get(&url).send().await.map_err(|error| away(causes(&error)))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(away(format!("it answered {status}"))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| away(causes(&error)))? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > MAX_BYTES {
                return Err(away(format!("its answer has more than {MAX_BYTES} bytes")));
            }
        }
        let usuario: Usuario = serde_json::from_slice(&body).map_err(|error| away(error.to_string()))?;
        let email = usuario.email.unwrap_or_default();
        let address = correo::leer(email.trim());
        if address.is_none() {
            tracing::warn!(user = id, "a user has no usable address, the general one is taken");
        }
        Ok(address)
    }
}

/// Users have numbers; whatever else a client is called, it is no user.
fn numero(id_cliente: &str) -> Option<u32> {
    id_cliente.bytes().all(|byte| byte.is_ascii_digit()).then(|| id_cliente.parse().ok()).flatten()
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::numero;

    #[test]
    fn solo_un_numero_es_un_usuario() {
        assert_eq!(numero("17"), Some(17));
        for other in ["", "None", "+1", "-1", "1/../2", "99999999999"] {
            assert_eq!(numero(other), None, "{other}");
        }
    }
}
