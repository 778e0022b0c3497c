//! Lo de fuera: la base de datos con la bandeja de salida, los resúmenes de contraseñas, el *broker*.
//!
//! Nunca aquí: una regla del dominio, un texto para los clientes de la API, un mensaje enviado al *broker* por una
//! reserva.

mod argon2id;
pub(super) mod broker;
mod falla;
pub(super) mod mysql;

pub(super) use argon2id::Argon2id;
pub(super) use falla::Falla;
