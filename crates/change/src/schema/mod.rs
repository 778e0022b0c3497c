//! Kafka Connect's schemas, in which Debezium describes its events, and their two written forms.
//!
//! [`connect_json`] writes the form that stands inside messages with schemas; [`avro_definition`] writes the Avro form
//! that the Pulsar connector registers (Confluent's `AvroData` with Connect metadata).

mod avro;
mod connect;
mod message;

pub use avro::avro_definition;
pub use connect::connect_json;
pub use message::{
    KeyValueEncoding, KeyValueSchema, MessageSchema, SchemaPart, SchemaPartKind, ValueSchema, ValueSchemaKind,
};

use serde_json::Value;

/// A schema of Kafka Connect.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Type.
    pub kind: Kind,
    /// Whether null is allowed.
    pub is_optional: bool,
    /// Logical type, or name of a struct.
    pub name: Option<String>,
    /// Version of the logical type.
    pub version: Option<u32>,
    /// Comment.
    pub doc: Option<String>,
    /// Parameters of the logical type.
    pub parameters: Vec<(String, String)>,
    /// Value that stands for a missing one.
    pub default: Option<DefaultValue>,
}

/// The types of Kafka Connect.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// true or false.
    Boolean,
    /// 8 bits.
    Int8,
    /// 16 bits.
    Int16,
    /// 32 bits.
    Int32,
    /// 64 bits.
    Int64,
    /// 32 bits, IEEE 754.
    Float32,
    /// 64 bits, IEEE 754.
    Float64,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// Values of one schema.
    Array(Box<Schema>),
    /// Named fields.
    Struct(Vec<Field>),
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Schema.
    pub schema: Schema,
}

/// A default in the spellings of both forms; they differ for bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultValue {
    /// As JSON payloads print it.
    pub json: Value,
    /// As Avro schemas print it.
    pub avro: Value,
}

impl DefaultValue {
    /// Creates a default that both forms spell alike.
    pub fn plain(value: impl Into<Value>) -> Self {
        let json = value.into();
        DefaultValue { avro: json.clone(), json }
    }
}

impl Schema {
    /// Creates a required schema without a name.
    pub fn new(kind: Kind) -> Self {
        Schema { kind, is_optional: false, name: None, version: None, doc: None, parameters: Vec::new(), default: None }
    }

    /// Creates a required struct with a name.
    pub fn record(name: impl Into<String>, fields: Vec<Field>) -> Self {
        Schema { name: Some(name.into()), ..Schema::new(Kind::Struct(fields)) }
    }

    /// Names the logical type, version 1.
    #[must_use]
    pub fn logical(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self.version = Some(1);
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl ToString) -> Self {
        self.parameters.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets the default.
    #[must_use]
    pub fn default_value(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }

    /// Allows null.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Returns a field of this schema.
    pub fn field(self, name: impl Into<String>) -> Field {
        Field { name: name.into(), schema: self }
    }
}
