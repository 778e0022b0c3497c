//! What the value of a message is: the forms of [`Payload`], compiled for a table.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::cells::Cells;
use super::columns::Columns;
use super::expand::Expansion;
use super::options::{Payload, RecordFormat, RecordMapping};
use super::row::{Failure, RowReader};
use super::template::Source;
use crate::schema::{
    KeyValueEncoding, KeyValueSchema, Kind, MessageSchema, Schema, SchemaPart, ValueSchema, ValueSchemaKind,
    avro_definition,
};

/// How values are written.
#[derive(Debug, Clone)]
pub(super) enum ValuePlan {
    /// Kafka Connect's JSON of the payload, or of a struct of it and further columns.
    Connect { expansion: Option<Expansion>, envelope: Vec<(Vec<u8>, usize)> },
    /// The payload's text.
    Text,
    /// The payload's bytes.
    Bytes,
    /// The payload's text, which is JSON.
    Json,
    /// A record of a schema.
    Record(Box<RecordMapping>),
}

impl ValuePlan {
    /// Chooses how the values of a table are written.
    pub(super) fn compile(payload: &Payload, cells: &Cells, columns: &Columns) -> ValuePlan {
        let is_bytes = cells.schema(columns.payload).kind == Kind::Bytes;
        let labelled = |(alias, index): &(String, usize)| {
            let mut label = Vec::new();
            crate::json::write_string(alias, &mut label);
            label.push(b':');
            (label, *index)
        };
        let envelope = || columns.envelope.iter().map(labelled).collect();
        match payload {
            Payload::Connect => ValuePlan::Connect { expansion: None, envelope: envelope() },
            Payload::Expanded(expansion) => ValuePlan::Connect { expansion: Some(*expansion), envelope: envelope() },
            Payload::Text if is_bytes => ValuePlan::Bytes,
            Payload::Text => ValuePlan::Text,
            Payload::Json => ValuePlan::Json,
            Payload::Record(mapping) => ValuePlan::Record(mapping.clone()),
        }
    }

    /// Returns the schema that a sink registers for the messages. Expanded payloads are registered as bytes, because
    /// each document has a shape of its own.
    pub(super) fn schema(&self, cells: &Cells, columns: &Columns, name: &str) -> MessageSchema {
        let Columns { key, payload, envelope, .. } = columns;
        match self {
            ValuePlan::Connect { expansion, .. } => {
                let value = match expansion {
                    Some(_) => SchemaPart::bytes(),
                    None if envelope.is_empty() => SchemaPart::json(avro_definition(&cells.schema(*payload))),
                    None => {
                        let further = envelope.iter().map(|(alias, index)| cells.schema(*index).field(alias.as_str()));
                        let fields = std::iter::once(cells.schema(*payload).field("payload")).chain(further).collect();
                        SchemaPart::json(avro_definition(&Schema::record(format!("{name}.Value"), fields)))
                    }
                };
                let key = SchemaPart::json(avro_definition(&cells.schema(*key)));
                MessageSchema::KeyValue(KeyValueSchema { encoding: KeyValueEncoding::Separated, key, value })
            }
            ValuePlan::Text => MessageSchema::Value(ValueSchema::text()),
            ValuePlan::Bytes | ValuePlan::Json => MessageSchema::Value(ValueSchema::bytes()),
            ValuePlan::Record(mapping) => MessageSchema::Value(ValueSchema {
                kind: match mapping.format {
                    RecordFormat::Avro => ValueSchemaKind::Avro,
                    RecordFormat::Json => ValueSchemaKind::Json,
                },
                name: mapping.schema.name().to_owned(),
                definition: mapping.schema.definition().to_owned(),
            }),
        }
    }

    /// Returns whether keys are JSON, as values are, instead of text.
    pub(super) fn has_json_key(&self) -> bool {
        matches!(self, ValuePlan::Connect { .. })
    }

    /// Appends the value of a row.
    pub(super) fn write(&self, row: &mut RowReader<'_, '_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            ValuePlan::Connect { expansion, envelope } if envelope.is_empty() => connect(row, *expansion, out),
            ValuePlan::Connect { expansion, envelope } => {
                out.extend_from_slice(b"{\"payload\":");
                connect(row, *expansion, out)?;
                for (label, index) in envelope {
                    out.push(b',');
                    out.extend_from_slice(label);
                    row.write(*index, out)?;
                }
                out.push(b'}');
                Ok(())
            }
            ValuePlan::Text => {
                out.extend_from_slice(row.payload_text()?.as_bytes());
                Ok(())
            }
            ValuePlan::Bytes => {
                let bytes = STANDARD.decode(row.payload_text()?).unwrap_or_default();
                out.extend_from_slice(&bytes);
                Ok(())
            }
            ValuePlan::Json => {
                let text = row.payload_text()?;
                serde_json::from_str::<IgnoredAny>(&text).map_err(Failure::not_json)?;
                out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            ValuePlan::Record(mapping) => {
                let value = record(mapping, row)?;
                let wrong = |error: crate::avro::AvroError| {
                    Failure::Unmappable(format!("the record does not fit its schema: {error}"))
                };
                match mapping.format {
                    RecordFormat::Avro => mapping.schema.encode(&value, out).map_err(wrong),
                    RecordFormat::Json => {
                        mapping.schema.encode(&value, &mut Vec::new()).map_err(wrong)?;
                        out.extend_from_slice(value.to_string().as_bytes());
                        Ok(())
                    }
                }
            }
        }
    }
}

fn connect(row: &mut RowReader<'_, '_>, expansion: Option<Expansion>, out: &mut Vec<u8>) -> Result<(), Failure> {
    match (expansion, row.payload()?) {
        (Some(expansion), Value::String(text)) => expansion.write(&text, out).map_err(Failure::not_json),
        _ => row.write_payload(out),
    }
}

fn record(mapping: &RecordMapping, row: &mut RowReader<'_, '_>) -> Result<Value, Failure> {
    if mapping.fields.is_empty() {
        return row.look_up(&Source::Payload(Vec::new()));
    }
    let mut root = Value::Object(Map::new());
    for (path, template) in &mapping.fields {
        let mut failure = None;
        let value = template.value(|source| {
            row.look_up(source).map_err(|error| match error {
                Failure::Unmappable(reason) => reason,
                broken => {
                    failure = Some(broken);
                    String::new()
                }
            })
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        let value = value.map_err(|reason| Failure::Unmappable(format!("field {path}: {reason}")))?;
        put(&mut root, path, value).map_err(Failure::Unmappable)?;
    }
    Ok(root)
}

/// Sets the value at a dotted path and creates the objects on the way.
fn put(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let mut place = root;
    for step in path.split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(members) = place else {
            return Err(format!("field {path} lies within a value that is no object"));
        };
        place = members.entry(step).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}
