//! El dominio: qué es una reserva y qué reglas cumple. Puro: sin reloj, sin base de datos, sin HTTP. Sus tipos son los
//! cuerpos de la API: dicen ellos mismos cómo son en JSON y en OpenAPI.
//!
//! - [`Reserva`]: el agregado; todo cambio pasa por sus métodos y deja un [`Evento`].
//! - [`Estado`]: PENDIENTE → APROBADA → PAGADA, y CANCELADA desde los dos primeros.
//! - [`Itinerario`], [`Odo`], [`Segmento`], [`Leg`]: la ruta; [`Pasajero`]: quién vuela.
//! - [`Usuario`]: un usuario de la tabla legado.

mod error;
mod estado;
mod fecha;
mod itinerario;
mod reserva;
mod usuario;

pub(super) use error::Error;
pub(super) use estado::Estado;
pub(super) use fecha::Fecha;
pub(super) use itinerario::{Aeropuerto, Itinerario, Leg, Odo, Pasajero, Segmento, TipoPasajero};
pub(super) use reserva::{Evento, Pedido, Reserva};
pub(super) use usuario::{Contrasena, Usuario};
