//! Lo que el resto del mundo sabe de una reserva.

use crate::contrato::evento::{DatosReserva, TipoEvento};

use super::Fecha;

/// Un evento de una reserva, con las palabras del contrato.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evento {
    /// Qué ocurrió.
    pub tipo: TipoEvento,
    /// Cuándo.
    pub fecha: Fecha,
    /// La reserva como es desde entonces.
    pub datos: DatosReserva,
}
