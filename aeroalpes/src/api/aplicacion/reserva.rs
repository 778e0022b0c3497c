//! Reservar, por HTTP o por un mensaje, y cambiar el estado de una reserva.

use bitacora_outbox::Recorded;

use super::Error;
use super::unidad_de_trabajo::ejecutar;
use crate::api::dominio::{self, Fecha, Reserva};
use crate::api::infraestructura::mysql::{ClaveIdempotencia, MySql, Unidad};

/// Guarda una reserva nueva y devuelve su id, o el de la que la misma petición hizo antes.
pub(crate) async fn crear(
    almacen: &MySql,
    reserva: &Reserva,
    clave: Option<&ClaveIdempotencia>,
) -> Result<String, Error> {
    ejecutar(almacen, |mut unidad: Unidad| async move {
        if let Some(clave) = clave
            && let Some(usada) = unidad.reclamar(clave, reserva.id()).await?
        {
            let es_la_misma = usada.huella == clave.huella;
            return if es_la_misma { Ok((unidad, usada.id_reserva)) } else { Err(Error::ClaveConOtroCuerpo) };
        }
        unidad.agregar(reserva).await?;
        Ok((unidad, reserva.id().to_owned()))
    })
    .await
}

/// Guarda la reserva de un mensaje exactamente una vez: su id, el mismo en cada entrega, se anota en la misma unidad
/// de trabajo.
pub(crate) async fn atender_mensaje(
    almacen: &MySql,
    consumidor: &str,
    mensaje: &str,
    reserva: &Reserva,
) -> Result<Recorded, Error> {
    ejecutar(almacen, |mut unidad: Unidad| async move {
        let anotado = unidad.recibir(consumidor, mensaje).await?;
        if anotado == Recorded::New {
            unidad.agregar(reserva).await?;
        }
        Ok((unidad, anotado))
    })
    .await
}

/// Aprueba, paga o cancela una reserva con uno de sus métodos, y la devuelve sin sus itinerarios.
pub(crate) async fn cambiar_estado(
    almacen: &MySql,
    id: &str,
    cambio: fn(&mut Reserva, Fecha) -> Result<(), dominio::Error>,
    ahora: Fecha,
) -> Result<Reserva, Error> {
    ejecutar(almacen, |mut unidad: Unidad| async move {
        let hallada = unidad.bloquear(id).await?;
        let mut reserva = hallada.ok_or_else(|| Error::ReservaInexistente { id: id.to_owned() })?;
        cambio(&mut reserva, ahora)?;
        unidad.actualizar(&reserva).await?;
        Ok((unidad, reserva))
    })
    .await
}
