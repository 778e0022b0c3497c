//! The topics that a source writes to: which of them are open, and how far each one is.
//!
//! A captured table's topic stays open. Topics that rows of outboxes name are as many as the application likes, so only
//! a bounded number of them is open at once. The least recently used one is closed for the next, after everything that
//! was sent to it is durable, and opened again when a row asks for it. Of a closed topic the name and the last sequence
//! id are kept, so a replayed row is not sent to it twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bitacora_change::MessageSchema;

use crate::error::EngineError;
use crate::sink::{Lane, Sink, TopicId};

/// A topic of [`Topics`], open or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopicIndex(pub(super) usize);

/// A topic that the source writes to.
#[derive(Debug)]
struct Topic {
    name: String,
    lane: Lane,
    schema: Arc<MessageSchema>,
    /// `None` while its producer is closed.
    id: Option<TopicId>,
    /// Number of the last use by a row that named it; `None` for a topic that stays open.
    last_use: Option<u64>,
    /// The highest sequence id that was handed to the sink or that the sink had before.
    sent: Option<u64>,
}

/// The topics of one lane.
#[derive(Debug)]
pub(crate) struct Topics {
    topics: Vec<Topic>,
    by_name: HashMap<String, TopicIndex>,
    /// Open topics that rows named, by their last use.
    routed: BTreeMap<u64, TopicIndex>,
    routed_max: usize,
    use_count: u64,
    /// The schema that was met last, which topics of the same outbox share.
    last_schema: Option<Arc<MessageSchema>>,
}

impl Topics {
    /// Begins without a topic; at most `routed_max` of those that rows name are open at once, and at least one.
    pub(crate) fn new(routed_max: usize) -> Self {
        Topics {
            topics: Vec::new(),
            by_name: HashMap::new(),
            routed: BTreeMap::new(),
            routed_max: routed_max.max(1),
            use_count: 0,
            last_schema: None,
        }
    }

    /// Opens a topic for good, or changes the schema of an open one; gives its index.
    ///
    /// # Errors
    /// The sink refuses.
    pub(crate) fn open(
        &mut self,
        sink: &mut impl Sink,
        lane: Lane,
        name: &str,
        schema: &MessageSchema,
    ) -> Result<TopicIndex, EngineError> {
        let index = self.reach(sink, lane, name, schema)?;
        if let Some(last_use) = self.topics.get_mut(index.0).and_then(|topic| topic.last_use.take()) {
            self.routed.remove(&last_use);
        }
        Ok(index)
    }

    /// Opens a topic whose schema never changes; gives its index.
    ///
    /// # Errors
    /// As [`Topics::open`].
    pub(crate) fn open_once(
        &mut self,
        sink: &mut impl Sink,
        lane: Lane,
        name: &str,
        schema: &MessageSchema,
    ) -> Result<TopicIndex, EngineError> {
        match self.by_name.get(name) {
            Some(index) => Ok(*index),
            None => self.open(sink, lane, name, schema),
        }
    }

    /// Opens a topic that a row names, if it is not open; another one may be closed for it. Gives its index.
    ///
    /// # Errors
    /// As [`Topics::open`].
    pub(crate) fn route(
        &mut self,
        sink: &mut impl Sink,
        lane: Lane,
        name: &str,
        schema: &MessageSchema,
    ) -> Result<TopicIndex, EngineError> {
        let known = self.by_name.get(name).and_then(|index| self.topics.get(index.0));
        let is_open = known.is_some_and(|topic| topic.id.is_some());
        let stays_open = is_open && known.is_some_and(|topic| topic.last_use.is_none());
        if !is_open {
            self.make_room(sink)?;
        }
        let index = self.reach(sink, lane, name, schema)?;
        if !stays_open {
            self.note_use(index);
        }
        Ok(index)
    }

    /// Returns whether a topic of that name was ever opened here.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Claims a sequence id for the next message of a topic; `None` if the sink has that id already.
    ///
    /// # Errors
    /// The topic was closed, and the sink refuses to open it again.
    pub(crate) fn claim(
        &mut self,
        sink: &mut impl Sink,
        index: TopicIndex,
        sequence_id: u64,
    ) -> Result<Option<TopicId>, EngineError> {
        let Some(topic) = self.topics.get_mut(index.0) else { return Ok(None) };
        if topic.sent.is_some_and(|sent| sequence_id <= sent) {
            return Ok(None);
        }
        topic.sent = Some(sequence_id);
        if topic.id.is_some() {
            return Ok(topic.id);
        }
        // Its topic was closed while the message waited in a prepared transaction.
        self.make_room(sink)?;
        let id = match self.topics.get_mut(index.0) {
            Some(topic) => *topic.id.insert(sink.open(topic.lane, &topic.name, &topic.schema)?.topic),
            None => return Ok(None),
        };
        self.note_use(index);
        Ok(Some(id))
    }

    fn reach(
        &mut self,
        sink: &mut impl Sink,
        lane: Lane,
        name: &str,
        schema: &MessageSchema,
    ) -> Result<TopicIndex, EngineError> {
        if let Some(index) = self.by_name.get(name).copied() {
            let is_ready = self.topics.get(index.0).is_some_and(|topic| topic.id.is_some() && *topic.schema == *schema);
            if !is_ready {
                let schema = self.shared(schema);
                if let Some(topic) = self.topics.get_mut(index.0) {
                    topic.id = Some(sink.open(lane, name, &schema)?.topic);
                    topic.schema = schema;
                }
            }
            return Ok(index);
        }
        let opened = sink.open(lane, name, schema)?;
        let index = TopicIndex(self.topics.len());
        let schema = self.shared(schema);
        self.topics.push(Topic {
            name: name.to_owned(),
            lane,
            schema,
            id: Some(opened.topic),
            last_use: None,
            sent: opened.last_sequence_id,
        });
        self.by_name.insert(name.to_owned(), index);
        Ok(index)
    }

    fn shared(&mut self, schema: &MessageSchema) -> Arc<MessageSchema> {
        match &self.last_schema {
            Some(last) if **last == *schema => Arc::clone(last),
            _ => Arc::clone(self.last_schema.insert(Arc::new(schema.clone()))),
        }
    }

    /// Closes topics that rows named until one more may be open, the least recently used first.
    fn make_room(&mut self, sink: &mut impl Sink) -> Result<(), EngineError> {
        while self.routed.len() >= self.routed_max {
            let Some((_, index)) = self.routed.pop_first() else { return Ok(()) };
            let Some(topic) = self.topics.get_mut(index.0) else { continue };
            topic.last_use = None;
            if let Some(id) = topic.id.take() {
                sink.close(id)?;
            }
        }
        Ok(())
    }

    fn note_use(&mut self, index: TopicIndex) {
        self.use_count += 1;
        if let Some(topic) = self.topics.get_mut(index.0)
            && let Some(before) = topic.last_use.replace(self.use_count)
        {
            self.routed.remove(&before);
        }
        self.routed.insert(self.use_count, index);
    }
}
