//! How a snapshot is taken, and for what.

/// How a snapshot is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Longest wait for a read lock at a time (`snapshot.lock.timeout.ms`); writers may wait behind it as long.
    pub lock_timeout_ms: u64,
    /// Longest time in which MySQL is asked for a view without a lock, before a lock is tried.
    pub quiet_limit_ms: u64,
    /// Size at which a chunk is given to the caller.
    pub chunk_bytes: usize,
    /// Longest time that the server waits for a slow caller.
    pub write_timeout_ms: u64,
    /// What the caller wants of the tables.
    pub content: SnapshotContent,
}

/// What a snapshot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotContent {
    /// Shapes and rows.
    Rows,
    /// Shapes and the position alone: no table has to be locked for its rows.
    Shapes,
}

impl Default for SnapshotOptions {
    fn default() -> SnapshotOptions {
        SnapshotOptions {
            lock_timeout_ms: 1_000,
            quiet_limit_ms: 3_000,
            chunk_bytes: 1 << 20,
            write_timeout_ms: 24 * 3_600_000,
            content: SnapshotContent::Rows,
        }
    }
}
