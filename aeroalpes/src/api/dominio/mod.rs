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

pub use error::Error;
pub use estado::Estado;
pub use evento::Evento;
pub use fecha::Fecha;
pub use itinerario::{Aeropuerto, Itinerario, Leg, Odo, Pasajero, Segmento};
pub use reserva::Reserva;
pub use usuario::{Contrasena, DatosUsuario, Usuario};
