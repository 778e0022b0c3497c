//! Options of a snapshot.

/// Options of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Longest wait of one attempt to get a read lock (`snapshot.lock.timeout.ms`). Writers may wait behind it as long.
    pub lock_timeout_ms: u64,
    /// Longest time for opening a view without a lock on MySQL, before a lock is tried.
    pub quiet_limit_ms: u64,
    /// Size at which a chunk is full.
    pub chunk_bytes: usize,
    /// Longest time that the server waits for a caller that does not read (`net_write_timeout`).
    pub write_timeout_ms: u64,
    /// What the caller wants to know about the tables.
    pub content: SnapshotContent,
}

/// What a snapshot reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotContent {
    /// Shapes and rows.
    Rows,
    /// Only the shapes and the position. No table is locked, because no row is read.
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
