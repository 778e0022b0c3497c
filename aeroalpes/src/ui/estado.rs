//! Whether the broker and the API are there, as the page shows it.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::ui::reenvio::Api;

/// How often the API is asked.
const VIGILANCIA: Duration = Duration::from_secs(2);

/// What is known; null until it was tried for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Estado {
    /// The broker answers.
    pub broker: Option<bool>,
    /// The API answers.
    pub api: Option<bool>,
}

impl Estado {
    /// Returns the message of a page's websocket.
    pub fn mensaje(self) -> String {
        let estado = serde_json::to_value(self).unwrap_or_default();
        serde_json::json!({"tipo": "estado", "estado": estado}).to_string()
    }
}

/// Notes whether the broker answers, and logs it when that is new.
pub fn anotar_broker(estado: &watch::Sender<Estado>, responde: bool) {
    if estado.send_if_modified(|estado| estado.broker.replace(responde) != Some(responde)) {
        contar("broker", responde);
    }
}

/// Asks the API again and again whether it is up. Never ends by itself.
pub async fn vigilar_api(api: Api, estado: watch::Sender<Estado>) {
    loop {
        let responde = api.responde().await;
        if estado.send_if_modified(|estado| estado.api.replace(responde) != Some(responde)) {
            contar("API", responde);
        }
        tokio::time::sleep(VIGILANCIA).await;
    }
}

fn contar(quien: &str, responde: bool) {
    if responde {
        tracing::info!("the {quien} answers");
    } else {
        tracing::warn!("the {quien} does not answer; the page says so and goes on by itself when it is back");
    }
}

#[cfg(test)]
mod tests {
    use super::Estado;

    #[test]
    fn lo_que_no_se_sabe_es_null() {
        let estado = Estado { broker: Some(true), api: None };
        assert_eq!(estado.mensaje(), r#"{"tipo":"estado","estado":{"broker":true,"api":null}}"#);
    }
}
