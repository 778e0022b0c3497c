//! Si están el *broker* y la API, como lo muestra la página.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::ui::reenvio::Api;

/// Cada cuánto se pregunta a la API.
const VIGILANCIA: Duration = Duration::from_secs(2);

/// Lo que se sabe; null hasta el primer intento.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Estado {
    /// El *broker* contesta.
    pub broker: Option<bool>,
    /// La API contesta.
    pub api: Option<bool>,
}

impl Estado {
    /// Devuelve el mensaje para el websocket de una página.
    pub(super) fn mensaje(self) -> String {
        let estado = serde_json::to_value(self).unwrap_or_default();
        serde_json::json!({"tipo": "estado", "estado": estado}).to_string()
    }
}

/// Anota si el *broker* contesta, y lo registra cuando cambia.
pub(super) fn anotar_broker(estado: &watch::Sender<Estado>, responde: bool) {
    if estado.send_if_modified(|estado| estado.broker.replace(responde) != Some(responde)) {
        contar("el broker", responde);
    }
}

/// Pregunta a la API una y otra vez si está en marcha. No termina por sí sola.
pub(super) async fn vigilar_api(api: Api, estado: watch::Sender<Estado>) {
    loop {
        let responde = api.responde().await;
        if estado.send_if_modified(|estado| estado.api.replace(responde) != Some(responde)) {
            contar("la API", responde);
        }
        tokio::time::sleep(VIGILANCIA).await;
    }
}

fn contar(quien: &str, responde: bool) {
    if responde {
        tracing::info!("{quien} contesta");
    } else {
        tracing::warn!("{quien} no contesta; la página lo dice y sigue sola cuando vuelva");
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
