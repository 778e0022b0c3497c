//! The one error of this crate: what happened, where, and what to do about it.

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name cannot be one of a table or column.
    #[error("{name:?} cannot be the name of a table or column: {reason}; use another name")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A layout cannot hold events.
    #[error("the layout of table {table} cannot hold events: {reason}; change the layout")]
    Layout {
        /// The table.
        table: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text is not an event id.
    #[error("{text:?} is no event id; an event id is a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91")]
    EventId {
        /// The text.
        text: String,
    },
    /// The payload cannot be written as JSON.
    #[error("the payload of event {event_type} cannot be written as JSON: {source}; change the type's serialization")]
    Payload {
        /// The event's type.
        event_type: String,
        /// Cause given by serde.
        source: serde_json::Error,
    },
    /// An event does not fit the layout; nothing was sent to the server.
    #[error("event {id} does not fit column {column} of table {table}: {reason}; change the event or the layout")]
    Event {
        /// The event's id.
        id: String,
        /// The table.
        table: String,
        /// The column, or the name that has no column.
        column: String,
        /// What does not fit.
        reason: String,
    },
    /// A consumer's name or an event id does not fit the inbox; nothing was sent to the server.
    #[error("{what} {text:?} does not fit the inbox {table}: it must have 1 to {limit} characters; use a shorter one")]
    Inbox {
        /// Consumer or event id.
        what: &'static str,
        /// The text.
        text: String,
        /// The inbox table.
        table: String,
        /// The column's length in characters.
        limit: u32,
    },
    /// An existing table cannot be used.
    #[error("table {table} cannot be used: {reason}; {remedy}")]
    Table {
        /// The table.
        table: String,
        /// What does not fit.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The server's settings would lose events of this variant.
    #[error("the server would lose events of table {table}: {reason}; {remedy}, or use the plain variant")]
    Server {
        /// The table.
        table: String,
        /// The setting.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A cleaner's options cannot be used.
    #[error("table {table} cannot be cleaned: {reason}")]
    Cleaner {
        /// The table.
        table: String,
        /// What is wrong, and the remedy.
        reason: &'static str,
    },
    /// The server or the connection refused a statement. The transaction holds nothing of it: roll back, and repeat the
    /// whole transaction where [`Error::is_transient`] says so.
    #[error("the statement {} failed: {source}; roll the transaction back", short(statement))]
    Database {
        /// The statement, without its values.
        statement: String,
        /// The server's error number, where the server answered.
        code: Option<u16>,
        /// The driver's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A statement's beginning; the rest of a long one is placeholders.
fn short(statement: &str) -> String {
    match statement.char_indices().nth(120) {
        Some((end, _)) => format!("{:?} …", statement.get(..end).unwrap_or_default()),
        None => format!("{statement:?}"),
    }
}

/// ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK of both servers.
const TRANSIENT: [u16; 2] = [1205, 1213];

impl Error {
    /// Returns whether repeating the whole transaction can help: a deadlock, or a lock that another transaction kept.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Database { code: Some(code), .. } if TRANSIENT.contains(code))
    }
}
