//! Schemas of topics: registry and compatibility.
//!
//! A topic has a list of versions, counted from 0. A schema that is registered already keeps its version; a new one
//! must pass the namespace's strategy. Only Avro, JSON (whose definition is Avro text) and KeyValue halves of these
//! types are compared; any other type is compatible with itself.

mod avro;
mod compatibility;
mod info;
mod registry;

pub(crate) use compatibility::Incompatible;
pub use compatibility::Strategy;
pub(crate) use info::{SchemaInfo, SchemaKind};
pub(crate) use registry::{Registration, SchemaHistory, SchemaVersion};
