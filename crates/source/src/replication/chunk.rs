//! Many complete events in one piece of memory.

use std::ops::Range;

/// Events as the socket delivered them. Reuse one chunk: its memory is exchanged with the connection's receive buffer,
/// so that no event is copied and nothing is allocated per event.
#[derive(Debug, Default)]
pub struct EventChunk {
    pub(super) bytes: Vec<u8>,
    pub(super) events: Vec<Range<usize>>,
}

impl EventChunk {
    /// Creates an empty chunk.
    pub fn new() -> EventChunk {
        EventChunk::default()
    }

    /// Returns the number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns whether the chunk has no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns the events in the order of the log.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.events.iter().map(|range| self.bytes.get(range.clone()).unwrap_or_default())
    }

    /// Returns the event at an index.
    pub fn event(&self, index: usize) -> Option<&[u8]> {
        self.bytes.get(self.events.get(index)?.clone())
    }

    /// Returns the sum of the events' bytes.
    pub fn event_bytes(&self) -> usize {
        self.events.iter().map(Range::len).sum()
    }

    /// Returns the bytes of memory that the chunk holds.
    pub fn capacity_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
