//! Lo que acuerdan las partes de AeroAlpes y los servicios en Python del tutorial.
//!
//! - [`tema`]: temas y suscripciones.
//! - [`evento`]: el evento de una reserva y su esquema Avro.
//! - [`comando`]: el comando que crea una reserva, en su primera forma y en la evolucionada.
//! - [`avro`]: de registros a bytes y de vuelta.
//! - [`esquema`]: los esquemas del registro de un tema.
//! - [`correo`]: direcciones a las que se puede enviar un correo.
//! - [`direccion`]: dónde están el *broker* y la API, según el entorno.
//!
//! Aquí no hay más entrada ni salida que la lectura de variables de entorno.

pub mod avro;
pub mod comando;
pub mod correo;
pub mod direccion;
mod error;
pub mod esquema;
pub mod evento;
pub mod tema;

pub use error::Error;
