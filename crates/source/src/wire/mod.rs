//! The client side of the MySQL protocol: packets, login, TLS and text results read in place.
//!
//! The same code serves statements, snapshot rows and the replication stream of both servers, so that a check, a
//! snapshot and the stream log in, speak TLS and fail in the same way. Formats: "MySQL Client/Server Protocol" in the
//! MySQL Server Developer Documentation and "Client/Server Protocol" in the MariaDB Knowledge Base.
//!
//! - [`buffer`]: bytes of the socket → complete packets, joined above 16 MiB, up to a limit.
//! - [`read`]: checked reading of protocol integers and strings.
//! - [`handshake`]: the greeting and the answer to it.
//! - [`auth`]: what the password plugins send.
//! - `tls`: TLS modes over rustls.
//! - `trust`: who may receive the password itself.
//! - [`connection`]: a logged-in connection, its commands and results.
//! - [`result`]: column definitions, text rows, error packets.
//! - `session`: the variables that every session sets.

mod auth;
mod buffer;
mod connection;
mod handshake;
mod read;
mod result;
mod session;
mod tls;
mod trust;

pub(crate) use connection::BufferedRow;
pub use connection::{Connection, Encryption};
pub(crate) use read::put_length;
pub(crate) use result::{Row, Table, TextRow};
pub use session::session_variables;
