//! The domain: what a reservation is and which rules it keeps. Pure: no clock, no database, no HTTP.
//!
//! - [`Reserva`]: the aggregate; every change of it goes through its methods and leaves an [`Evento`].
//! - [`Estado`]: PENDIENTE → APROBADA → PAGADA, and CANCELADA from the first two.
//! - [`Itinerario`], [`Odo`], [`Segmento`], [`Leg`]: the route; [`Pasajero`]: who flies.
//! - [`Usuario`]: a user of the legacy table.

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
