//! Plans: everything about a table's messages that does not depend on a row, worked out once.
//!
//! A plan holds one encoder and one ready-made label for each column, the table's source block, and the schemas.
//! Encoding a row walks the columns and appends to the buffer; it looks up nothing and allocates nothing.

mod envelope;
mod notes;

use std::ops::Range;

use bitacora_binlog::{Cell, Image, Row, TableMap};

use crate::column::{ColumnPlan, Part};
use crate::description::TableDescription;
use crate::error::{EncodeError, PlanError};
use crate::event_context::EventContext;
use crate::json::write_base64;
use crate::landmark;
use crate::logged::{LoggedTable, SystemPeriod};
use crate::message::{MessageBuffer, Operation};
use crate::options::{DebeziumForm, PlanOptions, Tombstones, ValueFormat};
use crate::schema::{
    KeyValueEncoding, KeyValueSchema, MessageSchema, Schema, SchemaPart, avro_definition, connect_json,
};
use crate::scratch::Scratch;
use envelope::Envelope;
pub(crate) use notes::notes;

/// The compiled encoder of one table.
#[derive(Debug, Clone)]
pub struct Plan {
    topic: String,
    /// The columns of the images.
    columns: Vec<ColumnPlan>,
    /// The key's columns, in key order; empty without a key.
    key: Vec<ColumnPlan>,
    envelope: Envelope,
    /// The period of a table with system versioning whose columns the server hides.
    period: Option<SystemPeriod>,
    tombstones: Tombstones,
    message_schema: MessageSchema,
    /// In messages with schemas: what stands before the payload of key and value, and behind it.
    wrapped: Option<Wrapping>,
    notes: Vec<String>,
}

/// The constant parts of messages that carry their schemas.
#[derive(Debug, Clone)]
struct Wrapping {
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Plan {
    /// Compiles the plan of a table. A column that the description does not name is printed by what the table map says.
    ///
    /// # Errors
    /// The log does not name the columns or does not say which are UNSIGNED, or a column's type or character set is not
    /// known.
    pub fn compile(
        table: &TableMap,
        description: Option<&TableDescription>,
        options: &PlanOptions,
    ) -> Result<Plan, PlanError> {
        // A description could replace the names, but only the log says which of its integers are UNSIGNED. A table
        // without numbers has no such bits.
        if !table.signedness_known && table.columns.iter().any(|column| column.kind.is_integer()) {
            return Err(PlanError::NamesUnknown { database: table.database.clone(), table: table.table.clone() });
        }
        let logged = LoggedTable::new(table, description);
        let columns = ColumnPlan::images(table, &logged, options)?;
        let mut key = Vec::new();
        for index in logged.key(table) {
            let Some(column) = table.columns.get(index) else { continue };
            let described = logged.description(index);
            key.extend(ColumnPlan::compile(table, index, column, described, options, Part::Key)?);
        }
        let notes = notes(table, &columns, &key);
        let topic = options.table_topic(&table.database, &table.table);
        let schema_name = |part: &str| format!("{topic}.{part}");
        let key_schema = Schema::record(schema_name("Key"), key.iter().map(ColumnPlan::field).collect());
        let row_schema = Schema::record(schema_name("Value"), columns.iter().map(ColumnPlan::field).collect());
        let envelope_schema = envelope::schema(schema_name("Envelope"), row_schema, options);
        let has_key = !key.is_empty();
        let (message_schema, wrapped) = match options.value_format {
            ValueFormat::Json => {
                let key = if has_key { SchemaPart::json(avro_definition(&key_schema)) } else { SchemaPart::bytes() };
                let value = SchemaPart::json(avro_definition(&envelope_schema));
                (KeyValueSchema { encoding: KeyValueEncoding::Separated, key, value }, None)
            }
            ValueFormat::JsonWithEnvelope => {
                let schema = KeyValueSchema {
                    encoding: KeyValueEncoding::Inline,
                    key: SchemaPart::bytes(),
                    value: SchemaPart::bytes(),
                };
                let wrapping = Wrapping { key: schema_head(&key_schema), value: schema_head(&envelope_schema) };
                (schema, Some(wrapping))
            }
        };
        let message_schema = MessageSchema::KeyValue(message_schema);
        let envelope = Envelope::new(table, options);
        let (period, tombstones) = (logged.period(), options.tombstones);
        Ok(Plan { topic, columns, key, envelope, period, tombstones, message_schema, wrapped, notes })
    }

    /// Returns the name of the table's topic, without tenant and namespace.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the schema that the sink registers for the topic.
    pub fn message_schema(&self) -> &MessageSchema {
        &self.message_schema
    }

    /// Returns what an operator should know about the rules for the table's columns, a sentence each: columns that a
    /// rule names and that are published nevertheless.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns whether the table has a key.
    pub fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Appends the messages of a row: one, or two for a delete with tombstone, or up to three for an update that
    /// changes the key (delete, tombstone, create); none for a row of the past of a table with system versioning.
    ///
    /// # Errors
    /// The image lacks a column, or its bytes are no value of their type; the buffer then holds a part of the row.
    pub fn encode(
        &self,
        row: &Row<'_>,
        operation: Operation,
        context: &EventContext<'_>,
        out: &mut MessageBuffer,
    ) -> Result<(), EncodeError> {
        let before = || row.before.as_ref().ok_or(EncodeError::Image { image: "before" });
        let after = || row.after.as_ref().ok_or(EncodeError::Image { image: "after" });
        let Some(operation) = self.period.map_or(Some(operation), |period| period.of_current_rows(row, operation))
        else {
            return Ok(());
        };
        match operation {
            Operation::Create => self.message("c", None, Some(after()?), context, out),
            Operation::Read => self.message("r", None, Some(after()?), context, out),
            Operation::Delete => self.delete(before()?, context, out),
            Operation::Update => {
                let (before, after) = (before()?, after()?);
                if self.key.iter().any(|column| before.column(column.index) != after.column(column.index)) {
                    self.change_key(before, after, context, out)
                } else {
                    self.message("u", Some(before), Some(after), context, out)
                }
            }
        }
    }

    /// Appends the messages of an update that changes the key: a delete under the old key and a create under the new
    /// one. In the 3.6 form each message names the other key in a property, as Debezium's headers do.
    fn change_key(
        &self,
        before: &Image<'_>,
        after: &Image<'_>,
        context: &EventContext<'_>,
        out: &mut MessageBuffer,
    ) -> Result<(), EncodeError> {
        let start = out.messages().len();
        self.delete(before, context, out)?;
        let created = out.messages().len();
        self.message("c", None, Some(after), context, out)?;
        if self.envelope.form() == DebeziumForm::V3_6 {
            self.name_other_key(start..created, "__debezium.newkey", after, out)?;
            self.name_other_key(created..created + 1, "__debezium.oldkey", before, out)?;
        }
        Ok(())
    }

    /// Gives messages a property with the key of an image as JSON, with its schema where messages carry schemas.
    fn name_other_key(
        &self,
        messages: Range<usize>,
        name: &str,
        image: &Image<'_>,
        out: &mut MessageBuffer,
    ) -> Result<(), EncodeError> {
        let (_, scratch) = out.parts();
        let mut key = std::mem::take(&mut scratch.key);
        let written = self.write_plain_key(image, scratch, &mut key);
        if written.is_ok() {
            out.set_property(messages, name, std::str::from_utf8(&key).unwrap_or_default());
        }
        out.parts().1.key = key;
        written
    }

    fn delete(
        &self,
        before: &Image<'_>,
        context: &EventContext<'_>,
        out: &mut MessageBuffer,
    ) -> Result<(), EncodeError> {
        self.message("d", Some(before), None, context, out)?;
        if self.tombstones == Tombstones::Emit && self.has_key() {
            let (bytes, scratch) = out.parts();
            let start = bytes.len();
            self.write_message_key(before, scratch, bytes)?;
            scratch.landmarks.begin_value(bytes.len());
            let key = start..bytes.len();
            out.finish(Some(key), None);
        }
        Ok(())
    }

    fn message(
        &self,
        operation: &str,
        before: Option<&Image<'_>>,
        after: Option<&Image<'_>>,
        context: &EventContext<'_>,
        out: &mut MessageBuffer,
    ) -> Result<(), EncodeError> {
        let (bytes, scratch) = out.parts();
        let start = bytes.len();
        let key = match after.or(before) {
            Some(image) if self.has_key() => {
                self.write_message_key(image, scratch, bytes)?;
                Some(start..bytes.len())
            }
            _ => None,
        };
        let start = bytes.len();
        scratch.landmarks.begin_value(start);
        let Some(wrapping) = &self.wrapped else {
            self.write_envelope(operation, (before, after), context, scratch, bytes)?;
            let value = start..bytes.len();
            out.finish(key, Some(value));
            return Ok(());
        };
        // KeyValue INLINE: each half behind its length; the length of an absent key is −1.
        bytes.extend_from_slice(&[0xff; 4]);
        if key.is_some() {
            let key_start = bytes.len();
            bytes.extend_from_slice(&scratch.key);
            set_length(bytes, key_start);
        }
        bytes.extend_from_slice(&[0; 4]);
        let value_start = bytes.len();
        scratch.landmarks.mark(landmark::VALUE, value_start);
        bytes.extend_from_slice(&wrapping.value);
        self.write_envelope(operation, (before, after), context, scratch, bytes)?;
        bytes.push(b'}');
        set_length(bytes, value_start);
        let value = start..bytes.len();
        out.finish(key, Some(value));
        Ok(())
    }

    /// Appends the key as it stands in the message's key: JSON, or in messages with schemas the Base64 of that JSON,
    /// which is left in the scratch.
    fn write_message_key(
        &self,
        image: &Image<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if self.wrapped.is_none() {
            return self.write_key(image, scratch, out);
        }
        let mut key = std::mem::take(&mut scratch.key);
        let written = self.write_plain_key(image, scratch, &mut key);
        write_base64(&key, out);
        scratch.key = key;
        written
    }

    /// Replaces the content of a buffer by the key as JSON, with its schema where messages carry schemas.
    fn write_plain_key(&self, image: &Image<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.clear();
        let Some(wrapping) = &self.wrapped else { return self.write_key(image, scratch, out) };
        out.extend_from_slice(&wrapping.key);
        self.write_key(image, scratch, out)?;
        out.push(b'}');
        Ok(())
    }

    fn write_key(&self, image: &Image<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write_object(image, &self.key, scratch, out)
    }

    fn write_envelope(
        &self,
        operation: &str,
        (before, after): (Option<&Image<'_>>, Option<&Image<'_>>),
        context: &EventContext<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let images = [(landmark::ENVELOPE, &b"{\"before\":"[..], before), (landmark::AFTER, b",\"after\":", after)];
        for (name, label, image) in images {
            scratch.landmarks.mark(name, out.len());
            out.extend_from_slice(label);
            match image {
                Some(image) => write_object(image, &self.columns, scratch, out)?,
                None => out.extend_from_slice(b"null"),
            }
        }
        self.envelope.write_tail(operation, context, scratch, out);
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a table has at most 4,096 columns")]
fn write_object(
    image: &Image<'_>,
    columns: &[ColumnPlan],
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut separator = b'{';
    for column in columns {
        scratch.landmarks.mark(landmark::FIRST_COLUMN.saturating_add(column.index as u16), out.len());
        column.label.write(separator, out);
        separator = b',';
        match image.column(column.index) {
            Cell::Value(bytes) => column.write(bytes, scratch, out)?,
            Cell::Null => column.write_null(out),
            Cell::Absent => return Err(EncodeError::Absent { column: column.name.clone() }),
        }
    }
    if separator == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

fn schema_head(schema: &Schema) -> Vec<u8> {
    let mut head = b"{\"schema\":".to_vec();
    head.extend_from_slice(connect_json(schema).to_string().as_bytes());
    head.extend_from_slice(b",\"payload\":");
    head
}

/// Sets the four bytes before `start` to the length of what follows.
fn set_length(bytes: &mut [u8], start: usize) {
    let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(slot) = start.checked_sub(4).and_then(|at| bytes.get_mut(at..start)) {
        slot.copy_from_slice(&length);
    }
}
