//! A recording of Debezium: its records in their order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bitacora_change::Connector;
use bitacora_testkit::recorded_log::{RowMetadata, unpacked};
use serde_json::value::RawValue;

/// Records of each topic.
pub(super) type Topics = BTreeMap<String, Vec<Record>>;

/// One record; the texts are as its JSON converter printed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub key: String,
    pub value: String,
    /// The headers of a changed key, name and value.
    pub headers: Vec<(String, String)>,
}

#[derive(serde::Deserialize)]
struct Line {
    topic: String,
    key: Box<RawValue>,
    value: Box<RawValue>,
    headers: BTreeMap<String, Box<RawValue>>,
}

/// A recorded run of Debezium.
pub(super) struct Run {
    /// The server.
    pub server: &'static str,
    /// Which of the server's recordings.
    pub form: &'static str,
    /// The connector.
    pub connector: Connector,
    /// The log, from the workspace's folder on.
    pub log: String,
    /// At least as many records are compared.
    pub least: usize,
    /// What the table maps have in place of FULL metadata; `None` if they are as recorded.
    pub metadata: Option<RowMetadata>,
}

/// A file by its path from the workspace's folder on.
pub(super) fn file(path: &str) -> PathBuf {
    bitacora_testkit::project_root().join(path)
}

/// Reads the records of a run.
pub(super) fn recording(run: &Run) -> Topics {
    let path = format!("tests/golden/debezium/{}-{}.jsonl.gz", run.server, run.form);
    let text = String::from_utf8(unpacked(&path)).unwrap();
    let mut topics = Topics::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        let headers = line.headers.iter().map(|(name, value)| (name.clone(), value.get().to_owned())).collect();
        let record = Record { key: line.key.get().to_owned(), value: line.value.get().to_owned(), headers };
        topics.entry(line.topic).or_default().push(record);
    }
    topics
}
