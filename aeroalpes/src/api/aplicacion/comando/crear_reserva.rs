//! Booking.

use super::Comando;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::{ClaveIdempotencia, Reclamo, UnidadDeTrabajo};
use crate::api::dominio::{Fecha, Itinerario, Reserva};

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pedido {
    /// The client, if there is one.
    pub id_cliente: Option<String>,
    /// What is booked.
    pub itinerarios: Vec<Itinerario>,
}

/// Books a reservation, or finds the one that the same request booked before.
#[derive(Debug)]
pub struct CrearReserva {
    reserva: Reserva,
    clave: Option<ClaveIdempotencia>,
}

impl CrearReserva {
    /// Prepares the booking; the rules are checked here, before anything touches the database.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn nuevo(
        id: String,
        pedido: Pedido,
        clave: Option<ClaveIdempotencia>,
        ahora: Fecha,
    ) -> Result<CrearReserva, Error> {
        let reserva = Reserva::crear(id, pedido.id_cliente, pedido.itinerarios, ahora)?;
        Ok(CrearReserva { reserva, clave })
    }
}

impl Comando for CrearReserva {
    /// The id of the reservation.
    type Salida = String;

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<String, Error> {
        if let Some(clave) = &self.clave
            && let Reclamo::Usada { huella, id_reserva } = unidad.reclamar(clave, self.reserva.id()).await?
        {
            return if huella == clave.huella { Ok(id_reserva) } else { Err(Error::ClaveConOtroCuerpo) };
        }
        guardar(&self.reserva, unidad).await?;
        Ok(self.reserva.id().to_owned())
    }
}

/// Stores a new reservation and what it tells the world.
pub(super) async fn guardar<U: UnidadDeTrabajo>(reserva: &Reserva, unidad: &mut U) -> Result<(), Error> {
    unidad.agregar(reserva).await?;
    for evento in reserva.eventos() {
        unidad.anotar(reserva.id(), evento).await?;
    }
    Ok(())
}
