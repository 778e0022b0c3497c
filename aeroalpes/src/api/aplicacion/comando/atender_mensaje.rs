//! Reservar por un mensaje, que puede entregarse más de una vez.

use super::Comando;
use super::crear_reserva::guardar;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::{Mensaje, UnidadDeTrabajo};
use crate::api::dominio::Reserva;

/// Guarda la reserva de un mensaje exactamente una vez: el id del mensaje se anota en la misma unidad de trabajo.
#[derive(Debug)]
pub(crate) struct AtenderMensaje {
    pub consumidor: &'static str,
    /// Id del mensaje, el mismo en cada entrega.
    pub mensaje: String,
    pub reserva: Reserva,
}

/// Resultado de atender un mensaje.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Atencion {
    /// Su reserva está guardada.
    Creada,
    /// Ya lo estaba, por una entrega anterior.
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
