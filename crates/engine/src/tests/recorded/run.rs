//! The recorded log through the engine: the series of statements of the snapshot, then the stream from the snapshot's
//! position.

use std::sync::Arc;

use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::pipeline::core::{Core, Statements};
use crate::pipeline::snapshot::SnapshotWriter;
use crate::sink::{Lane, Opened, OutgoingMessage, Sink, TopicId};
use bitacora_binlog::{ChecksumAlgorithm, EventType};
use bitacora_change::{MessageSchema, NullWithDefault, ValueFormat};
use bitacora_source::Position;
use bitacora_source::ddl::{Catalog, CharsetChoice, RecordForm, SnapshotDatabase, snapshot_records};
use bitacora_testkit::recorded_log::{self, with_less_metadata};
use serde_json::Value;

use super::super::setup::{core_options, is_change_as_text, rules};
use super::recording::{Record, Run, Topics};

/// Keeps every message.
#[derive(Debug)]
struct Kept {
    format: ValueFormat,
    names: Vec<String>,
    topics: Topics,
}

impl Sink for Kept {
    fn open(&mut self, _lane: Lane, topic: &str, _schema: &MessageSchema) -> Result<Opened, EngineError> {
        let index = self.names.iter().position(|name| name == topic).unwrap_or_else(|| {
            self.names.push(topic.to_owned());
            self.names.len() - 1
        });
        Ok(Opened { topic: TopicId(u32::try_from(index).unwrap()), last_sequence_id: None })
    }

    fn append(&mut self, topic: TopicId, message: OutgoingMessage<'_>) -> Result<(), EngineError> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let or_null = |bytes: Option<&[u8]>| bytes.map_or("null".to_owned(), text);
        let (key, value) = match (self.format, message.value) {
            (ValueFormat::JsonWithEnvelope, Some(value)) => halves(value),
            // A tombstone has only the Base64 of its key, which the message before it has too.
            (ValueFormat::JsonWithEnvelope, None) => {
                let before = self.topics[&self.names[topic.0 as usize]].last().unwrap();
                (before.key.clone(), "null".to_owned())
            }
            (ValueFormat::Json, value) => (or_null(message.key), or_null(value)),
        };
        let record = Record { key, value, headers: message.properties.to_vec() };
        self.topics.entry(self.names[topic.0 as usize].clone()).or_default().push(record);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn oldest_pending(&mut self) -> Result<Option<u64>, EngineError> {
        Ok(None)
    }

    fn close(&mut self, _topic: TopicId) -> Result<(), EngineError> {
        Ok(())
    }

    fn finish(&mut self, _lane: Lane) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Key and value of an INLINE message, each behind its length.
fn halves(message: &[u8]) -> (String, String) {
    let half = |bytes: &[u8]| -> (String, usize) {
        let length = i32::from_be_bytes(bytes[..4].try_into().unwrap());
        let end = 4 + usize::try_from(length).unwrap_or(0);
        let text = if length < 0 { "null".to_owned() } else { String::from_utf8(bytes[4..end].to_vec()).unwrap() };
        (text, end)
    };
    let (key, end) = half(message);
    let (value, length) = half(&message[end..]);
    assert_eq!(end + length, message.len());
    (key, value)
}

/// What the server said of its databases and tables at the recorded snapshot: the texts of the recording's statements.
struct Said {
    server: CharsetChoice,
    databases: Vec<SnapshotDatabase>,
    position: u64,
}

fn said(recorded: &Topics) -> Said {
    let mut said = Said { server: CharsetChoice::default(), databases: Vec::new(), position: 0 };
    for record in &recorded["srv"] {
        let value: Value = serde_json::from_str(&record.value).unwrap();
        let value = value.get("payload").unwrap_or(&value);
        if value["source"]["snapshot"] != "true" {
            continue;
        }
        said.position = value["source"]["pos"].as_u64().unwrap();
        let ddl = value["ddl"].as_str().unwrap();
        let word = |before: &str| {
            let (_, rest) = ddl.split_once(before).unwrap();
            Some(rest.split([',', ' ']).next().unwrap().to_owned())
        };
        if ddl.starts_with("SET ") {
            said.server =
                CharsetChoice { charset: word("character_set_server="), collation: word("collation_server=") };
        } else if ddl.starts_with("CREATE DATABASE ") {
            let charset = CharsetChoice { charset: word(" CHARSET "), collation: word(" COLLATE ") };
            let name = value["databaseName"].as_str().unwrap().to_owned();
            said.databases.push(SnapshotDatabase { name, charset, tables: Vec::new() });
        } else if ddl.starts_with("CREATE TABLE ") {
            let table = value["source"]["table"].as_str().unwrap().to_owned();
            said.databases.last_mut().unwrap().tables.push((table, ddl.to_owned()));
        }
    }
    said
}

/// Runs the log from the recorded snapshot's position.
pub(super) fn run(run: &Run, format: ValueFormat, recorded: &Topics) -> Topics {
    let mut rows = rules(run.connector);
    rows.plan.value_format = format;
    rows.plan.null_with_default = NullWithDefault::Replace;
    let metrics = Arc::new(SourceMetrics::default());
    let sink = Kept { format, names: Vec::new(), topics: Topics::new() };
    let said = said(recorded);
    let position = Position::at("binlog.000001", said.position);
    let mut catalog = Catalog::new(said.server.clone());
    let statements = snapshot_records(&mut catalog, &said.server, &said.databases, RecordForm::V3_6);
    // What a checkpoint holds is the same catalog.
    let stored = serde_json::to_string(&catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&stored).unwrap(), catalog);
    let mut writer = SnapshotWriter::new(rows.clone(), sink, Arc::clone(&metrics), Vec::new(), position.clone(), 1);
    writer.write_statements(&statements, 7_000_000).unwrap();
    let options = core_options(run.server, rows, Statements::Omit);
    let mut core = Core::new(options, writer.finish().unwrap(), metrics, position, 1_000_000, Arc::new(catalog));
    core.set_checksum(ChecksumAlgorithm::None);
    for event in events(&run.log, said.position) {
        let event = match run.metadata {
            Some(kept) if event[4] == EventType::TABLE_MAP.0 => with_less_metadata(&event, kept),
            _ => event,
        };
        core.on_event(&event, 7_000_000).unwrap_or_else(|error| panic!("{error}"));
    }
    std::mem::take(&mut core.sink().topics)
}

/// The format description, as a server sends it first, and the events from a position on.
fn events(path: &str, from: u64) -> Vec<Vec<u8>> {
    let log = recorded_log::unpacked(path);
    let of_run = recorded_log::events(&log).filter(|(at, event)| {
        let is_sent = event[4] == EventType::FORMAT_DESCRIPTION.0 || *at as u64 >= from;
        is_sent && !is_change_as_text(event)
    });
    of_run.map(|(_, event)| event.to_vec()).collect()
}
