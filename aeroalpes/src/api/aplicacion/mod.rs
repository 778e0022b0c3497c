//! What the application does: commands that change something and queries that read, apart from each other.
//!
//! - [`comando`]: each command is a type; [`comando::ejecutar`] runs it in one unit of work and repeats the whole when the
//!   database asks for that.
//! - [`consulta`]: what the queries ask for and answer.
//! - [`puerto`]: what this layer needs of the outside (database, password hashes), as traits that `infraestructura` implements.
//!
//! Never here: SQL, HTTP, a message to the broker. An event is a row of the same transaction, and the relay publishes it.

pub mod comando;
pub mod consulta;
mod error;
pub mod puerto;

pub use error::{Error, Falla};
