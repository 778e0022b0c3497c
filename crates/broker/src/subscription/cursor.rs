//! Acknowledgement state of one subscription.
//!
//! A cursor has the *mark-delete offset* (everything below it is acknowledged), the acknowledged ranges above it, and
//! the remaining messages of each batch that is acknowledged in part. Offsets are dense: entry n of a topic has offset
//! n in whatever segment it is. The topic translates offsets to message ids.

use std::collections::BTreeMap;

use super::{ack_set::AckSet, range_set::RangeSet};

/// What a subscription has acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    mark_delete: u64,
    acked: RangeSet,
    partial: BTreeMap<u64, AckSet>,
}

/// What the acknowledgement of one entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acked {
    /// Nothing: the entry was acknowledged already.
    Already,
    /// The whole entry is acknowledged now.
    Entry,
    /// Some messages of the batch are still unacknowledged.
    Part {
        /// The number of these messages.
        remaining: u32,
    },
}

impl Cursor {
    /// Creates a cursor with everything below `mark_delete` acknowledged.
    pub(crate) fn new(mark_delete: u64) -> Self {
        Self { mark_delete, ..Self::default() }
    }

    /// Creates a cursor from its stored parts.
    pub(crate) fn restore(mark_delete: u64, acked: &[(u64, u64)], partial: Vec<(u64, AckSet)>) -> Self {
        let mut cursor = Self::new(mark_delete);
        for &(start, end) in acked {
            cursor.acked.insert_range(start, end);
        }
        for (offset, set) in partial {
            if !set.is_empty() && !cursor.is_acked(offset) {
                cursor.partial.insert(offset, set);
            }
        }
        cursor.advance();
        cursor
    }

    /// Returns the first offset that is not acknowledged.
    pub(crate) fn mark_delete(&self) -> u64 {
        self.mark_delete
    }

    /// Returns the acknowledged ranges above the mark-delete offset.
    pub(crate) fn acked_ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.acked.iter()
    }

    /// Returns the batches that are acknowledged in part.
    pub(crate) fn partial(&self) -> impl Iterator<Item = (u64, &AckSet)> + '_ {
        self.partial.iter().map(|(o, s)| (*o, s))
    }

    /// Returns the remaining messages of a batch that is acknowledged in part.
    pub(crate) fn remaining(&self, offset: u64) -> Option<&AckSet> {
        self.partial.get(&offset)
    }

    /// Returns whether the whole entry is acknowledged.
    pub(crate) fn is_acked(&self, offset: u64) -> bool {
        offset < self.mark_delete || self.acked.contains(offset)
    }

    /// Returns the first offset at or above `offset` that is not wholly acknowledged.
    pub(crate) fn next_unacked(&self, offset: u64) -> u64 {
        self.acked.next_gap(offset.max(self.mark_delete))
    }

    /// Returns the number of entries below `end` that are not acknowledged.
    pub(crate) fn backlog(&self, end: u64) -> u64 {
        end.saturating_sub(self.mark_delete).saturating_sub(self.acked.count_within(self.mark_delete, end))
    }

    /// Acknowledges one entry or, with `remaining`, only those of its messages that are not in that set.
    pub(crate) fn ack(&mut self, offset: u64, remaining: Option<AckSet>) -> Acked {
        if self.is_acked(offset) {
            return Acked::Already;
        }
        if let Some(mut set) = remaining.filter(|set| !set.is_empty()) {
            if let Some(known) = self.partial.get(&offset) {
                set.intersect(known);
            }
            if !set.is_empty() {
                let remaining = set.unacked();
                self.partial.insert(offset, set);
                return Acked::Part { remaining };
            }
        }
        self.partial.remove(&offset);
        self.acked.insert(offset);
        self.advance();
        Acked::Entry
    }

    /// Acknowledges everything up to and including `offset`; with `remaining`, the messages in it stay unacknowledged.
    pub(crate) fn ack_cumulative(&mut self, offset: u64, remaining: Option<AckSet>) {
        match remaining.filter(|set| !set.is_empty()) {
            Some(set) => {
                self.raise(offset);
                self.ack(offset, Some(set));
            }
            None => self.raise(offset.saturating_add(1)),
        }
    }

    /// Forgets all acknowledgements and sets the mark-delete offset to `offset`.
    pub(crate) fn reset(&mut self, offset: u64, remaining: Option<AckSet>) {
        *self = Self::new(offset);
        if let Some(set) = remaining.filter(|set| !set.is_empty()) {
            self.partial.insert(offset, set);
        }
    }

    fn raise(&mut self, offset: u64) {
        if offset > self.mark_delete {
            self.mark_delete = offset;
            self.advance();
        }
    }

    fn advance(&mut self) {
        self.mark_delete = self.acked.next_gap(self.mark_delete);
        self.acked.remove_below(self.mark_delete);
        while let Some(entry) = self.partial.first_entry() {
            if *entry.key() >= self.mark_delete {
                break;
            }
            entry.remove();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mark_delete_passes_over_acknowledged_runs() {
        let mut cursor = Cursor::new(0);
        assert_eq!(cursor.ack(2, None), Acked::Entry);
        assert_eq!(cursor.ack(1, None), Acked::Entry);
        assert_eq!((cursor.mark_delete(), cursor.backlog(5)), (0, 3));
        assert_eq!(cursor.ack(0, None), Acked::Entry);
        assert_eq!((cursor.mark_delete(), cursor.backlog(5)), (3, 2));
        assert_eq!(cursor.ack(1, None), Acked::Already);
    }

    #[test]
    fn parts_of_a_batch_add_up_to_the_entry() {
        let mut cursor = Cursor::new(0);
        assert_eq!(cursor.ack(0, Some(AckSet::from_wire(&[0b0111]))), Acked::Part { remaining: 3 });
        assert_eq!(cursor.ack(0, Some(AckSet::from_wire(&[0b1001]))), Acked::Part { remaining: 1 });
        assert_eq!(cursor.remaining(0).unwrap().to_wire(), vec![1]);
        assert_eq!(cursor.ack(0, Some(AckSet::from_wire(&[0b1110]))), Acked::Entry);
        assert_eq!((cursor.mark_delete(), cursor.partial().count()), (1, 0));
    }

    #[test]
    fn cumulative_into_a_batch_keeps_the_rest_of_it() {
        let mut cursor = Cursor::new(0);
        cursor.ack_cumulative(4, Some(AckSet::from_wire(&[0b1100])));
        assert_eq!(cursor.mark_delete(), 4);
        assert_eq!(cursor.remaining(4).unwrap().unacked(), 2);
        cursor.ack_cumulative(3, None);
        assert_eq!(cursor.mark_delete(), 4);
        cursor.ack_cumulative(4, None);
        assert_eq!((cursor.mark_delete(), cursor.partial().count()), (5, 0));
    }

    proptest! {
        #[test]
        fn acknowledges_like_a_set(ops in proptest::collection::vec((0u64..40, 0u8..5), 0..80)) {
            let (mut cursor, mut model) = (Cursor::new(0), BTreeSet::new());
            for (offset, op) in ops {
                if op == 0 {
                    cursor.ack_cumulative(offset, None);
                    model.extend(0..=offset);
                } else {
                    cursor.ack(offset, None);
                    model.insert(offset);
                }
                prop_assert_eq!(cursor.mark_delete(), (0..).find(|o| !model.contains(o)).unwrap());
                for o in 0..45 {
                    prop_assert_eq!(cursor.is_acked(o), model.contains(&o));
                }
                prop_assert_eq!(cursor.backlog(41), 41 - model.len() as u64);
                let ranges: Vec<_> = cursor.acked_ranges().collect();
                prop_assert_eq!(&Cursor::restore(cursor.mark_delete(), &ranges, Vec::new()), &cursor);
            }
        }
    }
}
