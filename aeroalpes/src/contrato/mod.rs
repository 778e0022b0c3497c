//! What the parts of AeroAlpes, and the tutorial's own Python services, agree on.
//!
//! - [`tema`]: topics and subscriptions.
//! - [`evento`]: the event of a reservation and its Avro schema.
//! - [`comando`]: the command that creates a reservation, in its first and its evolved form.
//! - [`avro`]: records to bytes and back.
//! - [`esquema`]: the schemas of a topic's registry.
//! - [`correo`]: direcciones a las que se puede enviar un correo.
//! - [`direccion`]: addresses of database, broker and API from the environment.
//!
//! No I/O happens here but reading environment variables.

pub mod avro;
pub mod comando;
pub mod correo;
pub mod direccion;
mod error;
pub mod esquema;
pub mod evento;
pub mod tema;

pub use error::Error;
