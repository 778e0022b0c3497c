//! A connection that is logged in: statements, results read in place, raw commands.
//!
//! Life cycle: [`Connection::open`] connects, negotiates TLS and logs in; then the caller sends one command after the
//! other and reads each answer to its end. After an error other than [`crate::Error::Server`] the connection must not
//! be used again. Dropping it closes the socket; the server notices and ends the session.

mod batch;
mod login;
mod open;
mod state;
mod statement;

pub use state::{Connection, Encryption};
pub(crate) use statement::BufferedRow;
