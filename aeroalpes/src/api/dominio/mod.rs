//! El dominio: qué es una reserva y qué reglas cumple. Puro: sin reloj, sin base de datos, sin HTTP.
//!
//! - [`Reserva`]: el agregado; todo cambio pasa por sus métodos y deja un [`Evento`].
//! - [`Estado`]: PENDIENTE → APROBADA → PAGADA, y CANCELADA desde los dos primeros.
//! - [`Itinerario`], [`Odo`], [`Segmento`], [`Leg`]: la ruta; [`Pasajero`]: quién vuela.
//! - [`Usuario`]: un usuario de la tabla legado.

mod error;
mod estado;
mod evento;
mod fecha;
mod itinerario;
mod reserva;
mod usuario;

pub(super) use error::Error;
pub(super) use estado::Estado;
pub(super) use evento::Evento;
pub(super) use fecha::Fecha;
pub(super) use itinerario::{Aeropuerto, Itinerario, Leg, Odo, Pasajero, Segmento};
pub(super) use reserva::{Pedido, Reserva};
pub(super) use usuario::{Contrasena, DatosUsuario, Usuario};
