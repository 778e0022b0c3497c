//! Lo que el resto del mundo sabe de una reserva.

use crate::contrato::evento::{DatosReserva, TipoEvento};

use super::Fecha;

/// Un evento de una reserva, con las palabras del contrato.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evento {
    pub tipo: TipoEvento,
    pub fecha: Fecha,
    /// La reserva como es desde entonces.
    pub datos: DatosReserva,
}
