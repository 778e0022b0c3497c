//! One mail for each event of a reservation.
//!
//! - [`ejecutar`] consumes the events until it is asked to stop.
//! - [`Configuracion`] comes from the environment: broker, API, mail server, folder.
//! - `bandeja`: which events are done, on disk, so that each is mailed once.
//! - `destinatario`: the address of the user, asked from the API.
//! - `texto`: subject and text, in Spanish.
//! - `correo`, `smtp`: the mail and its way out.

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
