//! What the rest of the world learns about a reservation.

use crate::contrato::evento::{DatosReserva, TipoEvento};

use super::Fecha;

/// An event of a reservation, in the words of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evento {
    /// What happened.
    pub tipo: TipoEvento,
    /// When.
    pub fecha: Fecha,
    /// The reservation as it is since then.
    pub datos: DatosReserva,
}
