//! The broker, as the API needs it: a client for the consumers, and whether it answers.

use std::time::Duration;

use crate::contrato::{direccion, tema};
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::{Client, ClientConfig, Error};

/// A broker that has not answered by then counts as away.
const PLAZO: Duration = Duration::from_secs(2);

/// Longest pause before the broker is dialled again.
const REINTENTO_MS: u64 = 5_000;

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Broker {
    cliente: Client,
}

impl Broker {
    /// Prepares a client; it connects when it is needed.
    ///
    /// # Errors
    /// The URL is none.
    pub fn nuevo(direccion: &direccion::Broker) -> Result<Broker, Error> {
        let mut configuracion = ClientConfig::url(&direccion.service_url);
        configuracion.backoff_max_ms = REINTENTO_MS;
        Ok(Broker { cliente: Client::new(configuracion)? })
    }

    /// Returns the client.
    pub fn cliente(&self) -> &Client {
        &self.cliente
    }

    /// Tells whether the broker answers. It is asked something: an open connection stays one for a while after its broker froze.
    pub async fn responde(&self) -> bool {
        let pregunta = async {
            let tema = TopicName::parse(tema::EVENTOS_RESERVA)?;
            self.cliente.topics(&tema.full_namespace()).await
        };
        match tokio::time::timeout(PLAZO, pregunta).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the broker is not ready");
                false
            }
            Err(_) => {
                tracing::warn!("the broker does not answer");
                false
            }
        }
    }
}
