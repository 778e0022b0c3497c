//! A recording of Debezium: its records in their order.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use bitacora_change::Connector;
use serde_json::value::RawValue;

/// Records of each topic.
pub(crate) type Topics = BTreeMap<String, Vec<Record>>;

/// One record; the texts are as its JSON converter printed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
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
pub(crate) struct Run {
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
}

/// A file by its path from the workspace's folder on.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Reads a gzip file.
pub(crate) fn gunzip(path: &str) -> Vec<u8> {
    let path = file(path);
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut plain).unwrap();
    plain
}

/// Reads the records of a run.
pub(crate) fn recording(run: &Run) -> Topics {
    let path = format!("tests/golden/debezium/{}-{}.jsonl.gz", run.server, run.form);
    let text = String::from_utf8(gunzip(&path)).unwrap();
    let mut topics = Topics::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        let headers = line.headers.iter().map(|(name, value)| (name.clone(), value.get().to_owned())).collect();
        let record = Record { key: line.key.get().to_owned(), value: line.value.get().to_owned(), headers };
        topics.entry(line.topic).or_default().push(record);
    }
    topics
}
