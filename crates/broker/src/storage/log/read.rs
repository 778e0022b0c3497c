//! Reads a log by offset, from memory or from the files, and by time.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    TopicLog,
    shared::{Segment, SharedLog},
};
use crate::storage::{
    StorageError,
    error::corrupt,
    record::HEADER_BYTES,
    recovery::{self, Tail},
    segment::{self, Found, Index},
};

impl TopicLog {
    /// Returns durable entries from `start` up to, but without, `end`: at least one, and about `max_bytes` at most.
    ///
    /// # Errors
    /// A file cannot be read or is damaged.
    pub(crate) async fn read(&self, start: u64, end: u64, max_bytes: usize) -> Result<Vec<(u64, Bytes)>, StorageError> {
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
            // Stop after the wanted entries, so that a consumer with few permits does not cost megabytes.
            let stop = index.at_or_after(last - segment.base);
            while segment.base + entry < last && bytes < max_bytes {
                for Found { entry: stored, .. } in segment::read_records(&path, at, stop, max_bytes)? {
                    at += (HEADER_BYTES + stored.len()) as u64;
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

    /// Returns the offset of the first durable entry that was published at or after a time. The search assumes that
    /// publish times rise from segment to segment, as Pulsar assumes that they rise from entry to entry. So a log of
    /// any length costs a few small reads and the scan of one segment.
    ///
    /// # Errors
    /// A file cannot be read or is damaged.
    pub(crate) async fn offset_at_time(&self, time_ms: u64) -> Result<u64, StorageError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let (segments, end) = {
                let state = shared.lock();
                let durable = state.segments.iter().filter(|s| s.entry_count > 0 && s.base < state.durable_end);
                (durable.map(|s| (s.ledger, s.base, s.head_bytes, s.bytes)).collect::<Vec<_>>(), state.durable_end)
            };
            // Segments before `low` begin before the time; those from `high` on do not.
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
                    at += (HEADER_BYTES + found.entry.len()) as u64;
                    entry += 1;
                }
            }
            Ok(next)
        })
        .await
    }

    #[cfg(test)]
    pub(in crate::storage) fn index_count(&self) -> usize {
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

impl SharedLog {
    /// Returns the segment of an offset and its index. The segment is scanned if its index is not in memory.
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
            return Err(corrupt(&path, index.end, "entries are missing at its end"));
        }
        let mut state = self.lock();
        if let Some(known) = state.segments.iter_mut().find(|s| s.ledger == segment.ledger) {
            known.index = Some(Arc::clone(&index));
            state.note_index(segment.ledger);
        }
        Ok(Some((segment, index)))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StorageError::Metadata(format!("a read did not finish: {e}")))?
}
