//! The one way of a row to the sink, of a snapshot and of the log alike.
//!
//! 1. [`RowWriter::encode`]: the plan of the row's table writes its messages into the buffer, or the row of an outbox
//!    names its topic. A row that is too large for every broker is cut, or stops the source.
//! 2. [`RowWriter::send`]: each message gets its sequence id. It waits ([`Held`]), or claims the id at its topic and is
//!    appended.
//!
//! The steps are apart because their errors differ: what fails in the first is the row's fault, and the error names the
//! row's place.

use std::sync::Arc;

use bitacora_binlog::{Row, TableMap};
use bitacora_change::{MessageBuffer, TableDescription};

use super::row_rules::{RowOrigin, RowRules};
use super::tables::{Captured, Compiled, Known, Slot, compile};
use super::topic_owners::{TopicOwners, owner_name};
use super::topics::{TopicIndex, Topics};
use super::waiting::held::Held;
use crate::error::{EngineError, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::sink::{Lane, OutgoingMessage, Sink};

/// Where rows become messages, and messages go out.
#[derive(Debug)]
pub(super) struct RowWriter<S> {
    pub rules: RowRules,
    pub sink: S,
    pub metrics: Arc<SourceMetrics>,
    pub topics: Topics,
    pub owners: TopicOwners,
    pub lane: Lane,
    /// The messages of the row, or of the statement, that is being written.
    pub buffer: MessageBuffer,
}

/// What is in the buffer, and where it goes.
#[derive(Clone, Copy)]
pub(super) struct Encoded<'a> {
    topic: TopicIndex,
    /// The row's origin if one of its messages is too large: a dead letter may take its place.
    too_large: Option<RowOrigin<'a>>,
}

impl Encoded<'_> {
    /// Messages that are no row's.
    pub(super) fn statement(topic: TopicIndex) -> Self {
        Encoded { topic, too_large: None }
    }
}

/// What was sent; added to the figures once for an event and not for each row.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sent {
    pub messages: u64,
    /// Messages that the sink already had.
    pub repeated: u64,
}

/// The tables that a source knows when it meets a new one.
pub(super) struct KnownTables<N, T> {
    /// Database and table of each.
    pub names: N,
    /// Whether a table still exists, by its name as the owner of a topic.
    pub is_there: T,
}

impl<S: Sink> RowWriter<S> {
    /// Creates a writer that has opened no topic yet.
    pub(super) fn new(rules: RowRules, sink: S, metrics: Arc<SourceMetrics>, lane: Lane) -> Self {
        let topics = Topics::new(rules.open_topics_max);
        let (owners, buffer) = (TopicOwners::default(), MessageBuffer::default());
        RowWriter { rules, sink, metrics, topics, owners, lane, buffer }
    }

    /// Compiles the plan of a table and opens its topic.
    ///
    /// # Errors
    /// Those of [`compile`]; another table has the topic; the sink refuses it.
    pub(super) fn open_table<'a>(
        &mut self,
        table: &TableMap,
        described: Known<'_>,
        known: KnownTables<impl Iterator<Item = (&'a str, &'a str)>, impl Fn(&str) -> bool>,
    ) -> Result<Slot, EngineError> {
        let RowRules { plan, filter, outboxes, .. } = &self.rules;
        self.owners.seed(known.names, (plan, filter, outboxes));
        Ok(match compile(table, described, &self.rules)? {
            None => Slot::Ignored,
            Some(Compiled::Outbox(plan)) => Slot::Outbox(Box::new(plan)),
            Some(Compiled::Table(plan)) => {
                let name = owner_name(&table.database, &table.table);
                self.owners.claim(&self.topics, plan.topic(), &name, self.rules.collision(), known.is_there)?;
                let topic = self.topics.open(&mut self.sink, self.lane, plan.topic(), plan.message_schema())?;
                Slot::Captured(Box::new(Captured { plan, topic }))
            }
        })
    }

    /// Writes the messages of a row into the buffer; `None` if it has none.
    ///
    /// # Errors
    /// The row cannot be encoded or routed; it is too large and the policy is to stop; the sink refuses a topic.
    pub(super) fn encode<'a>(
        &mut self,
        slot: &Slot,
        row: &Row<'_>,
        origin: RowOrigin<'a>,
        describe: impl FnOnce() -> Option<TableDescription>,
    ) -> Result<Option<Encoded<'a>>, EngineError> {
        self.buffer.clear();
        let topic = match slot {
            Slot::Captured(captured) => {
                let encoded = captured.plan.encode(row, origin.operation, origin.context, &mut self.buffer);
                encoded.map_err(|error| EngineError::quoting(ErrorKind::Row, error))?;
                Some(captured.topic)
            }
            Slot::Outbox(plan) => self.route(plan, row, origin)?,
            Slot::Ignored => None,
        };
        let Some(topic) = topic else { return Ok(None) };
        let metadata_bytes_max = self.sink.metadata_bytes_max();
        if self.rules.large_rows.excess_of_row(&self.buffer, metadata_bytes_max).is_none() {
            return Ok(Some(Encoded { topic, too_large: None }));
        }
        origin.settle(row, &self.rules, metadata_bytes_max, describe, &mut self.buffer)?;
        Ok(Some(Encoded { topic, too_large: Some(origin) }))
    }

    /// Sends what is in the buffer. `sequence_id` gives the id of each message by its number; with `held` the messages
    /// wait.
    ///
    /// # Errors
    /// The sink has failed, or refuses a topic; a snapshot gives an id that a topic already has.
    pub(super) fn send(
        &mut self,
        encoded: Encoded<'_>,
        mut sequence_id: impl FnMut(u32) -> u64,
        mut held: Option<&mut Held>,
        sent: &mut Sent,
    ) -> Result<(), EngineError> {
        for (number, message) in (0_u32..).zip(self.buffer.messages()) {
            let sequence_id = sequence_id(number);
            let letter = match encoded.too_large {
                Some(origin) => {
                    let ways = (&mut self.sink, &mut self.topics, &*self.metrics, self.lane);
                    origin.letter(&self.rules, &self.buffer, message, ways)?
                }
                None => None,
            };
            let (topic, buffer, message) = match &letter {
                None => (encoded.topic, &self.buffer, message),
                Some((topic, letter)) => (*topic, letter, letter.messages().first().unwrap_or(message)),
            };
            if let Some(held) = &mut held {
                held.push(topic, sequence_id, buffer, message);
            } else if let Some(topic) = self.topics.claim(&mut self.sink, topic, sequence_id)? {
                sent.messages += 1;
                self.sink.append(topic, OutgoingMessage::of(buffer, message, sequence_id))?;
            } else if self.lane == Lane::Snapshot {
                return Err(EngineError::new(
                    ErrorKind::Fault,
                    "a topic already has a sequence id that this snapshot gives for the first time",
                )
                .remedy("report it with the log"));
            } else {
                sent.repeated += 1;
            }
        }
        Ok(())
    }

    /// Sends messages that waited.
    ///
    /// # Errors
    /// The sink has failed, or refuses a topic.
    pub(super) fn release<'h>(
        &mut self,
        messages: impl Iterator<Item = (TopicIndex, OutgoingMessage<'h>)>,
    ) -> Result<(), EngineError> {
        for (index, message) in messages {
            match self.topics.claim(&mut self.sink, index, message.sequence_id)? {
                Some(topic) => {
                    self.metrics.message_count.add(1);
                    self.sink.append(topic, message)?;
                }
                None => self.metrics.repeated_message_count.add(1),
            }
        }
        Ok(())
    }

    /// Adds to the figures what was sent.
    pub(super) fn count(&self, sent: Sent) {
        self.metrics.message_count.add(sent.messages);
        self.metrics.repeated_message_count.add(sent.repeated);
    }
}
