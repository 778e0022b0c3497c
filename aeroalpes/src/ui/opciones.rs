//! Lo que la página necesita saber para arrancar.

use crate::contrato::direccion::Broker;

/// Dónde está cada cosa.
#[derive(Debug, Clone)]
pub struct Opciones {
    /// Dirección en la que se escucha, `host:puerto`; el puerto 0 toma uno libre.
    pub escuchar: String,
    /// Nombres por los que se llama a la página, además de `localhost` y de direcciones.
    pub nombres: Vec<String>,
    /// El *broker*.
    pub broker: Broker,
    /// URL base de la API.
    pub api: String,
    /// Con qué empiezan los temas de los cambios, antes del primer punto.
    pub prefijo: String,
}
