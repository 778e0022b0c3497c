//! The two ways of a source's messages.

/// Which of a source's two producers of a topic a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Rows of a snapshot: at least once, because a snapshot that was interrupted is read again.
    Snapshot,
    /// Changes of the log: exactly once.
    Stream,
}
