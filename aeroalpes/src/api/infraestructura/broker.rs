//! El *broker*, como lo necesita la API: un cliente para los consumidores, y si contesta.

use std::time::Duration;

use crate::contrato::{direccion, tema};
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, ClientConfig, Error};

/// Un *broker* que no contesta en este plazo no está.
const PLAZO: Duration = Duration::from_secs(2);

/// La pausa más larga antes de volver a llamar al *broker*.
const REINTENTO_MS: u64 = 5_000;

/// Prepara un cliente; se conecta cuando hace falta.
pub(crate) fn cliente(direccion: &direccion::Broker) -> Result<Client, Error> {
    let mut configuracion = ClientConfig::url(&direccion.service_url);
    configuracion.backoff_max_ms = REINTENTO_MS;
    Client::new(configuracion)
}

/// Devuelve si el *broker* contesta. Se le pregunta algo: una conexión sigue abierta un rato después de que se congele.
pub(crate) async fn responde(cliente: &Client) -> bool {
    let pregunta = async {
        let tema = TopicName::parse(tema::EVENTOS_RESERVA)?;
        cliente.topics(&tema.full_namespace()).await
    };
    match tokio::time::timeout(PLAZO, pregunta).await {
        Ok(Ok(_)) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "el broker no está listo"),
        Err(_) => tracing::warn!("el broker no contesta"),
    }
    false
}
