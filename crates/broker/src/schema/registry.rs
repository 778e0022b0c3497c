//! The versions of one topic's schema.
//!
//! Stored form: one JSON document per topic in the metadata store, definitions in base64.

use serde::{Deserialize, Serialize};

use super::{
    avro::AvroSchema,
    compatibility::{Incompatible, Strategy, check},
    info::{SchemaInfo, SchemaKind},
};

/// Most versions of one topic. The bound stops a client that invents schemas in a loop.
const MAX_VERSIONS: usize = 10_000;

/// One registered version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SchemaVersion {
    /// Counted from 0.
    pub version: u64,
    /// Time of the registration (ms since the epoch).
    pub timestamp_ms: u64,
    /// The schema itself.
    pub info: SchemaInfo,
}

/// All versions of one topic, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SchemaHistory {
    versions: Vec<SchemaVersion>,
    next: u64,
}

/// Result of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registration {
    /// The schema was registered before.
    Known(u64),
    /// The schema was added. The history must be stored before a client learns the version.
    Added(u64),
}

/// Why a registration failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RegistryError {
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
    /// Returns all versions.
    pub(crate) fn versions(&self) -> &[SchemaVersion] {
        &self.versions
    }

    /// Returns one version.
    pub(crate) fn get(&self, version: u64) -> Option<&SchemaVersion> {
        self.versions.iter().find(|v| v.version == version)
    }

    /// Returns the latest version.
    pub(crate) fn latest(&self) -> Option<&SchemaVersion> {
        self.versions.last()
    }

    /// Returns whether the topic has no schema.
    pub(crate) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Returns the version of the same schema, if it is registered.
    pub(crate) fn find(&self, info: &SchemaInfo) -> Option<u64> {
        self.versions.iter().rev().find(|v| v.info.is_same(info)).map(|v| v.version)
    }

    /// Sets the lowest number of the next version, and returns whether that changed anything. A number far above the
    /// known versions is ignored, because a client may have invented it.
    pub(crate) fn reserve(&mut self, count: u64) -> bool {
        let is_new = count > self.next && count - self.next <= MAX_VERSIONS as u64;
        if is_new {
            self.next = count;
        }
        is_new
    }

    /// Checks a schema without registering it.
    ///
    /// # Errors
    /// The strategy forbids the change.
    pub(crate) fn check(&self, info: &SchemaInfo, strategy: Strategy) -> Result<(), Incompatible> {
        if self.find(info).is_some() {
            return Ok(());
        }
        let earlier: Vec<&SchemaInfo> = self.versions.iter().map(|v| &v.info).collect();
        check(strategy, info, &earlier)
    }

    /// Finds or adds a schema.
    ///
    /// # Errors
    /// The schema is malformed, or the strategy forbids it.
    pub(crate) fn register(
        &mut self,
        info: &SchemaInfo,
        strategy: Strategy,
        now_ms: u64,
    ) -> Result<Registration, RegistryError> {
        if let Some(version) = self.find(info) {
            return Ok(Registration::Known(version));
        }
        if matches!(info.kind, SchemaKind::AVRO | SchemaKind::JSON | SchemaKind::PROTOBUF) {
            AvroSchema::parse(&info.data).map_err(|e| RegistryError::Invalid(e.to_string()))?;
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

    /// Deletes all versions. Their numbers are not used again.
    pub(crate) fn clear(&mut self) {
        self.versions.clear();
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

    /// Under FULL the broker once refused a consumer that knew only one field of a wider record, because the topic's
    /// record lacked defaults for the other fields. But that record need not read the consumer's data.
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
