//! What does not fit the contract.

use thiserror::Error;

/// A record or an address that is not what the contract says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable whose address cannot be used.
    #[error("{variable}={value:?} cannot be used: {reason}")]
    Address {
        /// The variable.
        variable: &'static str,
        /// Its text.
        value: String,
        /// What is wrong and what to write.
        reason: &'static str,
    },
    /// A schema of the contract that is none.
    #[error("the schema of the {record} cannot be used: {source}")]
    Schema {
        /// Name of the record.
        record: &'static str,
        /// What is wrong with it.
        source: Box<crate::contrato::esquema::EsquemaErroneo>,
    },
    /// Bytes that are not a record of the schema.
    #[error("the {record} is not what its Avro schema says: {source}")]
    Avro {
        /// Name of the record.
        record: &'static str,
        /// What Avro says.
        source: Box<apache_avro::Error>,
    },
    /// A record that ends too early.
    #[error("the {bytes} bytes are not the whole {record}")]
    Incomplete {
        /// Name of the record.
        record: &'static str,
        /// How many there are.
        bytes: usize,
    },
    /// Bytes behind the record.
    #[error("{bytes} bytes stand behind the {record}")]
    Trailing {
        /// Name of the record.
        record: &'static str,
        /// How many.
        bytes: usize,
    },
}
