//! Messages of Pulsar's binary protocol, declared by hand for prost.
//!
//! Field numbers, wire types and defaults are those of `PulsarApi.proto` (proto2, protocol version 21); names are
//! its names in snake case, so its text is the documentation of each field. `required` fields decode to their default
//! when a peer leaves them out. The envelope `BaseCommand` is not here: [`crate::Command`] encodes and decodes it.
#![allow(missing_docs, reason = "the fields are PulsarApi.proto's own, documented there")]

mod connection;
mod consumer;
mod enums;
mod lookup;
mod metadata;
mod producer;
mod schema;
mod transaction;

pub use connection::*;
pub use consumer::*;
pub use enums::*;
pub use lookup::*;
pub use metadata::*;
pub use producer::*;
pub use schema::*;
pub use transaction::*;
