//! A set of entry offsets, stored as disjoint half-open ranges.
//!
//! Consumers mostly acknowledge consecutive entries; a range of them takes one node, whatever its length. A look-up
//! takes O(log ranges).

use std::collections::BTreeMap;

/// Offsets as disjoint ranges `start..end` that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RangeSet {
    ranges: BTreeMap<u64, u64>,
}

impl RangeSet {
    /// Returns whether the offset is in the set.
    pub(crate) fn contains(&self, offset: u64) -> bool {
        self.range_of(offset).is_some()
    }

    /// Adds one offset and returns whether it was new.
    pub(crate) fn insert(&mut self, offset: u64) -> bool {
        if self.contains(offset) {
            return false;
        }
        self.insert_range(offset, offset.saturating_add(1));
        true
    }

    /// Adds every offset of `start..end`.
    pub(crate) fn insert_range(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        while let Some((&s, &e)) = self.ranges.range(..=end).next_back() {
            if e < start {
                break;
            }
            self.ranges.remove(&s);
            start = start.min(s);
            end = end.max(e);
        }
        self.ranges.insert(start, end);
    }

    /// Returns the first offset at or above `offset` that is not in the set.
    pub(crate) fn next_gap(&self, offset: u64) -> u64 {
        self.range_of(offset).map_or(offset, |(_, end)| end)
    }

    /// Removes every offset below `offset`.
    pub(crate) fn remove_below(&mut self, offset: u64) {
        while let Some((&start, &end)) = self.ranges.first_key_value() {
            if start >= offset {
                return;
            }
            self.ranges.remove(&start);
            if end > offset {
                self.ranges.insert(offset, end);
                return;
            }
        }
    }

    /// Returns the number of offsets of the set in `start..end`.
    pub(crate) fn count_within(&self, start: u64, end: u64) -> u64 {
        let mut count = 0;
        for (s, e) in self.iter() {
            if s >= end {
                break;
            }
            count += e.min(end).saturating_sub(s.max(start));
        }
        count
    }

    /// Returns the ranges `(start, end)` in order; `end` is exclusive.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().map(|(&s, &e)| (s, e))
    }

    fn range_of(&self, offset: u64) -> Option<(u64, u64)> {
        let (&start, &end) = self.ranges.range(..=offset).next_back()?;
        (offset < end).then_some((start, end))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_set_of_integers(ops in proptest::collection::vec((0u64..60, 0u64..6, 0u8..4), 0..60)) {
            let (mut set, mut model) = (RangeSet::default(), BTreeSet::new());
            for (start, length, op) in ops {
                match op {
                    0 => { prop_assert_eq!(set.insert(start), model.insert(start)); }
                    1 => { set.insert_range(start, start + length); model.extend(start..start + length); }
                    2 => { set.remove_below(start); model.retain(|v| *v >= start); }
                    _ => prop_assert_eq!(set.count_within(start, start + length),
                        model.range(start..start + length).count() as u64),
                }
                let listed: BTreeSet<u64> = set.iter().flat_map(|(s, e)| s..e).collect();
                prop_assert_eq!(&listed, &model);
                let ranges: Vec<_> = set.iter().collect();
                prop_assert!(ranges.windows(2).all(|w| w[0].1 < w[1].0), "ranges must not touch: {:?}", ranges);
                prop_assert_eq!(set.next_gap(start), (start..).find(|v| !model.contains(v)).unwrap());
            }
        }
    }
}
