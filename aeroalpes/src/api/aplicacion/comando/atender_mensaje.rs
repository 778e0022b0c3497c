//! Booking by a message, which may be delivered more than once.

use super::Comando;
use super::crear_reserva::guardar;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::{Mensaje, UnidadDeTrabajo};
use crate::api::dominio::Reserva;

/// Stores the reservation of a message exactly once: the message's id is recorded in the same unit of work.
#[derive(Debug)]
pub struct AtenderMensaje {
    /// Name of the consumer.
    pub consumidor: &'static str,
    /// Id of the message, the same at every delivery.
    pub mensaje: String,
    /// What it asks for.
    pub reserva: Reserva,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Atencion {
    /// Its reservation is stored.
    Creada,
    /// It was, by an earlier delivery.
    Repetida,
}

impl Comando for AtenderMensaje {
    type Salida = Atencion;

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<Atencion, Error> {
        match unidad.recibir(self.consumidor, &self.mensaje).await? {
            Mensaje::Repetido => Ok(Atencion::Repetida),
            Mensaje::Nuevo => {
                guardar(&self.reserva, unidad).await?;
                Ok(Atencion::Creada)
            }
        }
    }
}
