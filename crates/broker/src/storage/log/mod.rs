//! The log of one topic: callers use dense offsets, and each offset has a message id (ledger and entry).
//!
//! Appending only assigns the place; the commit thread writes and syncs. A new segment, with a new number, begins at
//! each roll and at the first append after an open. Numbers follow the clock, so ids never repeat. The newest entries
//! stay in memory for consumers that keep up; older ones are read from the files.

mod read;
mod shared;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use super::{
    Committer, DurableEnd, KnownLog, StorageError,
    commit::Job,
    head, recovery,
    segment::{Index, Start},
};

use shared::Segment;
pub(super) use shared::SharedLog;
pub(crate) use shared::{OnDurable, Position, Record, SegmentStats};

const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Most bytes of the newest entries that one log keeps in memory.
const TAIL_BYTES: usize = 1024 * 1024;

/// The log of one topic.
#[derive(Debug)]
pub(crate) struct TopicLog {
    shared: Arc<SharedLog>,
    committer: Arc<Committer>,
    damage: Vec<StorageError>,
    lost: u64,
}

impl TopicLog {
    pub(super) fn open(folder: PathBuf, committer: Arc<Committer>, known: KnownLog) -> Result<Self, StorageError> {
        let recovered = recovery::recover(&folder, &known)?;
        let shared = SharedLog::new(folder, known.identity);
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

    /// Returns the damage that was found when the log was opened. The damaged entries cannot be read.
    pub(crate) fn damage(&self) -> &[StorageError] {
        &self.damage
    }

    /// Returns how many durable entries were missing at the end when the log was opened.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns the log's durable end, for the metadata.
    pub(crate) fn durable(&self) -> DurableEnd {
        let state = self.shared.lock();
        DurableEnd { ledger: state.last_ledger, offset: state.durable_end }
    }

    /// Returns whether a stored position is after the end of the log.
    pub(crate) fn is_after_end(&self, position: Position) -> bool {
        let state = self.shared.lock();
        let Some(last) = state.segments.last() else { return position != Position { ledger: 0, entry: 0 } };
        position.ledger > last.ledger || (position.ledger == last.ledger && position.entry > last.entry_count)
    }

    /// Sets the callback for durable entries; a second call has no effect.
    pub(crate) fn on_durable(&self, callback: OnDurable) {
        let _ = self.shared.on_durable.set(callback);
    }

    /// Appends an entry and returns its offset. The entry is durable only when the callback says so.
    ///
    /// # Errors
    /// [`StorageError`] if an earlier write failed.
    pub(crate) fn append(&self, record: Record) -> Result<u64, StorageError> {
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
        // Pushed under the lock, because the commit thread must see the jobs of a log in their order.
        self.committer.push(job);
        Ok(offset)
    }

    /// Frees the entries kept in memory if none was appended since the last call, so that idle topics hold no memory.
    pub(crate) fn drop_idle_tail(&self) {
        let mut state = self.shared.lock();
        if state.tail_seen == state.end && state.durable_end == state.end {
            state.tail = VecDeque::new();
            state.tail_bytes = 0;
        }
        state.tail_seen = state.end;
    }

    /// Closes the file and frees the entries kept in memory. Waiting entries are not written, and the callback is not
    /// called for them.
    pub(crate) fn delete(&self) {
        // Set the mark before telling the commit thread, whose next round must find it.
        self.shared.deleted.store(true, Ordering::Release);
        let mut state = self.shared.lock();
        state.tail = VecDeque::new();
        state.tail_bytes = 0;
        drop(state);
        self.committer.forget_deleted();
    }

    /// Returns the first offset that still exists.
    pub(crate) fn first(&self) -> u64 {
        self.shared.lock().segments.first().map_or(0, |segment| segment.base)
    }

    /// Returns the offset of the next entry.
    pub(crate) fn end(&self) -> u64 {
        self.shared.lock().end
    }

    /// Returns the first offset that is not durable.
    pub(crate) fn durable_end(&self) -> u64 {
        self.shared.lock().durable_end
    }

    /// Returns the message id of an offset. For an offset after the end it is the id after the last one.
    pub(crate) fn position(&self, offset: u64) -> Position {
        let state = self.shared.lock();
        let after = state.segments.partition_point(|segment| segment.base <= offset);
        match after.checked_sub(1).and_then(|i| state.segments.get(i)) {
            Some(segment) => Position { ledger: segment.ledger, entry: offset - segment.base },
            None => Position { ledger: 0, entry: offset },
        }
    }

    /// Returns the offset of an existing entry.
    pub(crate) fn offset(&self, position: Position) -> Option<u64> {
        let state = self.shared.lock();
        let i = state.segments.binary_search_by_key(&position.ledger, |segment| segment.ledger).ok()?;
        let segment = state.segments.get(i)?;
        (position.entry < segment.entry_count).then(|| segment.base + position.entry)
    }

    /// Returns the offset of the first entry at or after a position.
    pub(crate) fn offset_at_or_after(&self, position: Position) -> u64 {
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

    /// Returns the bytes of all files.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.shared.lock().segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Returns the segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<SegmentStats> {
        let state = self.shared.lock();
        let stats = |s: &Segment| SegmentStats { ledger: s.ledger, entry_count: s.entry_count, bytes: s.bytes };
        state.segments.iter().map(stats).collect()
    }
}
