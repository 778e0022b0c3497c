//! The compiled routing of one outbox table.

use bitacora_binlog::{Row, TableMap};
use serde_json::Value;

use super::cells::Cells;
use super::columns::{ColumnFinder, Columns};
use super::options::{DeadLetters, OutboxOptions, Payload, Updates};
use super::row::{Failure, RowReader};
use super::template::Template;
use super::topic::{TopicPattern, TopicRule, is_topic};
use super::value::ValuePlan;
use crate::description::TableDescription;
use crate::error::{EncodeError, PlanError};
use crate::event_context::EventContext;
use crate::logged::{LoggedTable, SystemPeriod};
use crate::message::{MessageBuffer, Operation, WholeMessage};
use crate::options::PlanOptions;
use crate::schema::{MessageSchema, ValueSchema};

/// The compiled routing of one outbox table.
#[derive(Debug, Clone)]
pub struct OutboxPlan {
    /// `database.table`.
    table: String,
    cells: Cells,
    period: Option<SystemPeriod>,
    columns: Columns,
    topic: Topic,
    value: ValuePlan,
    tombstone_on_empty: bool,
    updates: Updates,
    /// Topic of dead letters; `None` when a row without message stops the source.
    dead_letter_topic: Option<String>,
    message_schema: MessageSchema,
    dead_letter_schema: MessageSchema,
    notes: Vec<String>,
}

#[derive(Debug, Clone)]
enum Topic {
    Field { column: usize, pattern: TopicPattern },
    Template(Template),
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The buffer holds its message.
    Message {
        /// Where the message goes.
        topic: String,
    },
    /// No message can be made of it; the buffer holds a dead letter.
    DeadLetter {
        /// Where the dead letter goes.
        topic: String,
        /// Why.
        reason: String,
    },
    /// No message can be made of it, and the source has to stop.
    Unmappable {
        /// Why.
        reason: String,
    },
    /// It was deleted, or is a row of the past of a table with system versioning: there is nothing to send.
    Deleted,
    /// It was updated, see [`OutboxPlan::updates`].
    Updated,
}

impl OutboxPlan {
    /// Compiles the routing of a table.
    ///
    /// # Errors
    /// A column that the options name is missing or cannot be used, or the table cannot be captured.
    pub fn compile(
        table: &TableMap,
        description: Option<&TableDescription>,
        options: &PlanOptions,
        outbox: &OutboxOptions,
    ) -> Result<OutboxPlan, PlanError> {
        // Compiled for its checks alone: the log must say as much about this table as about any other.
        crate::plan::Plan::compile(table, description, options)?;
        let logged = LoggedTable::new(table, description);
        let cells = Cells::compile(table, &logged, options)?;
        let finder = ColumnFinder { table, rules: &options.columns, cells: &cells };
        let columns = Columns::find(&finder, outbox)?;
        let topic = Topic::compile(&outbox.topic, &finder)?;
        if let Payload::Record(mapping) = &outbox.value {
            for (_, template) in &mapping.fields {
                template.columns().try_for_each(|name| finder.index(name, "fields").map(drop))?;
            }
        }
        let own_topic = options.table_topic(&table.database, &table.table);
        let value = ValuePlan::compile(&outbox.value, &cells, &columns);
        let message_schema = value.schema(&cells, &columns, &own_topic);
        let dead_letter_topic = match &outbox.dead_letters {
            DeadLetters::Stop => None,
            DeadLetters::Send { topic } => Some(topic.clone().unwrap_or(format!("{own_topic}.dead-letter"))),
        };
        Ok(OutboxPlan {
            table: format!("{}.{}", table.database, table.table),
            notes: crate::plan::notes(table, cells.columns(), &[]),
            cells,
            period: logged.period(),
            columns,
            topic,
            value,
            tombstone_on_empty: outbox.tombstone_on_empty,
            updates: outbox.updates,
            dead_letter_topic,
            message_schema,
            dead_letter_schema: MessageSchema::Value(ValueSchema::bytes()),
        })
    }

    /// Returns the schema that a sink registers for the topics of messages.
    pub fn message_schema(&self) -> &MessageSchema {
        &self.message_schema
    }

    /// Returns the table, as `database.table`.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns the schema that a sink registers for the topic of dead letters.
    pub fn dead_letter_schema(&self) -> &MessageSchema {
        &self.dead_letter_schema
    }

    /// Returns what an operator should know of the rules for the table's columns, as [`crate::Plan::notes`] says it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns what an updated row means.
    pub fn updates(&self) -> Updates {
        self.updates
    }

    /// Decides what becomes of a row, and appends its message or dead letter to the buffer.
    ///
    /// A dead letter's value is the row as a JSON object; its properties are `reason`, `table`, `place` (binlog file
    /// and position of the event) and, where the row has them, `id` and the headers; its key is the row's.
    ///
    /// # Errors
    /// The image lacks a column, or its bytes are no value of their type.
    pub fn route(
        &self,
        row: &Row<'_>,
        operation: Operation,
        context: &EventContext<'_>,
        out: &mut MessageBuffer,
    ) -> Result<Route, EncodeError> {
        let Some(operation) = self.period.map_or(Some(operation), |period| period.of_current_rows(row, operation))
        else {
            return Ok(Route::Deleted);
        };
        match operation {
            Operation::Delete => return Ok(Route::Deleted),
            Operation::Update => return Ok(Route::Updated),
            Operation::Create | Operation::Read => {}
        }
        let image = row.after.as_ref().ok_or(EncodeError::Image { image: "after" })?;
        let (_, scratch) = out.parts();
        let mut reader = RowReader::new(&self.cells, &self.columns, image, context, scratch);
        let properties = reader.properties()?;
        let reason = match self.message(&mut reader) {
            Ok(Addressed { topic, key, value, event_time_ms }) => {
                let (key, value) = (key.as_deref(), value.as_deref());
                out.push(&WholeMessage { key, value, properties: &properties, event_time_ms });
                return Ok(Route::Message { topic });
            }
            Err(Failure::Broken(error)) => return Err(error),
            Err(Failure::Unmappable(reason)) => reason,
        };
        let Some(topic) = self.dead_letter_topic.clone() else { return Ok(Route::Unmappable { reason }) };
        let mut all = vec![
            ("reason".to_owned(), reason.clone()),
            ("table".to_owned(), self.table.clone()),
            ("place".to_owned(), format!("{}:{}", context.file, context.position)),
        ];
        all.extend(properties);
        let key = reader.text(self.columns.key)?.map(String::into_bytes);
        let mut value = Vec::new();
        self.cells.write_row(image, reader.scratch, &mut value)?;
        let event_time_ms = u64::try_from(context.now_us / 1_000).ok();
        out.push(&WholeMessage { key: key.as_deref(), value: Some(&value), properties: &all, event_time_ms });
        Ok(Route::DeadLetter { topic, reason })
    }

    fn message(&self, row: &mut RowReader<'_, '_>) -> Result<Addressed, Failure> {
        let topic = self.topic.name(row)?;
        let key = match row.text(self.columns.key)? {
            Some(_) if self.value.has_json_key() => {
                let mut json = Vec::new();
                row.write(self.columns.key, &mut json)?;
                Some(json)
            }
            text => text.map(String::into_bytes),
        };
        let value = if self.tombstone_on_empty && row.is_empty()? {
            None
        } else {
            let mut value = Vec::new();
            self.value.write(row, &mut value)?;
            Some(value)
        };
        let event_time_ms = u64::try_from(row.time_ms()?).ok();
        Ok(Addressed { topic, key, value, event_time_ms })
    }
}

/// Everything of a message but its properties.
struct Addressed {
    topic: String,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    event_time_ms: Option<u64>,
}

impl Topic {
    fn compile(rule: &TopicRule, finder: &ColumnFinder<'_>) -> Result<Topic, PlanError> {
        Ok(match rule {
            TopicRule::Field { column, pattern } => {
                Topic::Field { column: finder.index(column, "route.by.field")?, pattern: pattern.clone() }
            }
            TopicRule::Template(template) => {
                template.columns().try_for_each(|name| finder.index(name, "topic").map(drop))?;
                Topic::Template(template.clone())
            }
        })
    }

    /// Returns the name of a row's topic.
    fn name(&self, row: &mut RowReader<'_, '_>) -> Result<String, Failure> {
        let topic = match self {
            Topic::Field { column, pattern } => {
                let text = row.text(*column)?;
                let text = text.ok_or_else(|| Failure::Unmappable("the column of the topic is NULL".to_owned()))?;
                pattern.apply(&text).map_err(Failure::Unmappable)?
            }
            Topic::Template(template) => {
                let value = template.value(|source| match row.look_up(source) {
                    Ok(value) => Ok(value),
                    Err(Failure::Unmappable(reason)) => Err(reason),
                    Err(Failure::Broken(error)) => Err(error.to_string()),
                });
                match value.map_err(|reason| Failure::Unmappable(format!("the topic has no name: {reason}")))? {
                    Value::String(topic) => topic,
                    Value::Null => {
                        return Err(Failure::Unmappable("the topic has no name: its column is NULL".to_owned()));
                    }
                    other => other.to_string(),
                }
            }
        };
        if is_topic(&topic) {
            Ok(topic)
        } else {
            Err(Failure::Unmappable(format!("{topic:?} cannot be the name of a topic")))
        }
    }
}
