//! Un correo por cada evento de una reserva.
//!
//! - [`ejecutar`] consume los eventos hasta que se le pide que termine.
//! - [`Configuracion`] viene del entorno: *broker*, API, servidor de correo, carpeta.
//! - `bandeja`: qué eventos están hechos, en disco, para enviar cada uno una vez.
//! - `destinatario`: la dirección del usuario, que se pregunta a la API.
//! - `texto`: asunto y cuerpo.
//! - `correo`, `smtp`: el correo y su salida.

mod bandeja;
mod configuracion;
mod correo;
mod destinatario;
mod error;
mod notificar;
mod smtp;
mod texto;

pub use configuracion::{Cifrado, Configuracion, Smtp};
pub use error::Error;
pub use notificar::ejecutar;
