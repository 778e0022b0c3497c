//! Whose log a folder holds: the topic's name, and which life of it.
//!
//! A topic that is deleted and made again has the same name and is another topic: positions, sequence ids and cursors
//! of the former one mean nothing for it. So each life has a random number, its incarnation, which stands in the
//! metadata and in the head of every segment. A folder is opened only for the topic that its segments name.

use std::fmt;

/// Name and incarnation of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicIdentity {
    /// Canonical name.
    pub name: String,
    /// Made at random when the topic was created.
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

/// What is known of a log before it is opened.
#[derive(Debug, Clone)]
pub(crate) struct KnownLog {
    /// Whose it is.
    pub identity: TopicIdentity,
    /// Segments below this number may have a head of the first version, which names no topic: they were in the folder
    /// when the topic was adopted.
    pub adopted_below: u64,
    /// How far it was durable when that was last stored.
    pub durable: DurableEnd,
}

/// How far a log is known to have been durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DurableEnd {
    /// Number of the last segment.
    pub ledger: u64,
    /// First offset that was not durable.
    pub offset: u64,
}
