//! The command that creates a reservation.

use serde::{Deserialize, Serialize};

/// Avro schema in the evolved form; data of the tutorial's form (`id_usuario` alone) resolve to it by the defaults.
pub const ESQUEMA: &str = include_str!("comando.avsc");

/// A command on [`crate::contrato::tema::COMANDOS_RESERVA`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ComandoCrearReserva {
    /// What to create.
    pub data: Option<DatosComando>,
}

/// What the command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatosComando {
    /// The client.
    pub id_usuario: Option<String>,
    /// Itineraries as JSON, the same list as in the body of `POST /vuelos/reserva`; none in the tutorial's form.
    pub itinerarios: Option<String>,
}
