//! The rule of one outbox, while its options are applied.

use std::io::Read;
use std::path::{Path, PathBuf};

use bitacora_change::avro::AvroSchema;
use bitacora_change::outbox::{
    AdditionalMissing, DeadLetters, Expansion, OutboxOptions, OutboxRule, OutboxTables, Payload, Place, Placement,
    RecordFormat, RecordMapping, Template, TopicPattern, TopicRule, Updates,
};

use super::source_config::FileKind;

/// Longest file that is read as a schema definition.
const SCHEMA_BYTES_MAX: u64 = 1024 * 1024;

/// Form of a message's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// As the event router prints it.
    #[default]
    Connect,
    /// The payload as text.
    Text,
    /// The payload as JSON, or a record of a schema in JSON.
    Json,
    /// A record of a schema in Avro.
    Avro,
}

/// Collects the options of an outbox.
#[derive(Debug, Default)]
pub(super) struct OutboxDraft {
    pub(super) table: Option<String>,
    pub(super) id: String,
    pub(super) key: String,
    pub(super) payload: String,
    pub(super) time: Option<String>,
    /// `column` or `column:name`.
    pub(super) headers: Vec<String>,
    /// `column:place` or `column:place:name`.
    pub(super) placements: Vec<String>,
    pub(super) additional_missing: AdditionalMissing,
    pub(super) updates: Updates,
    pub(super) topic: Option<String>,
    pub(super) route_field: String,
    pub(super) route_regex: String,
    pub(super) route_replacement: String,
    pub(super) format: Format,
    pub(super) schema: Option<String>,
    pub(super) schema_file: Option<PathBuf>,
    pub(super) fields: Vec<(String, String)>,
    pub(super) expand: bool,
    pub(super) expansion: Expansion,
    pub(super) tombstone_on_empty: bool,
    pub(super) sends_dead_letters: bool,
    pub(super) dead_letter_topic: Option<String>,
}

impl OutboxDraft {
    /// Returns the rule; the error is one sentence.
    pub(super) fn finish(self, kind: FileKind) -> Result<OutboxRule, String> {
        let tables = match (&self.table, kind) {
            (Some(name), _) => OutboxTables::Named(name.clone()),
            (None, FileKind::PulsarIo) => OutboxTables::All,
            (None, _) => return Err("table is missing; add it, as database.table".to_owned()),
        };
        let placements = self.placements()?;
        let value = self.value()?;
        let is_connect = matches!(value, Payload::Connect | Payload::Expanded(_));
        if !is_connect && placements.iter().any(|placement| placement.place == Place::Envelope) {
            return Err(
                "columns are placed in the envelope only with the format connect; place them as headers".to_owned()
            );
        }
        if self.expand && !is_connect {
            return Err(
                "table.expand.json.payload belongs to the format connect; the format json sends documents as they are"
                    .to_owned(),
            );
        }
        let topic = match &self.topic {
            Some(text) => TopicRule::Template(Template::parse(text)?),
            None => TopicRule::Field {
                pattern: TopicPattern::new(&self.route_regex, &self.route_replacement)?,
                column: self.route_field,
            },
        };
        let dead_letters = match (self.sends_dead_letters, self.dead_letter_topic) {
            (true, topic) => DeadLetters::Send { topic },
            (false, None) => DeadLetters::Stop,
            (false, Some(_)) => {
                return Err(
                    "dead_letter_topic has an effect only if on_error is dead_letter; set that, or remove the topic"
                        .to_owned(),
                );
            }
        };
        let options = OutboxOptions {
            id: self.id,
            key: self.key,
            payload: self.payload,
            time: self.time,
            placements,
            additional_missing: self.additional_missing,
            updates: self.updates,
            topic,
            value,
            tombstone_on_empty: self.tombstone_on_empty,
            dead_letters,
        };
        Ok(OutboxRule { tables, options })
    }

    fn placements(&self) -> Result<Vec<Placement>, String> {
        let mut placements = Vec::new();
        for text in &self.headers {
            let (column, alias) = text.split_once(':').unwrap_or((text, text));
            placements.push(Placement { column: column.to_owned(), place: Place::Header, alias: alias.to_owned() });
        }
        for text in &self.placements {
            let mut parts = text.splitn(3, ':').map(str::trim);
            let (column, place, alias) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            let place = match place {
                Some("header") => Place::Header,
                Some("envelope") => Place::Envelope,
                Some("partition") => {
                    return Err(format!(
                        "{text:?} places a column as the partition, but topics with partitions are not supported; \
                        remove it"
                    ));
                }
                _ => {
                    return Err(format!(
                        "{text:?} is not a placement; write column:header or column:envelope, with :name behind it if \
                        wanted"
                    ));
                }
            };
            let alias = alias.unwrap_or(column).to_owned();
            placements.push(Placement { column: column.to_owned(), place, alias });
        }
        if placements.iter().any(|placement| placement.column.is_empty() || placement.alias.is_empty()) {
            return Err("a further column or its new name is empty; write column:name".to_owned());
        }
        Ok(placements)
    }

    fn value(&self) -> Result<Payload, String> {
        let schema = match (&self.schema, &self.schema_file) {
            (Some(_), Some(_)) => return Err("schema and schema_file exclude each other; remove one".to_owned()),
            (Some(text), None) => Some(parse_schema(text)?),
            (None, Some(path)) => Some(parse_schema(&read_schema(path)?)?),
            (None, None) => None,
        };
        let record = |format, schema| -> Result<Payload, String> {
            let fields: Result<Vec<_>, String> = self
                .fields
                .iter()
                .map(|(path, text)| {
                    Ok((path.clone(), Template::parse(text).map_err(|reason| format!("field {path}: {reason}"))?))
                })
                .collect();
            Ok(Payload::Record(Box::new(RecordMapping { format, schema, fields: fields? })))
        };
        match (self.format, schema) {
            (Format::Avro, Some(schema)) => record(RecordFormat::Avro, schema),
            (Format::Json, Some(schema)) => record(RecordFormat::Json, schema),
            (Format::Avro, None) => Err("the format avro needs a schema; add schema or schema_file".to_owned()),
            (Format::Connect | Format::Text, Some(_)) => {
                Err("a schema belongs to the formats avro and json; set one of them, or remove the schema".to_owned())
            }
            (_, None) if !self.fields.is_empty() => {
                Err("fields make a record, which needs a schema; add schema or schema_file".to_owned())
            }
            (Format::Json, None) => Ok(Payload::Json),
            (Format::Text, None) => Ok(Payload::Text),
            (Format::Connect, None) if self.expand => Ok(Payload::Expanded(self.expansion)),
            (Format::Connect, None) => Ok(Payload::Connect),
        }
    }
}

fn parse_schema(text: &str) -> Result<AvroSchema, String> {
    AvroSchema::parse(text).map_err(|error| format!("{error}; write an Avro definition"))
}

fn read_schema(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| {
        format!("the schema file {} cannot be read ({error}); check path and permissions", path.display())
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(SCHEMA_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > SCHEMA_BYTES_MAX {
        return Err(format!(
            "the schema file {} is longer than {SCHEMA_BYTES_MAX} bytes; name another file",
            path.display()
        ));
    }
    Ok(text)
}
