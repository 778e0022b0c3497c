//! Reads a MySQL or MariaDB server: what it says, what its rows are, and what changes.
//!
//! Constraints: nothing here interprets a value; rows leave as binlog bytes. Bytes from the server never panic and
//! never cause an allocation beyond a limit. Queues are the sockets': a caller that does not read holds back the server.
//!
//! Where to look, in the order of a first start: [`config`] (how a server is reached), [`check`] (can it be captured),
//! [`filter`] (which tables), [`snapshot`] (all rows at one position), [`replication`] (what comes after it). Below them
//! lie [`wire`] (the protocol), [`schema`] (what `information_schema` says) and [`position`].

pub mod check;
pub mod config;
pub mod ddl;
mod error;
pub mod filter;
mod identity;
mod log_mark;
mod name;
pub mod position;
pub mod replication;
pub mod schema;
mod sentence;
pub mod server;
pub mod snapshot;
pub mod wire;

pub use config::{PublicKeyRetrieval, Secret, ServerConfig, Tls, TlsMode};
pub use error::{Error, ErrorClass};
pub use filter::{BuiltinDatabases, Filter, FilterOptions};
pub use log_mark::{EventMark, LogMark};
pub use name::{TableName, quoted};
pub use position::{LogPlace, Position};
pub use sentence::{capitalized, uncapitalized};
pub use server::{Flavor, ServerVersion};
