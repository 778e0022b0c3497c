//! The log of one topic: dense offsets in front, message ids (ledger and entry) behind.
//!
//! Appending only fixes the place; writing and syncing are the commit thread's. A segment gets a new number at each
//! roll and at the first append after an open, and numbers follow the clock, so ids never repeat. The newest entries stay in memory for consumers that
//! keep up; older ones are read from the files.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;

use super::{
    Committer, DurableEnd, KnownLog, StorageError, TopicIdentity,
    commit::Job,
    head::{self, Previous},
    recovery::{self, Tail},
    segment::{self, Found, Index, Start},
};

const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of the newest entries that one log keeps in memory.
const TAIL_BYTES: usize = 1024 * 1024;
/// Indexes of sealed segments that one log keeps in memory, 400 KB each at most; the others are scanned again.
const SEALED_INDEXES: usize = 32;

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

/// A segment of a log, for stats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentStats {
    /// Number of the segment.
    pub ledger: u64,
    /// Entries in it.
    pub entry_count: u64,
    /// Bytes of its file.
    pub bytes: u64,
}

/// Called by the commit thread with the first offset that is not durable, or with the failure of a write.
pub type OnDurable = Box<dyn Fn(Result<u64, StorageError>) + Send + Sync>;

/// The log of one topic.
#[derive(Debug)]
pub struct TopicLog {
    shared: Arc<Shared>,
    committer: Arc<Committer>,
    damage: Vec<StorageError>,
    lost: u64,
}

/// What log and commit thread share.
pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) identity: TopicIdentity,
    state: Mutex<State>,
    on_durable: OnceLock<OnDurable>,
    deleted: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    segments: Vec<Segment>,
    /// The last number that is known to have been given, of a segment that is here or was lost.
    last_ledger: u64,
    /// Whether the last segment may still grow; not so for those found at the opening.
    is_growing: bool,
    /// Sealed segments whose index is in memory, least recently used first.
    indexed: VecDeque<u64>,
    end: u64,
    durable_end: u64,
    tail: VecDeque<Bytes>,
    tail_bytes: usize,
    /// The end at the last call of `drop_idle_tail`.
    tail_seen: u64,
    failed: Option<String>,
}

#[derive(Debug, Clone)]
struct Segment {
    ledger: u64,
    base: u64,
    entry_count: u64,
    bytes: u64,
    head_bytes: u64,
    previous: Option<Previous>,
    /// `None` until it is read, and again when others were read since.
    index: Option<Arc<Index>>,
}

impl TopicLog {
    pub(super) fn open(folder: PathBuf, committer: Arc<Committer>, known: KnownLog) -> Result<Self, StorageError> {
        let recovered = recovery::recover(&folder, &known)?;
        let shared = Shared::new(folder, known.identity);
        let mut state = shared.lock();
        for found in recovered.segments {
            state.end = found.base + found.entry_count;
            let previous = state.segments.last().map(Segment::as_previous);
            state.segments.push(Segment {
                ledger: found.ledger,
                base: found.base,
                entry_count: found.entry_count,
                bytes: found.bytes,
                head_bytes: found.head_bytes,
                previous,
                index: found.index.map(Arc::new),
            });
        }
        state.durable_end = state.end;
        let last = state.segments.last().map(|segment| segment.ledger);
        state.last_ledger = last.unwrap_or(0).max(known.durable.ledger);
        if let Some(ledger) = last {
            state.note_index(ledger);
        }
        let lost = known.durable.offset.saturating_sub(state.end);
        drop(state);
        Ok(Self { shared: Arc::new(shared), committer, damage: recovered.damage, lost })
    }

    /// Returns the damage that was found when the log was opened; the entries concerned cannot be read.
    pub fn damage(&self) -> &[StorageError] {
        &self.damage
    }

    /// Returns how many entries were missing at the end when the log was opened: they had been durable before.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns how far the log is durable, for the metadata.
    pub fn durable(&self) -> DurableEnd {
        let state = self.shared.lock();
        DurableEnd { ledger: state.last_ledger, offset: state.durable_end }
    }

    /// Returns whether a position, which somebody kept, lies behind the end of the log.
    pub fn is_behind_end(&self, position: Position) -> bool {
        let state = self.shared.lock();
        let Some(last) = state.segments.last() else { return position != Position { ledger: 0, entry: 0 } };
        position.ledger > last.ledger || (position.ledger == last.ledger && position.entry > last.entry_count)
    }

    /// Sets who is told of durable entries; once.
    pub fn on_durable(&self, callback: OnDurable) {
        let _ = self.shared.on_durable.set(callback);
    }

    /// Appends an entry and gives its offset. It is not durable before the callback has said so.
    ///
    /// # Errors
    /// An earlier write failed.
    pub fn append(&self, record: Record) -> Result<u64, StorageError> {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        if let Some(reason) = &state.failed {
            return Err(StorageError::Poisoned(reason.clone()));
        }
        let offset = state.end;
        if !state.is_growing || state.segments.last().is_none_or(|segment| segment.bytes >= SEGMENT_BYTES) {
            let previous = state.segments.last().map(Segment::as_previous);
            let ledger = self.committer.next_ledger(state.last_ledger);
            let head_bytes = head::length(&self.shared.identity);
            let index = Some(Arc::new(Index::new(head_bytes)));
            state.segments.push(Segment {
                ledger,
                base: offset,
                entry_count: 0,
                bytes: head_bytes,
                head_bytes,
                previous,
                index,
            });
            state.last_ledger = ledger;
            state.is_growing = true;
            if let Some(sealed) = previous {
                state.note_index(sealed.ledger);
            }
        }
        let Some(segment) = state.segments.last_mut() else {
            return Err(StorageError::Poisoned("it has no segment".to_owned()));
        };
        if let Some(index) = &mut segment.index {
            let index = Arc::make_mut(index);
            index.add(record.bytes.len(), record.publish_time_ms);
            segment.bytes = index.end;
        }
        segment.entry_count += 1;
        state.end += 1;
        state.tail_bytes += record.bytes.len();
        state.tail.push_back(record.bytes.clone());
        let undurable = usize::try_from(state.end - state.durable_end).unwrap_or(usize::MAX);
        while state.tail_bytes > TAIL_BYTES && state.tail.len() > undurable {
            let Some(old) = state.tail.pop_front() else { break };
            state.tail_bytes -= old.len();
        }
        let start = Start { ledger: segment.ledger, base: segment.base, previous: segment.previous };
        let job = Job { log: Arc::clone(&self.shared), segment: start, end: state.end, record };
        // Under the lock: the commit thread must see the jobs of a log in their order.
        self.committer.push(job);
        Ok(offset)
    }

    /// Frees the entries kept in memory if none has come since the last call: thousands of idle topics hold nothing.
    pub fn drop_idle_tail(&self) {
        let mut state = self.shared.lock();
        if state.tail_seen == state.end && state.durable_end == state.end {
            state.tail = VecDeque::new();
            state.tail_bytes = 0;
        }
        state.tail_seen = state.end;
    }

    /// Lets go of the file and of the entries kept in memory. What still waits is not written, and nobody hears of it.
    pub fn delete(&self) {
        self.shared.deleted.store(true, Ordering::Release);
        let mut state = self.shared.lock();
        state.tail = VecDeque::new();
        state.tail_bytes = 0;
        drop(state);
        self.committer.forget_deleted();
    }

    /// Gives the first offset that still exists.
    pub fn first(&self) -> u64 {
        self.shared.lock().segments.first().map_or(0, |segment| segment.base)
    }

    /// Gives the offset of the next entry.
    pub fn end(&self) -> u64 {
        self.shared.lock().end
    }

    /// Gives the first offset that is not durable.
    pub fn durable_end(&self) -> u64 {
        self.shared.lock().durable_end
    }

    /// Gives the message id of an offset; past the end, the id that follows the last one.
    pub fn position(&self, offset: u64) -> Position {
        let state = self.shared.lock();
        let after = state.segments.partition_point(|segment| segment.base <= offset);
        match after.checked_sub(1).and_then(|i| state.segments.get(i)) {
            Some(segment) => Position { ledger: segment.ledger, entry: offset - segment.base },
            None => Position { ledger: 0, entry: offset },
        }
    }

    /// Gives the offset of an existing entry.
    pub fn offset(&self, position: Position) -> Option<u64> {
        let state = self.shared.lock();
        let i = state.segments.binary_search_by_key(&position.ledger, |segment| segment.ledger).ok()?;
        let segment = state.segments.get(i)?;
        (position.entry < segment.entry_count).then(|| segment.base + position.entry)
    }

    /// Gives the offset of the first entry at or after a position.
    pub fn offset_at_or_after(&self, position: Position) -> u64 {
        let state = self.shared.lock();
        let i = state.segments.partition_point(|segment| segment.ledger < position.ledger);
        match state.segments.get(i) {
            Some(segment) if segment.ledger == position.ledger => {
                segment.base + position.entry.min(segment.entry_count)
            }
            Some(segment) => segment.base,
            None => state.end,
        }
    }

    /// Gives the bytes of all files.
    pub fn stored_bytes(&self) -> u64 {
        self.shared.lock().segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Gives the segments, oldest first.
    pub fn segments(&self) -> Vec<SegmentStats> {
        let state = self.shared.lock();
        let stats = |s: &Segment| SegmentStats { ledger: s.ledger, entry_count: s.entry_count, bytes: s.bytes };
        state.segments.iter().map(stats).collect()
    }

    /// Reads durable entries from `start` on, before `end`: at least one, up to about `max_bytes`.
    ///
    /// # Errors
    /// A file cannot be read or is damaged.
    pub async fn read(&self, start: u64, end: u64, max_bytes: usize) -> Result<Vec<(u64, Bytes)>, StorageError> {
        if let Some(found) = self.read_tail(start, end, max_bytes) {
            return Ok(found);
        }
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let Some((segment, index)) = shared.segment_of(start)? else { return Ok(Vec::new()) };
            let wanted = start - segment.base;
            let Some(mark) = index.before_entry(wanted) else { return Ok(Vec::new()) };
            let path = segment::path(&shared.folder, segment.ledger);
            let (mut entry, mut at, mut found, mut bytes) = (mark.entry, mark.byte_offset, Vec::new(), 0);
            let last = end.min(segment.base + segment.entry_count);
            // Nothing behind the wanted entries is read: a consumer with few permits must not cost megabytes.
            let stop = index.at_or_after(last - segment.base);
            while segment.base + entry < last && bytes < max_bytes {
                for Found { entry: stored, .. } in segment::read_records(&path, at, stop, max_bytes)? {
                    at += (super::record::HEADER_BYTES + stored.len()) as u64;
                    let offset = segment.base + entry;
                    entry += 1;
                    if offset >= start && offset < last && (bytes < max_bytes || found.is_empty()) {
                        bytes += stored.len();
                        found.push((offset, stored));
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    /// Finds the first durable entry that was published at or after a time. Publish times are taken to rise from segment
    /// to segment, as Pulsar takes them to rise from entry to entry: a log of any length costs a few small reads and one
    /// segment.
    ///
    /// # Errors
    /// A file cannot be read or is damaged.
    pub async fn offset_at_time(&self, time_ms: u64) -> Result<u64, StorageError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let (segments, end) = {
                let state = shared.lock();
                let durable = state.segments.iter().filter(|s| s.entry_count > 0 && s.base < state.durable_end);
                (durable.map(|s| (s.ledger, s.base, s.head_bytes, s.bytes)).collect::<Vec<_>>(), state.durable_end)
            };
            // Those before `low` begin before the time, those from `high` on do not.
            let (mut low, mut high) = (0, segments.len());
            while low < high {
                let middle = low.midpoint(high);
                let Some((ledger, _, head_bytes, bytes)) = segments.get(middle) else { break };
                let path = segment::path(&shared.folder, *ledger);
                let first = segment::read_records(&path, *head_bytes, *bytes, 0)?;
                let begins_before = first.first().is_some_and(|found| found.publish_time_ms < time_ms);
                if begins_before { low = middle + 1 } else { high = middle }
            }
            let next = segments.get(low).map_or(end, |(_, base, ..)| *base);
            let Some((_, base, ..)) = low.checked_sub(1).and_then(|i| segments.get(i)) else { return Ok(next) };
            let Some((segment, index)) = shared.segment_of(*base)? else { return Ok(next) };
            let Some(mark) = index.before_time(time_ms) else { return Ok(segment.base) };
            if index.latest_ms() < time_ms {
                return Ok(next);
            }
            let path = segment::path(&shared.folder, segment.ledger);
            let (mut entry, mut at) = (mark.entry, mark.byte_offset);
            while segment.base + entry < end.min(segment.base + segment.entry_count) {
                for found in segment::read_records(&path, at, index.end, 0)? {
                    if found.publish_time_ms >= time_ms {
                        return Ok(end.min(segment.base + entry));
                    }
                    at += (super::record::HEADER_BYTES + found.entry.len()) as u64;
                    entry += 1;
                }
            }
            Ok(next)
        })
        .await
    }

    #[cfg(test)]
    pub(super) fn index_count(&self) -> usize {
        self.shared.lock().segments.iter().filter(|segment| segment.index.is_some()).count()
    }

    fn read_tail(&self, start: u64, end: u64, max_bytes: usize) -> Option<Vec<(u64, Bytes)>> {
        let state = self.shared.lock();
        let first = state.end - state.tail.len() as u64;
        let skip = usize::try_from(start.checked_sub(first)?).ok()?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        for (entry, offset) in state.tail.iter().skip(skip).zip(start..end.min(state.durable_end)) {
            if bytes >= max_bytes && !found.is_empty() {
                break;
            }
            bytes += entry.len();
            found.push((offset, entry.clone()));
        }
        Some(found)
    }
}

impl Shared {
    pub(super) fn new(folder: PathBuf, identity: TopicIdentity) -> Self {
        Self { folder, identity, state: Mutex::default(), on_durable: OnceLock::new(), deleted: AtomicBool::new(false) }
    }

    /// Tells whether the log was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Hears from the commit thread.
    pub(super) fn committed(&self, outcome: Result<u64, StorageError>) {
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

    /// Tells whether an earlier write failed.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().failed.is_some()
    }

    /// Gives the segment of an offset and its index, scanned if need be.
    fn segment_of(&self, offset: u64) -> Result<Option<(Segment, Arc<Index>)>, StorageError> {
        let segment = {
            let state = self.lock();
            let after = state.segments.partition_point(|segment| segment.base <= offset);
            after.checked_sub(1).and_then(|i| state.segments.get(i)).cloned()
        };
        let Some(segment) = segment.filter(|s| offset < s.base + s.entry_count) else { return Ok(None) };
        if let Some(index) = segment.index.clone() {
            self.lock().note_index(segment.ledger);
            return Ok(Some((segment, index)));
        }
        let path = segment::path(&self.folder, segment.ledger);
        let index = Arc::new(recovery::scan(&path, segment.head_bytes, Tail::Report)?);
        if index.entry_count() != segment.entry_count {
            return Err(segment::corrupt(&path, index.end, "entries are missing at its end"));
        }
        let mut state = self.lock();
        if let Some(known) = state.segments.iter_mut().find(|s| s.ledger == segment.ledger) {
            known.index = Some(Arc::clone(&index));
            state.note_index(segment.ledger);
        }
        Ok(Some((segment, index)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Segment {
    fn as_previous(&self) -> Previous {
        Previous { ledger: self.ledger, bytes: self.bytes }
    }
}

impl State {
    /// Notes that the index of a segment is used; drops that of the one used the longest time ago if there are too many.
    fn note_index(&mut self, ledger: u64) {
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

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("folder", &self.folder).finish_non_exhaustive()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StorageError::Metadata(format!("a read was given up: {e}")))?
}
