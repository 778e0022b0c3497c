//! The compiled routing of one outbox table.

use bitacora_binlog::{Image, Row, TableMap};
use serde_json::Value;

use super::cells::{Cells, Clock};
use super::options::{AdditionalMissing, DeadLetters, OutboxOptions, Payload, Place, Updates};
use super::template::{Source, Template};
use super::topic::{TopicPattern, TopicRule, is_topic};
use super::value::{ValuePlan, not_json};
use crate::description::TableDescription;
use crate::error::{EncodeError, PlanError};
use crate::event_context::EventContext;
use crate::logged::{LoggedTable, SystemPeriod};
use crate::message::{MessageBuffer, Operation, WholeMessage};
use crate::options::PlanOptions;
use crate::schema::{MessageSchema, ValueSchema};
use crate::scratch::Scratch;

/// The compiled routing of one outbox table.
#[derive(Debug, Clone)]
pub struct OutboxPlan {
    /// `database.table`.
    table: String,
    cells: Cells,
    period: Option<SystemPeriod>,
    id: usize,
    key: usize,
    payload: usize,
    time: Option<(usize, Clock)>,
    /// Names and columns of the properties besides `id`.
    headers: Vec<(String, usize)>,
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
    /// It cannot be its message; the buffer holds a dead letter.
    DeadLetter {
        /// Where the dead letter goes.
        topic: String,
        /// Why.
        reason: String,
    },
    /// It cannot be its message, and the source is to stop.
    Unmappable {
        /// Why.
        reason: String,
    },
    /// It was deleted, or is a row of the past of a table with system versioning: there is nothing to send.
    Deleted,
    /// It was updated, see [`OutboxPlan::updates`].
    Updated,
}

/// Why a row has no message.
#[derive(Debug)]
pub(super) enum Failure {
    /// The row is no message.
    Unmappable(String),
    /// The row cannot be read.
    Broken(EncodeError),
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        Failure::Broken(error)
    }
}

impl OutboxPlan {
    /// Compiles the routing of a table.
    ///
    /// # Errors
    /// A column that the options name is missing or of no use, or the table cannot be captured.
    pub fn compile(
        table: &TableMap,
        description: Option<&TableDescription>,
        options: &PlanOptions,
        outbox: &OutboxOptions,
    ) -> Result<OutboxPlan, PlanError> {
        // The checks of what the log must say are those of a table's own events.
        crate::plan::Plan::compile(table, description, options)?;
        let logged = LoggedTable::new(table, description);
        let cells = Cells::compile(table, &logged, options)?;
        let missing = |column: &str, option: &'static str| {
            let (database, table_name, column) = (table.database.clone(), table.table.clone(), column.to_owned());
            if options.columns.prints(&database, &table_name, &column) {
                PlanError::OutboxColumn { database, table: table_name, column, option }
            } else {
                PlanError::OutboxColumnLeftOut { database, table: table_name, column, option }
            }
        };
        let column = |name: &str, option: &'static str| cells.index(name).ok_or_else(|| missing(name, option));
        let id = column(&outbox.id, "table.field.event.id (columns.id)")?;
        let key = column(&outbox.key, "table.field.event.key (columns.key)")?;
        let payload = column(&outbox.payload, "table.field.event.payload (columns.payload)")?;
        let time = match &outbox.time {
            None => None,
            Some(name) => {
                let index = column(name, "table.field.event.timestamp (columns.time)")?;
                let clock = Clock::of(&cells.schema(index)).ok_or_else(|| PlanError::OutboxTime {
                    database: table.database.clone(),
                    table: table.table.clone(),
                    column: name.clone(),
                })?;
                Some((index, clock))
            }
        };
        let (mut headers, mut envelope) = (Vec::new(), Vec::new());
        for placement in &outbox.placements {
            let place = match placement.place {
                Place::Header => &mut headers,
                Place::Envelope => &mut envelope,
            };
            match cells.index(&placement.column) {
                Some(index) => place.push((placement.alias.clone(), index)),
                None if outbox.additional_missing == AdditionalMissing::Ignore => {}
                None => return Err(missing(&placement.column, "table.fields.additional.placement (columns.headers)")),
            }
        }
        let topic = match &outbox.topic {
            TopicRule::Field { column: name, pattern } => {
                Topic::Field { column: column(name, "route.by.field")?, pattern: pattern.clone() }
            }
            TopicRule::Template(template) => {
                template.columns().try_for_each(|name| column(name, "topic").map(drop))?;
                Topic::Template(template.clone())
            }
        };
        if let Payload::Record(mapping) = &outbox.value {
            for (_, template) in &mapping.fields {
                template.columns().try_for_each(|name| column(name, "fields").map(drop))?;
            }
        }
        let own_topic = options.table_topic(&table.database, &table.table);
        let value = ValuePlan::compile(&outbox.value, &cells, payload, &envelope);
        let message_schema = value.schema(&cells, key, payload, &envelope, &own_topic);
        let dead_letter_topic = match &outbox.dead_letters {
            DeadLetters::Stop => None,
            DeadLetters::Send { topic } => Some(topic.clone().unwrap_or(format!("{own_topic}.dead-letter"))),
        };
        Ok(OutboxPlan {
            table: format!("{}.{}", table.database, table.table),
            notes: crate::plan::notes(table, cells.columns(), &[]),
            cells,
            period: logged.period(),
            id,
            key,
            payload,
            time,
            headers,
            topic,
            value,
            tombstone_on_empty: outbox.tombstone_on_empty,
            updates: outbox.updates,
            dead_letter_topic,
            message_schema,
            dead_letter_schema: MessageSchema::Value(ValueSchema::bytes()),
        })
    }

    /// What a sink registers for the topics of messages.
    pub fn message_schema(&self) -> &MessageSchema {
        &self.message_schema
    }

    /// Returns the table, as `database.table`.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What a sink registers for the topic of dead letters.
    pub fn dead_letter_schema(&self) -> &MessageSchema {
        &self.dead_letter_schema
    }

    /// What an operator should know of the rules for the table's columns, as [`crate::Plan::notes`] says it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What an updated row means.
    pub fn updates(&self) -> Updates {
        self.updates
    }

    /// Decides what becomes of a row, and appends its message or dead letter to the buffer.
    ///
    /// A dead letter's value is the row as a JSON object; its properties are `reason`, `table`, `place` (binlog file and
    /// position of the event) and, where the row has them, `id` and the headers; its key is the row's.
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
        let mut reading = Reading { plan: self, image, context, scratch, document: None };
        let properties = reading.properties()?;
        let reason = match reading.message() {
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
        let key = self.cells.text(image, self.key, reading.scratch)?.map(String::into_bytes);
        let mut value = Vec::new();
        self.cells.write_row(image, reading.scratch, &mut value)?;
        let event_time_ms = u64::try_from(context.now_us / 1_000).ok();
        out.push(&WholeMessage { key: key.as_deref(), value: Some(&value), properties: &all, event_time_ms });
        Ok(Route::DeadLetter { topic, reason })
    }
}

/// Everything of a message but its properties.
struct Addressed {
    topic: String,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    event_time_ms: Option<u64>,
}

/// A row while it is being read.
pub(super) struct Reading<'p, 's> {
    plan: &'p OutboxPlan,
    image: &'p Image<'p>,
    context: &'p EventContext<'p>,
    scratch: &'s mut Scratch,
    /// The payload as JSON, once it was asked for.
    document: Option<Value>,
}

impl Reading<'_, '_> {
    /// `id` and the headers; what is NULL is left out.
    fn properties(&mut self) -> Result<Vec<(String, String)>, EncodeError> {
        let mut properties = Vec::new();
        let id = [("id", self.plan.id)];
        let headers = self.plan.headers.iter().map(|(name, index)| (name.as_str(), *index));
        for (name, index) in id.into_iter().chain(headers) {
            if let Some(text) = self.plan.cells.text(self.image, index, self.scratch)? {
                properties.push((name.to_owned(), text));
            }
        }
        Ok(properties)
    }

    fn message(&mut self) -> Result<Addressed, Failure> {
        let topic = self.topic()?;
        let key = match self.plan.cells.text(self.image, self.plan.key, self.scratch)? {
            Some(_) if self.plan.value.has_json_key() => {
                let mut json = Vec::new();
                self.write(self.plan.key, &mut json)?;
                Some(json)
            }
            text => text.map(String::into_bytes),
        };
        let value = if self.plan.tombstone_on_empty && self.is_empty()? {
            None
        } else {
            let mut value = Vec::new();
            self.plan.value.write(self, &mut value)?;
            Some(value)
        };
        let event_time_ms = u64::try_from(self.time_ms()?).ok();
        Ok(Addressed { topic, key, value, event_time_ms })
    }

    fn topic(&mut self) -> Result<String, Failure> {
        let topic = match &self.plan.topic {
            Topic::Field { column, pattern } => {
                let text = self.plan.cells.text(self.image, *column, self.scratch)?;
                let text = text.ok_or_else(|| Failure::Unmappable("the column of the topic is NULL".to_owned()))?;
                pattern.apply(&text).map_err(Failure::Unmappable)?
            }
            Topic::Template(template) => {
                let value = template.value(|source| match self.look_up(source) {
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

    /// The event's time, or now; milliseconds since 1970.
    fn time_ms(&mut self) -> Result<i64, Failure> {
        let now_ms = self.context.now_us.div_euclid(1_000);
        let Some((index, clock)) = self.plan.time else { return Ok(now_ms) };
        match self.plan.cells.value(self.image, index, self.scratch)? {
            Value::Null => Ok(now_ms),
            value => clock
                .milliseconds(&value)
                .ok_or_else(|| Failure::Unmappable("the column of the event's time holds no time".to_owned())),
        }
    }

    fn is_empty(&mut self) -> Result<bool, Failure> {
        Ok(match self.payload()? {
            Value::Null => true,
            Value::String(text) => text.chars().all(|character| character <= ' '),
            _ => false,
        })
    }

    /// The payload column's value.
    pub fn payload(&mut self) -> Result<Value, Failure> {
        Ok(self.plan.cells.value(self.image, self.plan.payload, self.scratch)?)
    }

    /// The payload column as text.
    pub fn payload_text(&mut self) -> Result<String, Failure> {
        let text = self.plan.cells.text(self.image, self.plan.payload, self.scratch)?;
        text.ok_or_else(|| Failure::Unmappable("the payload is NULL".to_owned()))
    }

    /// Appends the payload column's JSON.
    pub fn write_payload(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.write(self.plan.payload, out)
    }

    /// Appends a column's JSON.
    pub fn write(&mut self, index: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(self.plan.cells.write(self.image, index, self.scratch, out)?)
    }

    /// The value of a part of a template.
    pub fn look_up(&mut self, source: &Source) -> Result<Value, Failure> {
        match source {
            Source::Column(name) => match self.plan.cells.index(name) {
                Some(index) => Ok(self.plan.cells.value(self.image, index, self.scratch)?),
                None => Err(Failure::Unmappable(format!("there is no column {name}"))),
            },
            Source::Payload(path) => {
                let document = self.document()?;
                let mut place = document;
                for step in path {
                    place = place
                        .get(step.as_str())
                        .ok_or_else(|| Failure::Unmappable(format!("the payload has no member {}", path.join("."))))?;
                }
                Ok(place.clone())
            }
            Source::Time => Ok(self.time_ms()?.into()),
            Source::Commit => Ok(self.context.source_timestamp_us.div_euclid(1_000).into()),
            Source::Now => Ok(self.context.now_us.div_euclid(1_000).into()),
        }
    }

    fn document(&mut self) -> Result<&Value, Failure> {
        let document = match self.document.take() {
            Some(document) => document,
            None => serde_json::from_str(&self.payload_text()?).map_err(not_json)?,
        };
        Ok(self.document.insert(document))
    }
}
