//! Reads a MySQL or MariaDB server: its settings, its tables and rows, and the stream of changes.
//!
//! Constraints: this crate does not interpret values; rows leave it as binlog bytes. Bytes from the server never panic
//! and never cause an allocation beyond a limit. The only queues are those of the sockets, so a caller that does not
//! read holds back the server.
//!
//! Where to look, in the order of a first start: [`ServerConfig`] (how to reach a server), [`check`] (whether it can be
//! captured), [`Filter`] (which tables), [`Snapshot`] (all rows at one position), [`replication`] (the events after
//! that position). Below them are [`Connection`] (the protocol), [`schema`] (what `information_schema` says), [`ddl`]
//! (what a statement does to tables) and [`Position`].
//!
//! Four public modules keep their names in paths, because `run`, `Table` or `Client` would say too little without
//! `check`, `ddl` or `replication`. Their own modules are private, and each lists its public items. This file lists all
//! others.

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
