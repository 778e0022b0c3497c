//! Lo que los manejadores necesitan de fuera.

use std::sync::Arc;

use bitacora_origin::Guard;
use bitacora_pulsar::Client;
use tokio::sync::Semaphore;

use crate::api::infraestructura::Argon2id;
use crate::api::infraestructura::mysql::MySql;

/// Lo que comparten los manejadores. Copiarlo es barato.
#[derive(Debug, Clone)]
pub(crate) struct Contexto {
    pub almacen: MySql,
    pub resumidor: Argon2id,
    /// El cliente del *broker*.
    pub broker: Client,
    /// Las peticiones que se atienden a la vez.
    pub lugares: Arc<Semaphore>,
    /// Los nombres por los que se llama a la API.
    pub guardia: Arc<Guard>,
}
