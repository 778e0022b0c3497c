//! How the rows of an outbox table become messages.

use super::expand::Expansion;
use super::template::Template;
use super::topic::TopicRule;
use crate::avro::AvroSchema;

/// Which tables are outboxes, and how their rows become messages.
#[derive(Debug, Clone)]
pub struct OutboxRule {
    /// Which tables.
    pub tables: OutboxTables,
    /// How.
    pub options: OutboxOptions,
}

/// Which tables are outboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxTables {
    /// Every captured table, as for a transform without a predicate.
    All,
    /// The table `database.table`.
    Named(String),
}

impl OutboxRule {
    /// Returns whether a table is one of them.
    pub fn covers(&self, database: &str, table: &str) -> bool {
        match &self.tables {
            OutboxTables::All => true,
            OutboxTables::Named(name) => name.split_once('.') == Some((database, table)),
        }
    }
}

/// How the rows of an outbox table become messages. Columns are given by name.
#[derive(Debug, Clone)]
pub struct OutboxOptions {
    /// Column of the message's id, which becomes the property `id` (`table.field.event.id`).
    pub id: String,
    /// Column of the message's key (`table.field.event.key`).
    pub key: String,
    /// Column of the payload (`table.field.event.payload`).
    pub payload: String,
    /// Column of the event's time; without it the time at which the row is read (`table.field.event.timestamp`).
    pub time: Option<String>,
    /// Further columns that the message carries (`table.fields.additional.placement`).
    pub placements: Vec<Placement>,
    /// What a column in `placements` that the table lacks means (`table.field.additional.missing`).
    pub additional_missing: AdditionalMissing,
    /// What an updated row means (`table.op.invalid.behavior`).
    pub updates: Updates,
    /// Where the message goes.
    pub topic: TopicRule,
    /// What its value is.
    pub value: Payload,
    /// Whether a NULL or blank payload is a message without value (`route.tombstone.on.empty.payload`).
    pub tombstone_on_empty: bool,
    /// What becomes of a row that cannot be its message.
    pub dead_letters: DeadLetters,
}

impl Default for OutboxOptions {
    /// Debezium's event router with its default options.
    fn default() -> Self {
        OutboxOptions {
            id: "id".to_owned(),
            key: "aggregateid".to_owned(),
            payload: "payload".to_owned(),
            time: None,
            placements: Vec::new(),
            additional_missing: AdditionalMissing::default(),
            updates: Updates::default(),
            topic: TopicRule::default(),
            value: Payload::Connect,
            tombstone_on_empty: false,
            dead_letters: DeadLetters::default(),
        }
    }
}

/// A column that a message carries besides key and payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Column.
    pub column: String,
    /// Where it is put.
    pub place: Place,
    /// Its name there.
    pub alias: String,
}

/// Where a further column is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A property of the message; left out when NULL.
    Header,
    /// A member of the value beside `payload`.
    Envelope,
}

/// What a further column that the table lacks means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdditionalMissing {
    /// The configuration is wrong.
    #[default]
    Error,
    /// The messages do without it.
    Ignore,
}

/// What an updated row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Updates {
    /// Nothing; a warning says so.
    #[default]
    Warn,
    /// Nothing; an error in the log says so.
    Error,
    /// The source stops.
    Fatal,
}

/// What becomes of a row that cannot be its message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeadLetters {
    /// The source stops.
    #[default]
    Stop,
    /// The row is sent to a topic with the reason.
    Send {
        /// The topic; `None` is the table's own topic with `.dead-letter` behind it.
        topic: Option<String>,
    },
}

/// What the value of a message is.
#[derive(Debug, Clone)]
pub enum Payload {
    /// As the router under Kafka Connect's JSON converter prints it: a text payload is a JSON string.
    Connect,
    /// The same with text payloads that hold an object or array expanded (`table.expand.json.payload`).
    Expanded(Expansion),
    /// The payload as it is, registered as a string.
    Text,
    /// The payload as it is, which must be JSON.
    Json,
    /// A record of a registered schema.
    Record(Box<RecordMapping>),
}

/// A record of a registered schema, and where its fields come from.
#[derive(Debug, Clone)]
pub struct RecordMapping {
    /// How it is written.
    pub format: RecordFormat,
    /// Its schema.
    pub schema: AvroSchema,
    /// Values by the dotted path of their field; empty if the payload is the whole record.
    pub fields: Vec<(String, Template)>,
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// Avro's binary encoding, under a Pulsar schema of type AVRO.
    Avro,
    /// JSON that fits the schema, under a Pulsar schema of type JSON.
    Json,
}
