//! What a sink registers for a topic: a schema of type KeyValue with its two halves, or that of a value alone.

/// How key and value of a message are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyValueEncoding {
    /// The key in the message's key (Base64, flagged), the value in its payload.
    Separated,
    /// Both in the payload, each behind its length; the message's key is the Base64 text of the key, not flagged.
    Inline,
}

/// Type of one half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaPartKind {
    /// Any bytes.
    Bytes,
    /// JSON, described by an Avro definition.
    Json,
}

/// One half of a KeyValue schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaPart {
    /// Type.
    pub kind: SchemaPartKind,
    /// Avro definition; empty for bytes.
    pub definition: String,
}

/// The schema of a topic's messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageSchema {
    /// Key and value each have one, as Debezium's events do.
    KeyValue(KeyValueSchema),
    /// Only the value has one; the key is text.
    Value(ValueSchema),
}

/// Type of a value that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueSchemaKind {
    /// Any bytes: nothing is registered.
    Bytes,
    /// UTF-8 text.
    String,
    /// JSON, described by an Avro definition.
    Json,
    /// Avro's binary encoding.
    Avro,
}

/// The schema of a value that stands alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValueSchema {
    /// Type.
    pub kind: ValueSchemaKind,
    /// Name under which it is registered.
    pub name: String,
    /// Avro definition; empty for bytes and text.
    pub definition: String,
}

impl ValueSchema {
    /// Any bytes.
    pub fn bytes() -> Self {
        ValueSchema { kind: ValueSchemaKind::Bytes, name: "Bytes".to_owned(), definition: String::new() }
    }

    /// UTF-8 text.
    pub fn text() -> Self {
        ValueSchema { kind: ValueSchemaKind::String, name: "String".to_owned(), definition: String::new() }
    }
}

/// A schema of type KeyValue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyValueSchema {
    /// Where the key stands.
    pub encoding: KeyValueEncoding,
    /// The key.
    pub key: SchemaPart,
    /// The value.
    pub value: SchemaPart,
}

impl SchemaPart {
    /// Any bytes.
    pub fn bytes() -> Self {
        SchemaPart { kind: SchemaPartKind::Bytes, definition: String::new() }
    }

    /// JSON of that Avro definition.
    pub fn json(definition: String) -> Self {
        SchemaPart { kind: SchemaPartKind::Json, definition }
    }

    /// Returns the name of the schema, as the Pulsar connector gives it.
    pub fn name(&self) -> &'static str {
        match self.kind {
            SchemaPartKind::Bytes => "Bytes",
            SchemaPartKind::Json => "KafKaJson",
        }
    }

    /// Returns the name of the type.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            SchemaPartKind::Bytes => "BYTES",
            SchemaPartKind::Json => "JSON",
        }
    }

    /// Returns the properties of the half, as JSON text.
    pub fn properties(&self) -> &'static str {
        match self.kind {
            SchemaPartKind::Bytes => "{}",
            SchemaPartKind::Json => r#"{"__AVRO_READ_OFFSET__":"0"}"#,
        }
    }
}

impl KeyValueSchema {
    /// Returns the properties of the whole schema, as the Pulsar connector registers them and in its order.
    pub fn properties(&self) -> Vec<(&'static str, &'static str)> {
        let encoding = match self.encoding {
            KeyValueEncoding::Separated => "SEPARATED",
            KeyValueEncoding::Inline => "INLINE",
        };
        vec![
            ("key.schema.properties", self.key.properties()),
            ("value.schema.properties", self.value.properties()),
            ("value.schema.type", self.value.type_name()),
            ("key.schema.name", self.key.name()),
            ("value.schema.name", self.value.name()),
            ("kv.encoding.type", encoding),
            ("key.schema.type", self.key.type_name()),
        ]
    }

    /// Returns the data of the whole schema: each half behind its length (four bytes, big-endian).
    pub fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for part in [&self.key, &self.value] {
            let definition = part.definition.as_bytes();
            data.extend_from_slice(&u32::try_from(definition.len()).unwrap_or(u32::MAX).to_be_bytes());
            data.extend_from_slice(definition);
        }
        data
    }
}
