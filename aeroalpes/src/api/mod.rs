//! HTTP API of AeroAlpes: reservations with a transactional outbox, and users of the legacy table.
//!
//! Four rooms, each knowing only those before it:
//! - [`dominio`]: what a reservation is and its rules; pure.
//! - [`aplicacion`]: commands and queries, the unit of work, and what they need of the outside (traits).
//! - [`infraestructura`]: MySQL or MariaDB with the outbox, password hashes, the broker.
//! - [`presentacion`]: HTTP and messages in, answers out.
//!
//! [`servir`] starts and ends the whole.

pub mod aplicacion;
pub mod dominio;
mod error;
pub mod infraestructura;
pub mod presentacion;
mod puerta;
mod servidor;

pub use error::Error;
pub use puerta::Puerta;
pub use servidor::{EN_VUELO, Opciones, servir};
