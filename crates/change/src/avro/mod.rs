//! Avro: values of JSON in the binary encoding of a schema that someone wrote.
//!
//! Purpose: routed messages whose consumers know an Avro schema. Constraints: a value that the schema does not allow is
//! an error with its path, never bent or dropped; members that a record does not have are such an error too. Format:
//! the binary encoding of the Avro specification 1.11, without container or fingerprint, as Pulsar's AVRO schemas hold
//! it. `bytes` and `fixed` are Base64 text in JSON, as Debezium prints them; a logical type is encoded as what it
//! stands on.

mod encode;
mod schema;

pub use encode::AvroError;
pub use schema::{AvroSchema, AvroSchemaError};
