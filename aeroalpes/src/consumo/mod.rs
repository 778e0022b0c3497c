//! Lo que AeroAlpes añade al consumo de `bitacora_pulsar`: sus nombres y sus registros Avro.
//!
//! - [`suscripcion`] nombra las propiedades de una carta muerta como lo hace el contrato.
//! - [`Registros`] lee registros del contrato con el esquema de quien los escribió; [`Esquemas`] son los de un tema, para
//!   lectores que no tienen registro propio.

mod error;
mod esquemas;
mod registros;
mod suscripcion;

pub use error::Error;
pub use esquemas::{Esquemas, SinEsquema};
pub use registros::Registros;
pub use suscripcion::suscripcion;
