//! Lo que acuerdan las partes de AeroAlpes y los servicios en Python del tutorial.
//!
//! - [`tema`]: temas y suscripciones.
//! - [`evento`]: el evento de una reserva y su esquema Avro.
//! - [`comando`]: el comando que crea una reserva, en su primera forma y en la evolucionada.
//! - [`avro`]: esquemas, y datos escritos con ellos.
//! - [`ilegible`]: por qué no se puede leer un mensaje.
//! - [`correo`]: direcciones a las que se puede enviar un correo.
//! - [`direccion`]: dónde están el *broker* y la API, según el entorno.
//!
//! Aquí no hay más entrada ni salida que la lectura de variables de entorno.

pub(crate) mod avro;
pub(crate) mod comando;
pub(crate) mod correo;
pub(crate) mod direccion;
pub(crate) mod evento;
pub(crate) mod ilegible;
pub(crate) mod tema;
