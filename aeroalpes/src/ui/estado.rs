//! Si están el *broker* y la API, como lo muestra la página.

use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use crate::http::Api;

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
        json!({"tipo": "estado", "estado": self}).to_string()
    }
}

/// Anota si el *broker* contesta, y lo registra cuando cambia.
pub(super) fn anotar_broker(estado: &watch::Sender<Estado>, responde: bool) {
    if estado.send_if_modified(|estado| estado.broker.replace(responde) != Some(responde)) {
        contar("el broker", responde);
    }
}

/// Anota si la API contesta, una y otra vez. No termina por sí sola.
pub(super) async fn vigilar_api(api: Api, estado: watch::Sender<Estado>) {
    loop {
        let antes = estado.borrow().api;
        let responde = api.cambio(antes).await;
        estado.send_modify(|estado| estado.api = Some(responde));
        contar("la API", responde);
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
