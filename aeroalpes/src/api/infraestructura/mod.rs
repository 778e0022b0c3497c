//! The outside: the database with the outbox, password hashes, the broker.
//!
//! Implements the ports of [`crate::api::aplicacion::puerto`]. Never here: a rule of the domain, a text for the API's clients, a
//! message sent to the broker by a booking.

mod argon2id;
mod broker;
pub mod mysql;

pub use argon2id::Argon2id;
pub use broker::Broker;
