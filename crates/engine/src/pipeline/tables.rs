//! The plans of the tables that the stream has announced, and the topics that they write to.

use std::collections::HashMap;
use std::sync::Arc;

use bitacora_binlog::TableMap;
use bitacora_change::outbox::{OutboxPlan, OutboxRule};
use bitacora_change::{MessageSchema, Plan, PlanOptions, TableDescription};
use bitacora_source::Filter;

use crate::error::{EngineError, Place};
use crate::notices::Notices;
use crate::sink::{Lane, Sink, TopicId};

/// What the pipeline does with the rows of a table.
#[derive(Debug)]
pub enum Slot {
    /// The table is not captured.
    Ignored,
    /// The table is captured.
    Captured(Box<Captured>),
    /// The table is an outbox: each row names its topic.
    Outbox(Box<OutboxPlan>),
}

/// A captured table: its plan and where its messages go.
#[derive(Debug)]
pub struct Captured {
    /// Encoder of the table's rows.
    pub plan: Plan,
    /// Index into [`Topics`].
    pub topic: usize,
}

/// Plans by the fingerprint of the table map; a table that changes gets a new one.
#[derive(Debug, Default)]
pub struct Tables {
    slots: Vec<(u64, Slot)>,
    by_fingerprint: HashMap<u64, usize>,
    last: usize,
}

impl Tables {
    /// Finds the slot of a table, or makes it with `make`.
    ///
    /// # Errors
    /// Whatever `make` returns.
    pub fn slot(
        &mut self,
        table: &Arc<TableMap>,
        make: impl FnOnce() -> Result<Slot, EngineError>,
    ) -> Result<&mut Slot, EngineError> {
        let is_last = self.slots.get(self.last).is_some_and(|(fingerprint, _)| *fingerprint == table.fingerprint);
        if !is_last {
            self.last = match self.by_fingerprint.get(&table.fingerprint) {
                Some(index) => *index,
                None => {
                    let slot = make()?;
                    self.slots.push((table.fingerprint, slot));
                    self.by_fingerprint.insert(table.fingerprint, self.slots.len() - 1);
                    self.slots.len() - 1
                }
            };
        }
        match self.slots.get_mut(self.last) {
            Some((_, slot)) => Ok(slot),
            None => Err(EngineError::stop("the table cache lost an entry")),
        }
    }

    /// Forgets all plans: a description changed, or the lane did.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.by_fingerprint.clear();
        self.last = 0;
    }
}

/// A topic that the source writes to.
#[derive(Debug)]
struct Topic {
    name: String,
    id: TopicId,
    schema: MessageSchema,
    /// The highest sequence id that was handed to the sink or that the sink had before.
    sent: Option<u64>,
}

/// The open topics of one lane.
#[derive(Debug, Default)]
pub struct Topics {
    topics: Vec<Topic>,
    by_name: HashMap<String, usize>,
    first_id: Option<u64>,
}

impl Topics {
    /// Topics of a source that begins anew: every id that it will give is above `first_id`, and no topic may have such an id
    /// already, or the broker would take new messages for repeated ones.
    pub fn beginning_at(first_id: u64) -> Self {
        Topics { first_id: Some(first_id), ..Topics::default() }
    }

    /// Opens a topic with a schema, or changes the schema of an open one; gives its index.
    ///
    /// # Errors
    /// The sink refuses, or a source that begins anew finds an id that it has not given yet.
    pub fn open(
        &mut self,
        sink: &mut impl Sink,
        lane: Lane,
        name: &str,
        schema: &MessageSchema,
    ) -> Result<usize, EngineError> {
        if let Some(index) = self.by_name.get(name) {
            if let Some(topic) = self.topics.get_mut(*index)
                && topic.schema != *schema
            {
                topic.id = sink.open(lane, name, schema)?.topic;
                topic.schema = schema.clone();
            }
            return Ok(*index);
        }
        let opened = sink.open(lane, name, schema)?;
        if let (Some(first), Some(last)) = (self.first_id, opened.last_sequence_id)
            && last >= first
        {
            return Err(EngineError::configuration(format!(
                "topic {name} already has the sequence id {last} of this source, which is above those that it begins with"
            ))
            .remedy("the clock was set back: set it right, or give the source another name"));
        }
        let index = self.topics.len();
        self.topics.push(Topic {
            name: name.to_owned(),
            id: opened.topic,
            schema: schema.clone(),
            sent: opened.last_sequence_id,
        });
        self.by_name.insert(name.to_owned(), index);
        Ok(index)
    }

    /// Opens a topic whose schema never changes; gives its index.
    ///
    /// # Errors
    /// As [`Topics::open`].
    pub fn open_once(
        &mut self,
        sink: &mut impl Sink,
        lane: Lane,
        name: &str,
        schema: &MessageSchema,
    ) -> Result<usize, EngineError> {
        match self.by_name.get(name) {
            Some(index) => Ok(*index),
            None => self.open(sink, lane, name, schema),
        }
    }

    /// Whether the sink lacks this id; notes it as sent if so.
    pub fn claim(&mut self, index: usize, sequence_id: u64) -> Option<TopicId> {
        let topic = self.topics.get_mut(index)?;
        if topic.sent.is_some_and(|sent| sequence_id <= sent) {
            return None;
        }
        topic.sent = Some(sequence_id);
        Some(topic.id)
    }

    /// The highest id that any topic has stored, and that topic's name.
    pub fn highest(&self) -> Option<(&str, u64)> {
        self.topics
            .iter()
            .filter_map(|topic| topic.sent.map(|sent| (topic.name.as_str(), sent)))
            .max_by_key(|(_, id)| *id)
    }
}

/// The plan of a captured table.
#[derive(Debug)]
pub enum Compiled {
    /// Its rows are events of the table.
    Table(Plan),
    /// Its rows are messages.
    Outbox(OutboxPlan),
}

/// Compiles the plan of a captured table, and says what is to be said of it. The first rule that covers an outbox table counts.
///
/// # Errors
/// A column cannot be understood, the server does not log what a plan needs, or an outbox lacks a column.
pub fn compile(
    table: &TableMap,
    description: Option<&TableDescription>,
    filter: &Filter,
    options: &PlanOptions,
    outboxes: &[OutboxRule],
    notices: &Notices,
) -> Result<Option<Compiled>, EngineError> {
    if !filter.table(&table.database, &table.table) {
        return Ok(None);
    }
    let place = Place { table: Some(format!("{}.{}", table.database, table.table)), ..Place::default() };
    let compiled = match outboxes.iter().find(|rule| rule.covers(&table.database, &table.table)) {
        Some(rule) => OutboxPlan::compile(table, description, options, &rule.options).map(Compiled::Outbox),
        None => Plan::compile(table, description, options).map(Compiled::Table),
    };
    let compiled =
        compiled.map_err(|error| EngineError::configuration(error.to_string()).at(place).caused_by(error))?;
    let notes = match &compiled {
        Compiled::Table(plan) => plan.notes(),
        Compiled::Outbox(plan) => plan.notes(),
    };
    for note in notes {
        notices.warn(note);
    }
    Ok(Some(compiled))
}
