//! Un correo por cada evento de una reserva.
//!
//! - [`ejecutar`] consume los eventos hasta que se le pide que termine.
//! - `configuracion`: *broker*, API, servidor de correo, carpeta.
//! - `bandeja`: qué eventos están hechos, en disco, para enviar cada uno una vez.
//! - `destinatario`: la dirección del usuario, que se pregunta a la API.
//! - `texto`: asunto y cuerpo.
//! - `correo`, `smtp`: el correo y su salida.

mod bandeja;
mod configuracion;
mod correo;
mod destinatario;
mod notificar;
mod smtp;
mod texto;

pub(crate) use configuracion::Argumentos;
pub(crate) use notificar::ejecutar;
