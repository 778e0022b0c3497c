//! The logical offset: the number from which sequence ids come.
//!
//! It advances by the size of every event that belongs to a transaction. What depends on how the log is read does not
//! count: checksums, the envelope of a compressed transaction (the events inside count instead), and events that the
//! server makes up for a reader (the rotation at the start, heartbeats, the format description). So a replay from any
//! transaction end gives every event the offset that it had before.
//!
//! The sequence id of a row's first message is the offset of its image inside the log; further messages of the same row
//! take the following numbers, which lie inside the row's own bytes.

/// Offsets of the events of one source, from the base of its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogicalOffset {
    next: u64,
}

/// Bytes of an event's header, which stand before its body.
pub(super) const HEADER_BYTES: u64 = 19;

/// Where one event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventOffset(u64);

impl LogicalOffset {
    /// Continues at a checkpoint's offset.
    pub(crate) fn at(offset: u64) -> Self {
        LogicalOffset { next: offset }
    }

    /// The offset behind the last event.
    pub(crate) fn current(self) -> u64 {
        self.next
    }

    /// Passes an event of `bytes` bytes (header and body, no checksum); returns where it stands.
    pub(crate) fn pass(&mut self, bytes: u64) -> EventOffset {
        let offset = EventOffset(self.next);
        self.next = self.next.saturating_add(bytes);
        offset
    }
}

impl EventOffset {
    /// The start of the base, from which a distance is the id itself.
    pub(crate) const ZERO: EventOffset = EventOffset(0);

    /// The id that lies `distance` behind the start of the event.
    pub(crate) fn at(self, distance: u64) -> u64 {
        self.0.saturating_add(distance)
    }

    /// The sequence id of message `message` (from 0) of the row whose first image begins `byte_offset` bytes into the
    /// event's body.
    pub(crate) fn sequence_id(self, byte_offset: u32, message: u32) -> u64 {
        self.0.saturating_add(HEADER_BYTES).saturating_add(u64::from(byte_offset)).saturating_add(u64::from(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_successive_rows_and_events_rise_and_stay_inside_their_event() {
        let mut offset = LogicalOffset::at(1_000);
        let first = offset.pass(100);
        let second = offset.pass(60);
        assert_eq!(first.sequence_id(10, 0), 1_029);
        assert_eq!(first.sequence_id(10, 2), 1_031);
        assert!(first.sequence_id(80, 0) < second.sequence_id(0, 0));
        assert_eq!(offset.current(), 1_160);
    }

    #[test]
    fn a_replay_from_the_checkpoint_gives_the_same_ids() {
        let sizes = [31_u64, 40, 2_000, 77, 31];
        let mut offset = LogicalOffset::at(5);
        let before: Vec<_> = sizes.iter().map(|bytes| (offset.current(), offset.pass(*bytes))).collect();
        let (checkpoint, _) = before[2];
        let mut replay = LogicalOffset::at(checkpoint);
        assert_eq!(replay.pass(2_000), before[2].1);
        assert_eq!(replay.pass(77), before[3].1);
    }
}
