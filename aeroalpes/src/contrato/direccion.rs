//! Dónde están las otras partes, según las variables de entorno del tutorial.
//!
//! `BROKER_HOST` (API) y `PULSAR_ADDRESS` (notificaciones, página) nombran el servidor del *broker*;
//! `AEROALPES_ADDRESS`, el de la API. Detrás del nombre puede ir un puerto. `PULSAR_SERVICE_URL` dice en su lugar la
//! URL entera del *broker*.

use std::env;

use crate::error::Error;

/// Dónde está el *broker*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Protocolo binario: `pulsar://servidor:6650`.
    pub service_url: String,
}

impl Broker {
    /// Lee la dirección; `variable` es `BROKER_HOST` o `PULSAR_ADDRESS`.
    pub(crate) fn del_entorno(variable: &str) -> Self {
        let servidor = texto(variable, "localhost");
        Self { service_url: texto("PULSAR_SERVICE_URL", &format!("pulsar://{}", con_puerto(&servidor, 6650))) }
    }
}

/// Devuelve la URL base de la API según `AEROALPES_ADDRESS`: un servidor, con puerto o sin él, o una URL entera. El
/// puerto es 5000.
pub(crate) fn api_del_entorno() -> Result<String, Error> {
    api(&texto("AEROALPES_ADDRESS", "localhost"))
}

fn api(direccion: &str) -> Result<String, Error> {
    match direccion.split_once("://") {
        None => Ok(format!("http://{}", con_puerto(direccion, 5000))),
        Some(("http", _)) => Ok(direccion.trim_end_matches('/').to_owned()),
        Some(_) => Err(Error::Variable {
            variable: "AEROALPES_ADDRESS",
            valor: direccion.to_owned(),
            motivo: "esta parte está al lado de la API y habla http; escriba host, host:puerto o una URL http://"
                .to_owned(),
        }),
    }
}

/// Devuelve el texto de una variable, o el valor por defecto si no está o está vacía.
pub(crate) fn texto(variable: &str, por_defecto: &str) -> String {
    env::var(variable).ok().filter(|texto| !texto.is_empty()).unwrap_or_else(|| por_defecto.to_owned())
}

fn con_puerto(servidor: &str, puerto: u16) -> String {
    if tiene_puerto(servidor) { servidor.to_owned() } else { format!("{servidor}:{puerto}") }
}

/// Devuelve si hay un puerto. Los dos puntos de una dirección IPv6 no lo son; entre corchetes puede llevar uno detrás.
fn tiene_puerto(servidor: &str) -> bool {
    servidor.rsplit_once(':').is_some_and(|(nombre, puerto)| {
        puerto.bytes().all(|byte| byte.is_ascii_digit()) && (!nombre.contains(':') || nombre.ends_with(']'))
    })
}

#[cfg(test)]
mod tests {
    use super::{api, con_puerto};

    #[test]
    fn el_puerto_se_anade_una_vez() {
        for (servidor, con) in [
            ("localhost", "localhost:6650"),
            ("localhost:1", "localhost:1"),
            ("[::1]", "[::1]:6650"),
            ("[::1]:7", "[::1]:7"),
        ] {
            assert_eq!(con_puerto(servidor, 6650), con);
        }
    }

    #[test]
    fn a_la_api_solo_se_le_pregunta_por_http() {
        assert_eq!(api("api").unwrap(), "http://api:5000");
        assert_eq!(api("http://api.example.com/").unwrap(), "http://api.example.com");
        let rechazo = api("https://api.example.com").unwrap_err().to_string();
        assert!(rechazo.starts_with("AEROALPES_ADDRESS=\"https://api.example.com\" no sirve"), "{rechazo}");
    }
}
