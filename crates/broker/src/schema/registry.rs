//! The versions of one topic's schema.
//!
//! Stored form: one JSON document per topic in the metadata store, definitions in base64.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::compatibility::{Incompatible, Strategy, check};

/// Versions that one topic may have; a client that invents schemas in a loop is stopped here.
const MAX_VERSIONS: usize = 10_000;

/// `Schema.Type` of PulsarApi.proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchemaKind(pub i32);

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
    /// No schema, or plain bytes.
    pub const NONE: Self = Self(0);
    /// JSON with an Avro definition.
    pub const JSON: Self = Self(2);
    /// Protobuf with an Avro definition.
    pub const PROTOBUF: Self = Self(3);
    /// Avro.
    pub const AVRO: Self = Self(4);
    /// A key schema and a value schema.
    pub const KEY_VALUE: Self = Self(15);
    /// The consumer takes whatever schema the topic has.
    pub const AUTO_CONSUME: Self = Self(21);

    /// Gives the name that the admin REST uses.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(n, _)| *n == self.0).map_or("UNKNOWN", |(_, name)| name)
    }

    /// Reads the name that the admin REST uses.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, n)| *n == name).map(|(n, _)| Self(*n))
    }

    /// Tells whether a client that gives this type registers anything.
    pub fn is_registered(self) -> bool {
        self.0 > 0 && self != Self::AUTO_CONSUME
    }
}

/// A schema as a client gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaInfo {
    /// Name; without meaning for the broker.
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
    /// Splits a KeyValue schema: i32 length and definition of the key, then of the value; their types and properties
    /// are properties of the whole (`key.schema.type` …).
    pub fn key_value(&self) -> Option<(SchemaInfo, SchemaInfo)> {
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

    /// Tells whether both describe the same data: type, definition and, for KeyValue, the halves' types.
    fn is_same(&self, other: &SchemaInfo) -> bool {
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

/// One registered version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaVersion {
    /// Counted from 0.
    pub version: u64,
    /// When it was registered (ms since the epoch).
    pub timestamp_ms: u64,
    /// The schema itself.
    pub info: SchemaInfo,
}

/// All versions of one topic, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaHistory {
    versions: Vec<SchemaVersion>,
    next: u64,
}

/// Result of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// It was known.
    Known(u64),
    /// It was added; the history must be stored before the version is told to anyone.
    Added(u64),
}

/// Why a registration failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The strategy forbids the change.
    #[error("incompatible schema: {0}")]
    Incompatible(#[from] Incompatible),
    /// The definition is malformed.
    #[error("invalid schema: {0}")]
    Invalid(String),
    /// There are too many versions.
    #[error("the topic has {MAX_VERSIONS} schema versions; delete its schema first")]
    TooMany,
}

impl SchemaHistory {
    /// Gives all versions.
    pub fn versions(&self) -> &[SchemaVersion] {
        &self.versions
    }

    /// Gives one version.
    pub fn get(&self, version: u64) -> Option<&SchemaVersion> {
        self.versions.iter().find(|v| v.version == version)
    }

    /// Gives the latest version.
    pub fn latest(&self) -> Option<&SchemaVersion> {
        self.versions.last()
    }

    /// Tells whether there is no schema.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Finds the version of an identical schema.
    pub fn find(&self, info: &SchemaInfo) -> Option<u64> {
        self.versions.iter().rev().find(|v| v.info.is_same(info)).map(|v| v.version)
    }

    /// Sets the least number of the next version; returns whether that changed anything. A number that a client invented, far
    /// from those that were given, is left alone.
    pub fn reserve(&mut self, count: u64) -> bool {
        let is_new = count > self.next && count - self.next <= MAX_VERSIONS as u64;
        if is_new {
            self.next = count;
        }
        is_new
    }

    /// Checks without registering.
    ///
    /// # Errors
    /// The strategy forbids the change.
    pub fn check(&self, info: &SchemaInfo, strategy: Strategy) -> Result<(), Incompatible> {
        if self.find(info).is_some() {
            return Ok(());
        }
        let earlier: Vec<&SchemaInfo> = self.versions.iter().map(|v| &v.info).collect();
        check(strategy, info, &earlier)
    }

    /// Finds or adds a schema.
    ///
    /// # Errors
    /// It is malformed or the strategy forbids it.
    pub fn register(
        &mut self,
        info: &SchemaInfo,
        strategy: Strategy,
        now_ms: u64,
    ) -> Result<Registration, RegistryError> {
        if let Some(version) = self.find(info) {
            return Ok(Registration::Known(version));
        }
        if matches!(info.kind, SchemaKind::AVRO | SchemaKind::JSON | SchemaKind::PROTOBUF) {
            super::AvroSchema::parse(&info.data).map_err(|e| RegistryError::Invalid(e.to_string()))?;
        }
        self.check(info, strategy)?;
        if self.versions.len() >= MAX_VERSIONS {
            return Err(RegistryError::TooMany);
        }
        let version = self.next;
        self.next += 1;
        self.versions.push(SchemaVersion { version, timestamp_ms: now_ms, info: info.clone() });
        Ok(Registration::Added(version))
    }

    /// Deletes all versions; numbers are not used again.
    pub fn clear(&mut self) {
        self.versions.clear();
    }
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    // A length of −1 stands for "no definition".
    let length = usize::try_from(i32::from_be_bytes(*length).max(0)).ok()?;
    rest.split_at_checked(length)
}

mod base64_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Engine, STANDARD};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    fn json(fields: &str) -> Vec<u8> {
        format!(r#"{{"type":"record","name":"Value","fields":[{fields}]}}"#).into_bytes()
    }

    fn key_value(key: &[u8], value: &[u8]) -> SchemaInfo {
        let mut data = Vec::new();
        for half in [key, value] {
            data.extend_from_slice(&i32::try_from(half.len()).unwrap().to_be_bytes());
            data.extend_from_slice(half);
        }
        let property = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        SchemaInfo {
            name: "kv".to_owned(),
            kind: SchemaKind::KEY_VALUE,
            data,
            properties: vec![property("key.schema.type", "JSON"), property("value.schema.type", "JSON")],
        }
    }

    const ID: &str = r#"{"name":"id","type":"int"}"#;

    #[test]
    fn an_altered_table_gets_the_next_version_under_full() {
        let mut history = SchemaHistory::default();
        let first = key_value(&json(ID), &json(ID));
        assert_eq!(history.register(&first, Strategy::Full, 1), Ok(Registration::Added(0)));
        assert_eq!(history.register(&first, Strategy::Full, 2), Ok(Registration::Known(0)));
        let nullable = json(&format!(r#"{ID},{{"name":"note","type":["null","string"],"default":null}}"#));
        let altered = key_value(&json(ID), &nullable);
        assert_eq!(history.register(&altered, Strategy::Full, 3), Ok(Registration::Added(1)));
        let required = key_value(&json(ID), &json(&format!(r#"{ID},{{"name":"other","type":"string"}}"#)));
        let error = history.register(&required, Strategy::Full, 4).unwrap_err().to_string();
        assert!(error.contains("value:") && error.contains("other"), "{error}");
        assert_eq!(history.register(&required, Strategy::AlwaysCompatible, 4), Ok(Registration::Added(2)));
    }

    /// A consumer that knew one field of a wider record was refused under FULL: the record in the topic, which no longer
    /// has to read anything of it, lacked defaults for the other fields.
    #[test]
    fn a_consumer_may_know_less_than_the_topic_but_not_need_more() {
        let record = |fields: &str| SchemaInfo { kind: SchemaKind::AVRO, data: json(fields), ..key_value(b"", b"") };
        let mut history = SchemaHistory::default();
        let wide = format!(r#"{ID},{{"name":"note","type":["null","string"]}}"#);
        history.register(&record(&wide), Strategy::Full, 1).unwrap();
        assert!(history.check(&record(ID), Strategy::Full).is_err(), "a producer is refused");
        let more = record(&format!(r#"{wide},{{"name":"more","type":"string"}}"#));
        for strategy in [Strategy::Full, Strategy::Backward, Strategy::Forward, Strategy::ForwardTransitive] {
            assert_eq!(history.check(&record(ID), strategy.of_consumers()), Ok(()), "{strategy:?}");
            assert!(history.check(&more, strategy.of_consumers()).is_err(), "{strategy:?}");
        }
        assert!(history.check(&record(ID), Strategy::FullTransitive.of_consumers()).is_err());
    }

    #[test]
    fn deleted_numbers_do_not_come_back() {
        let mut history = SchemaHistory::default();
        let info = key_value(&json(ID), &json(ID));
        history.register(&info, Strategy::Full, 1).unwrap();
        history.clear();
        assert_eq!(history.register(&info, Strategy::Full, 1), Ok(Registration::Added(1)));
    }

    #[test]
    fn the_stored_form_reads_back() {
        let mut history = SchemaHistory::default();
        history.register(&key_value(&json(ID), &json(ID)), Strategy::Full, 1).unwrap();
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<SchemaHistory>(&text).unwrap(), history);
    }

    #[test]
    fn a_malformed_key_value_is_not_split() {
        let mut info = key_value(b"", b"");
        info.data.push(0);
        assert_eq!(info.key_value(), None);
        info.data = vec![0x7f, 0xff, 0xff, 0xff, 1];
        assert_eq!(info.key_value(), None);
    }
}
