//! What an application tells the world: one event about one aggregate.

mod id;

use std::time::SystemTime;

use serde::Serialize;

use crate::{Error, Value};

pub use id::EventId;

/// An event of the application's domain: its type, the aggregate that it is about, and a payload by serde.
pub trait DomainEvent: Serialize {
    /// Kind of aggregate, by which events are routed to topics; `pedido`.
    const AGGREGATE_TYPE: &'static str;
    /// Type of the event; `PedidoCreado`.
    const TYPE: &'static str;

    /// Returns the aggregate's id, the key by which consumers keep the order.
    fn aggregate_id(&self) -> String;
}

/// The body of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Text, most often JSON.
    Text(String),
    /// Bytes, such as Avro or Protobuf; needs a binary column.
    Bytes(Vec<u8>),
    /// No body: stored as NULL, which routers can turn into a tombstone.
    Empty,
}

/// One event, complete but for its place in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub(crate) id: EventId,
    pub(crate) aggregate_type: String,
    pub(crate) aggregate_id: String,
    pub(crate) event_type: String,
    pub(crate) payload: Payload,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) fields: Vec<(String, Value)>,
    pub(crate) timestamp: SystemTime,
}

impl Event {
    /// Makes an event with a new id and the present time.
    pub fn new(
        aggregate_type: impl Into<String>,
        aggregate_id: impl Into<String>,
        event_type: impl Into<String>,
        payload: Payload,
    ) -> Event {
        Event {
            id: EventId::generate(),
            aggregate_type: aggregate_type.into(),
            aggregate_id: aggregate_id.into(),
            event_type: event_type.into(),
            payload,
            headers: Vec::new(),
            fields: Vec::new(),
            timestamp: SystemTime::now(),
        }
    }

    /// Makes an event of any value that serde can write as JSON.
    ///
    /// # Errors
    /// [`Error::Payload`] when serde cannot.
    pub fn json<T: Serialize + ?Sized>(
        aggregate_type: impl Into<String>,
        aggregate_id: impl Into<String>,
        event_type: impl Into<String>,
        payload: &T,
    ) -> Result<Event, Error> {
        let event_type = event_type.into();
        match serde_json::to_string(payload) {
            Ok(text) => Ok(Event::new(aggregate_type, aggregate_id, event_type, Payload::Text(text))),
            Err(source) => Err(Error::Payload { event_type, source }),
        }
    }

    /// Makes the event of a typed domain event, its JSON as the payload.
    ///
    /// # Errors
    /// [`Error::Payload`] when serde cannot write it.
    pub fn of<T: DomainEvent>(event: &T) -> Result<Event, Error> {
        Event::json(T::AGGREGATE_TYPE, event.aggregate_id(), T::TYPE, event)
    }

    /// Replaces the id, for example by one that a request brought along.
    pub fn with_id(mut self, id: EventId) -> Event {
        self.id = id;
        self
    }

    /// Replaces the event's time; columns show it in UTC.
    pub fn with_timestamp(mut self, timestamp: SystemTime) -> Event {
        self.timestamp = timestamp;
        self
    }

    /// Adds a header; the layout needs a column for headers. A name that is there already takes the new text.
    pub fn with_header(mut self, name: impl Into<String>, text: impl Into<String>) -> Event {
        let (name, text) = (name.into(), text.into());
        self.headers.retain(|(there, _)| *there != name);
        self.headers.push((name, text));
        self
    }

    /// Sets the value of a column that the layout declares as [`Content::Field`](crate::Content::Field).
    pub fn with_field(mut self, column: impl Into<String>, value: impl Into<Value>) -> Event {
        let column = column.into();
        self.fields.retain(|(there, _)| *there != column);
        self.fields.push((column, value.into()));
        self
    }

    /// Returns the event's id.
    pub fn id(&self) -> EventId {
        self.id
    }
}
