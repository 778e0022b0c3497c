//! El comando que crea una reserva.

use serde::{Deserialize, Serialize};

use super::avro::Registro;

/// Esquema Avro de la forma evolucionada. Los datos en la forma del tutorial (solo `id_usuario`) se leen con sus
/// valores por defecto.
pub(crate) const ESQUEMA: &str = include_str!("comando.avsc");

/// Un comando en [`super::tema::COMANDOS_RESERVA`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ComandoCrearReserva {
    /// Lo que se crea.
    pub(crate) data: Option<DatosComando>,
}

impl Registro for ComandoCrearReserva {
    const NOMBRE: &'static str = "comando";
    const ESQUEMA: &'static str = ESQUEMA;
}

/// Lo que pide el comando.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DatosComando {
    /// El cliente.
    pub(crate) id_usuario: Option<String>,
    /// Itinerarios en JSON, la misma lista que en el cuerpo de `POST /vuelos/reserva`; la forma del tutorial no los
    /// tiene.
    pub(crate) itinerarios: Option<String>,
}
