//! A connection that is logged in: statements, results read in place, raw commands.
//!
//! Life cycle: [`Connection::open`] connects, negotiates TLS and logs in; then one command after the other, each read
//! to its end. A connection that gave an error other than a server error is of no further use. Dropping it closes the
//! socket; the server notices and ends the session.

mod batch;
mod login;
mod open;
mod state;
mod statement;

pub use state::{Connection, Encryption};
pub(crate) use statement::BufferedRow;
