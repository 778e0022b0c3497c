//! What a log and the commit thread share: the segments, the durable end, and the newest entries.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;

use crate::storage::{StorageError, TopicIdentity, head::Previous, segment::Index};

/// Most indexes of sealed segments that one log keeps in memory, each of at most 400 KB. Other segments are scanned
/// again.
const SEALED_INDEXES: usize = 32;

/// Ledger and entry of a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    /// Number of the segment.
    pub ledger: u64,
    /// Index of the entry in it.
    pub entry: u64,
}

/// An entry to append.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Stored bytes.
    pub bytes: Bytes,
    /// Publish time of the client (ms since the epoch).
    pub publish_time_ms: u64,
    /// Number of messages in the entry.
    pub message_count: u32,
}

/// A segment of a log, for stats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentStats {
    /// Number of the segment.
    pub ledger: u64,
    /// Entries in it.
    pub entry_count: u64,
    /// Bytes of its file.
    pub bytes: u64,
}

/// The callback that the commit thread calls with the first offset that is not durable, or with the error of a write.
pub(crate) type OnDurable = Box<dyn Fn(Result<u64, StorageError>) + Send + Sync>;

/// What log and commit thread share.
pub(in crate::storage) struct SharedLog {
    pub(in crate::storage) folder: PathBuf,
    pub(in crate::storage) identity: TopicIdentity,
    state: Mutex<State>,
    pub(super) on_durable: OnceLock<OnDurable>,
    pub(super) deleted: AtomicBool,
}

#[derive(Debug, Default)]
pub(in crate::storage) struct State {
    pub(super) segments: Vec<Segment>,
    /// The highest known number of a segment, even of a lost one.
    pub(super) last_ledger: u64,
    /// Whether the last segment may still grow. A segment that was found at the opening never grows.
    pub(super) is_growing: bool,
    /// Sealed segments whose index is in memory, least recently used first.
    pub(super) indexed: VecDeque<u64>,
    pub(super) end: u64,
    pub(super) durable_end: u64,
    pub(super) tail: VecDeque<Bytes>,
    pub(super) tail_bytes: usize,
    /// The log's end at the last call of `drop_idle_tail`.
    pub(super) tail_seen: u64,
    pub(super) failed: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) ledger: u64,
    pub(super) base: u64,
    pub(super) entry_count: u64,
    pub(super) bytes: u64,
    pub(super) head_bytes: u64,
    pub(super) previous: Option<Previous>,
    /// `None` if the index is not in memory: it was never read, or other segments were read since.
    pub(super) index: Option<Arc<Index>>,
}

impl SharedLog {
    pub(in crate::storage) fn new(folder: PathBuf, identity: TopicIdentity) -> Self {
        Self { folder, identity, state: Mutex::default(), on_durable: OnceLock::new(), deleted: AtomicBool::new(false) }
    }

    /// Returns whether the log was deleted.
    pub(in crate::storage) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Takes the outcome of a round from the commit thread. The lock is released before the callback is called, because
    /// the callback reads the log.
    pub(in crate::storage) fn committed(&self, outcome: Result<u64, StorageError>) {
        {
            let mut state = self.lock();
            match &outcome {
                Ok(end) => state.durable_end = *end,
                Err(error) => state.failed = Some(error.to_string()),
            }
        }
        if let Some(callback) = self.on_durable.get() {
            callback(outcome);
        }
    }

    /// Returns whether an earlier write failed.
    pub(in crate::storage) fn has_failed(&self) -> bool {
        self.lock().failed.is_some()
    }

    pub(in crate::storage) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Segment {
    pub(super) fn as_previous(&self) -> Previous {
        Previous { ledger: self.ledger, bytes: self.bytes }
    }
}

impl State {
    /// Records that the index of a segment was used, and drops the least recently used one if there are too many.
    pub(super) fn note_index(&mut self, ledger: u64) {
        if self.is_growing && self.segments.last().is_some_and(|segment| segment.ledger == ledger) {
            return;
        }
        self.indexed.retain(|known| *known != ledger);
        self.indexed.push_back(ledger);
        if self.indexed.len() > SEALED_INDEXES
            && let Some(oldest) = self.indexed.pop_front()
            && let Some(segment) = self.segments.iter_mut().find(|segment| segment.ledger == oldest)
        {
            segment.index = None;
        }
    }
}

impl std::fmt::Debug for SharedLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedLog").field("folder", &self.folder).finish_non_exhaustive()
    }
}
