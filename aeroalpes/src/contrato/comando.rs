//! El comando que crea una reserva.

use serde::{Deserialize, Serialize};

/// Esquema Avro de la forma evolucionada. Los datos en la forma del tutorial (solo `id_usuario`) se leen con sus
/// valores por defecto.
pub const ESQUEMA: &str = include_str!("comando.avsc");

/// Un comando en [`super::tema::COMANDOS_RESERVA`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ComandoCrearReserva {
    /// Lo que se crea.
    pub data: Option<DatosComando>,
}

/// Lo que pide el comando.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatosComando {
    /// El cliente.
    pub id_usuario: Option<String>,
    /// Itinerarios en JSON, la misma lista que en el cuerpo de `POST /vuelos/reserva`; la forma del tutorial no los
    /// tiene.
    pub itinerarios: Option<String>,
}
