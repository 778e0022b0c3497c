//! Aprobar, pagar, cancelar.

use super::Comando;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::UnidadDeTrabajo;
use crate::api::dominio::{Fecha, Reserva};

/// Lo que se hace con una reserva.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cambio {
    Aprobar,
    Pagar,
    Cancelar,
}

/// Cambia el estado de una reserva.
#[derive(Debug)]
pub(crate) struct CambiarEstado {
    pub id: String,
    pub cambio: Cambio,
    pub ahora: Fecha,
}

impl Comando for CambiarEstado {
    /// La reserva después del cambio, sin sus itinerarios.
    type Salida = Reserva;

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<Reserva, Error> {
        let Some(mut reserva) = unidad.bloquear(&self.id).await? else {
            return Err(Error::ReservaInexistente { id: self.id.clone() });
        };
        match self.cambio {
            Cambio::Aprobar => reserva.aprobar(self.ahora)?,
            Cambio::Pagar => reserva.pagar(self.ahora)?,
            Cambio::Cancelar => reserva.cancelar(self.ahora)?,
        }
        unidad.actualizar(&reserva).await?;
        for evento in reserva.eventos() {
            unidad.anotar(reserva.id(), evento).await?;
        }
        Ok(reserva)
    }
}
