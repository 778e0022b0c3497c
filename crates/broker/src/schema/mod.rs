//! Schemas of topics: registry and compatibility.
//!
//! A topic has a list of versions, counted from 0. A schema that is registered already keeps its version. The
//! namespace's strategy must accept a new one. Only Avro and JSON, whose definition is Avro text, are compared, also as
//! halves of a KeyValue schema. Any other type is compatible with itself.

mod avro;
mod compatibility;
mod info;
mod registry;

pub(crate) use compatibility::Incompatible;
pub use compatibility::Strategy;
pub(crate) use info::{SchemaInfo, SchemaKind};
pub(crate) use registry::{Registration, SchemaHistory, SchemaVersion};
