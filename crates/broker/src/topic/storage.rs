//! The topic's view of its log: dense offsets in front, message ids behind.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

/// Ledger and entry of a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Number of the segment.
    pub ledger: u64,
    /// Index of the entry in it.
    pub entry: u64,
}

/// An entry to be appended.
#[derive(Debug, Clone)]
pub struct Record {
    /// Stored bytes.
    pub bytes: Bytes,
    /// Publish time of the client (ms since the epoch).
    pub publish_time_ms: u64,
    /// Messages in it.
    pub message_count: u32,
}

/// Why the log did not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct StorageError(pub String);

/// Called by the log's commit thread with the first offset that is not durable, or with the failure of a write.
pub type OnDurable = Box<dyn Fn(Result<u64, StorageError>) + Send + Sync>;

/// The log of one topic.
#[derive(Default)]
pub struct TopicLog {
    entries: Mutex<Vec<Record>>,
    on_durable: OnceLock<std::sync::Arc<OnDurable>>,
}

impl TopicLog {
    /// Sets who is told of durable entries; once.
    pub fn on_durable(&self, callback: OnDurable) {
        let _ = self.on_durable.set(std::sync::Arc::new(callback));
    }

    /// Appends an entry and gives its offset. Not durable before the callback has said so.
    pub fn append(&self, record: Record) -> Result<u64, StorageError> {
        let mut entries = self.lock();
        entries.push(record);
        let end = entries.len() as u64;
        if let Some(callback) = self.on_durable.get().cloned() {
            tokio::spawn(async move { callback(Ok(end)) });
        }
        Ok(end - 1)
    }

    /// Gives the first offset that still exists.
    pub fn first(&self) -> u64 {
        0
    }

    /// Gives the offset of the next entry.
    pub fn end(&self) -> u64 {
        self.lock().len() as u64
    }

    /// Gives the first offset that is not durable.
    pub fn durable_end(&self) -> u64 {
        self.end()
    }

    /// Gives the message id of an offset.
    pub fn position(&self, offset: u64) -> Position {
        Position { ledger: 0, entry: offset }
    }

    /// Gives the offset of an existing entry.
    pub fn offset(&self, position: Position) -> Option<u64> {
        (position.ledger == 0 && position.entry < self.end()).then_some(position.entry)
    }

    /// Gives the offset of the first entry at or after a position.
    pub fn offset_at_or_after(&self, position: Position) -> u64 {
        if position.ledger > 0 { self.end() } else { position.entry.min(self.end()) }
    }

    /// Gives the stored bytes.
    pub fn stored_bytes(&self) -> u64 {
        self.lock().iter().map(|r| r.bytes.len() as u64).sum()
    }

    /// Reads `start..end`, at least one entry, up to about `max_bytes`.
    pub async fn read(&self, start: u64, end: u64, max_bytes: usize) -> Result<Vec<(u64, Bytes)>, StorageError> {
        let entries = self.lock();
        let mut bytes = 0;
        let mut out = Vec::new();
        for (i, record) in entries.iter().enumerate().take(end as usize).skip(start as usize) {
            if bytes >= max_bytes {
                break;
            }
            bytes += record.bytes.len();
            out.push((i as u64, record.bytes.clone()));
        }
        Ok(out)
    }

    /// Finds the first entry that was published at or after a time.
    pub async fn offset_at_time(&self, time_ms: u64) -> Result<u64, StorageError> {
        let entries = self.lock();
        Ok(entries.iter().position(|r| r.publish_time_ms >= time_ms).unwrap_or(entries.len()) as u64)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for TopicLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicLog").field("end", &self.end()).finish_non_exhaustive()
    }
}
