//! One schema: its type, definition and properties.

use base64::{Engine, engine::general_purpose::STANDARD};
use bitacora_pulsar_wire::proto::Schema;
use serde::{Deserialize, Serialize};

/// `Schema.Type` of PulsarApi.proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SchemaKind(pub i32);

const NAMES: [(i32, &str); 24] = [
    (0, "NONE"),
    (1, "STRING"),
    (2, "JSON"),
    (3, "PROTOBUF"),
    (4, "AVRO"),
    (5, "BOOLEAN"),
    (6, "INT8"),
    (7, "INT16"),
    (8, "INT32"),
    (9, "INT64"),
    (10, "FLOAT"),
    (11, "DOUBLE"),
    (12, "DATE"),
    (13, "TIME"),
    (14, "TIMESTAMP"),
    (15, "KEY_VALUE"),
    (16, "INSTANT"),
    (17, "LOCAL_DATE"),
    (18, "LOCAL_TIME"),
    (19, "LOCAL_DATE_TIME"),
    (20, "PROTOBUF_NATIVE"),
    (21, "AUTO_CONSUME"),
    (-1, "BYTES"),
    (-4, "AUTO_PUBLISH"),
];

impl SchemaKind {
    /// No schema: the messages are plain bytes.
    pub(crate) const NONE: Self = Self(0);
    /// JSON with an Avro definition.
    pub(crate) const JSON: Self = Self(2);
    /// Protobuf with an Avro definition.
    pub(crate) const PROTOBUF: Self = Self(3);
    /// Avro.
    pub(crate) const AVRO: Self = Self(4);
    /// A key schema and a value schema.
    pub(crate) const KEY_VALUE: Self = Self(15);
    /// The consumer accepts every schema that the topic has.
    pub(crate) const AUTO_CONSUME: Self = Self(21);

    /// Returns the name that the admin REST uses.
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(n, _)| *n == self.0).map_or("UNKNOWN", |(_, name)| name)
    }

    /// Returns the type of a name that the admin REST uses.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, n)| *n == name).map(|(n, _)| Self(*n))
    }

    /// Returns whether a client that names this type registers a schema.
    pub(crate) fn is_registered(self) -> bool {
        self.0 > 0 && self != Self::AUTO_CONSUME
    }
}

/// A schema as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SchemaInfo {
    /// Name; the broker does not use it.
    pub name: String,
    /// Type.
    pub kind: SchemaKind,
    /// Definition.
    #[serde(with = "base64_bytes")]
    pub data: Vec<u8>,
    /// Properties in the client's order.
    pub properties: Vec<(String, String)>,
}

impl SchemaInfo {
    /// Creates a schema from the protocol's message.
    pub(crate) fn from_wire(schema: &Schema) -> Self {
        Self {
            name: schema.name.clone(),
            kind: SchemaKind(schema.schema_type),
            data: schema.schema_data.to_vec(),
            properties: schema.properties.iter().map(|kv| (kv.key.clone(), kv.value.clone())).collect(),
        }
    }

    /// Splits a KeyValue schema into the schemas of key and value. The definition has the length (i32) and the
    /// definition of the key, then those of the value. Their types and properties are properties of the whole schema
    /// (`key.schema.type` …).
    pub(crate) fn key_value(&self) -> Option<(SchemaInfo, SchemaInfo)> {
        let (key, rest) = take(&self.data)?;
        let (value, rest) = take(rest)?;
        rest.is_empty().then(|| (self.half("key", key), self.half("value", value)))
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    fn half(&self, part: &str, data: &[u8]) -> SchemaInfo {
        let kind = self.property(&format!("{part}.schema.type")).and_then(SchemaKind::parse);
        SchemaInfo {
            name: self.property(&format!("{part}.schema.name")).unwrap_or_default().to_owned(),
            kind: kind.unwrap_or(SchemaKind::NONE),
            data: data.to_vec(),
            properties: Vec::new(),
        }
    }

    /// Returns whether two schemas have the same type, definition and, for KeyValue, types of key and value.
    pub(super) fn is_same(&self, other: &SchemaInfo) -> bool {
        let text = |info: &SchemaInfo| serde_json::from_slice::<serde_json::Value>(&info.data).ok();
        let structured = matches!(self.kind, SchemaKind::AVRO | SchemaKind::JSON | SchemaKind::PROTOBUF);
        let data = self.data == other.data || (structured && text(self).is_some() && text(self) == text(other));
        self.kind == other.kind
            && data
            && (self.kind != SchemaKind::KEY_VALUE
                || ["key.schema.type", "value.schema.type", "kv.encoding.type"]
                    .iter()
                    .all(|name| self.property(name) == other.property(name)))
    }
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    // A length of −1 means that there is no definition.
    let length = usize::try_from(i32::from_be_bytes(*length).max(0)).ok()?;
    rest.split_at_checked(length)
}

mod base64_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Engine, STANDARD};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
