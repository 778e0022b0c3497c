//! Reads a MySQL or MariaDB server: sessions, checks, snapshot, replication stream, DDL.

pub mod config;
mod error;
pub mod filter;
pub mod server;
pub mod wire;

pub use config::{Secret, ServerConfig, Tls, TlsMode};
pub use error::{Error, ErrorClass};
pub use filter::{Filter, FilterOptions};
pub use server::{Flavor, ServerVersion};
