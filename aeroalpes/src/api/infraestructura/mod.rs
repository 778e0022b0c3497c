//! Lo de fuera: la base de datos con la bandeja de salida, los resúmenes de contraseñas, el *broker*.
//!
//! Hace los puertos de [`crate::api::aplicacion::puerto`]. Nunca aquí: una regla del dominio, un texto para los
//! clientes de la API, un mensaje enviado al *broker* por una reserva.

mod argon2id;
mod broker;
pub mod mysql;

pub use argon2id::Argon2id;
pub use broker::Broker;
