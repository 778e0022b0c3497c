//! Reads a MySQL or MariaDB server: what it says, what its rows are, and what changes.
//!
//! Constraints: nothing here interprets a value; rows leave as binlog bytes. Bytes from the server never panic and
//! never cause an allocation beyond a limit. There are no queues but those of the sockets, so a caller that does not
//! read holds back the server.
//!
//! Where to look, in the order of a first start: [`ServerConfig`] (how a server is reached), [`check`] (can it be
//! captured), [`Filter`] (which tables), [`Snapshot`] (all rows at one position), [`replication`] (what comes after
//! it). Below them lie [`Connection`] (the protocol), [`schema`] (what `information_schema` says), [`ddl`] (what a
//! statement does to tables) and [`Position`].
//!
//! Four rooms keep their names in a path, because `check::run`, `ddl::Table` or `replication::Client` would say too
//! little without it. Their modules are private, and each room lists what it shows. Everything else is listed here.

pub mod check;
mod config;
pub mod ddl;
mod error;
mod filter;
mod identity;
mod log_mark;
mod name;
mod position;
pub mod replication;
pub mod schema;
mod sentence;
mod server;
mod snapshot;
mod wire;

pub use config::{PublicKeyRetrieval, Secret, ServerConfig, Tls, TlsMode};
pub use error::{Error, ErrorClass, NoTrust};
pub use filter::{BuiltinDatabases, Filter, FilterOptions};
pub use log_mark::{EventMark, LogMark};
pub use name::{TableName, quoted};
pub use position::{LogPlace, Position};
pub use sentence::{capitalized, uncapitalized};
pub use server::{Flavor, ServerVersion};
pub use snapshot::{
    Exactness, Snapshot, SnapshotChunk, SnapshotContent, SnapshotOptions, SnapshotProgress, SnapshotState,
    SnapshotTable,
};
pub use wire::{Connection, Encryption, session_variables};
