//! La API HTTP de AeroAlpes: reservas con una bandeja de salida transaccional, y usuarios de la tabla legado.
//!
//! Cuatro capas; cada una conoce solo las anteriores:
//! - `dominio`: qué es una reserva y sus reglas; puro.
//! - `infraestructura`: MySQL o MariaDB con la bandeja de salida, los resúmenes de contraseñas, el *broker*.
//! - `aplicacion`: los comandos, cada uno una unidad de trabajo.
//! - `presentacion`: entran HTTP y mensajes, salen respuestas.
//!
//! [`servir`] empieza y termina el conjunto.

mod aplicacion;
mod dominio;
mod error;
mod infraestructura;
mod presentacion;
mod puerta;
mod servidor;

pub use error::Error;
pub use puerta::Puerta;
pub use servidor::{EN_VUELO, Opciones, servir};
