//! Approving, paying, cancelling.

use super::Comando;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::UnidadDeTrabajo;
use crate::api::dominio::{Fecha, Reserva};

/// What is done to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cambio {
    /// It is approved.
    Aprobar,
    /// It is paid.
    Pagar,
    /// It is cancelled.
    Cancelar,
}

/// Changes the state of a reservation.
#[derive(Debug)]
pub struct CambiarEstado {
    /// Which reservation.
    pub id: String,
    /// What is done.
    pub cambio: Cambio,
    /// When.
    pub ahora: Fecha,
}

impl Comando for CambiarEstado {
    /// The reservation after the change, without its itineraries.
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
