//! Reservar.

use super::Comando;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::{ClaveIdempotencia, Reclamo, UnidadDeTrabajo};
use crate::api::dominio::{Fecha, Itinerario, Reserva};

/// Lo que pide un cliente.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pedido {
    pub id_cliente: Option<String>,
    pub itinerarios: Vec<Itinerario>,
}

/// Hace una reserva, o encuentra la que la misma petición hizo antes.
#[derive(Debug)]
pub(crate) struct CrearReserva {
    reserva: Reserva,
    clave: Option<ClaveIdempotencia>,
}

impl CrearReserva {
    /// Prepara la reserva; las reglas se comprueban aquí, antes de tocar la base de datos.
    pub(crate) fn nuevo(
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
    /// El id de la reserva.
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

/// Guarda una reserva nueva y sus eventos.
pub(super) async fn guardar<U: UnidadDeTrabajo>(reserva: &Reserva, unidad: &mut U) -> Result<(), Error> {
    unidad.agregar(reserva).await?;
    for evento in reserva.eventos() {
        unidad.anotar(reserva.id(), evento).await?;
    }
    Ok(())
}
