//! La API HTTP de AeroAlpes: reservas con una bandeja de salida transaccional, y usuarios de la tabla legado.
//!
//! Cuatro capas; cada una conoce solo las anteriores:
//! - `dominio`: qué es una reserva y sus reglas; puro.
//! - `aplicacion`: comandos y consultas, la unidad de trabajo, y lo que necesitan de fuera (*traits*).
//! - `infraestructura`: MySQL o MariaDB con la bandeja de salida, los resúmenes de contraseñas, el *broker*.
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
