//! The identity of a log: the topic's name and incarnation.
//!
//! A topic that is deleted and created again has the same name, but is another topic: positions, sequence ids and
//! cursors of the former one mean nothing for it. So each life of a topic has a random number, its incarnation, which
//! is in the metadata and in the head of every segment. A folder is opened only for the topic that its segments name.

use std::fmt;

/// Name and incarnation of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicIdentity {
    /// Canonical name.
    pub name: String,
    /// Random number from the topic's creation.
    pub incarnation: u128,
}

impl TopicIdentity {
    /// Creates the identity of a new topic.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), incarnation: rand::random() }
    }
}

impl fmt::Display for TopicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (incarnation {:032x})", self.name, self.incarnation)
    }
}

/// What the metadata knows about a log before it is opened.
#[derive(Debug, Clone)]
pub(crate) struct KnownLog {
    /// The topic that the log belongs to.
    pub identity: TopicIdentity,
    /// Segments below this number were in the folder when the topic was adopted. They may have a head of the first
    /// version, which names no topic.
    pub adopted_below: u64,
    /// The log's durable end when it was last stored.
    pub durable: DurableEnd,
}

/// The end of the durable part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DurableEnd {
    /// Number of the last segment.
    pub ledger: u64,
    /// First offset that was not durable.
    pub offset: u64,
}
