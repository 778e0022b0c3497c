//! Deduplication of what named producers publish.
//!
//! For each producer name the table knows the highest sequence id that was *pushed* to the log and the highest that is
//! *persisted*. Ids must grow, not be dense. A batch is judged by its highest id alone, so a batch that overlaps only
//! in part is stored: nothing is ever lost to the check, and a producer that resends whole batches is never doubled.
//!
//! The real broker forgets a name after six idle hours. Here a name is kept until [`MAX_NAMES`] newer ones have come:
//! a change-data-capture source that was stopped for a weekend must still find its last id.

use std::collections::HashMap;

/// Producer names that one topic remembers.
pub(crate) const MAX_NAMES: usize = 10_000;

/// Judgement of one SEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not seen before: append it.
    Fresh,
    /// Durable already: answer with the receipt (−1, −1).
    Duplicate,
    /// An earlier attempt is on its way to the disk: answer as for a duplicate, but not before it has arrived.
    InFlight,
}

/// Last ids of one producer name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastIds {
    /// Highest id handed to the log.
    pub pushed: i64,
    /// Highest id known to be durable.
    pub persisted: i64,
    touched: u64,
}

/// Last sequence ids by producer name.
#[derive(Debug, Default)]
pub(crate) struct DedupTable {
    names: HashMap<String, LastIds>,
    clock: u64,
}

impl DedupTable {
    /// Judges an append of `highest` and, if it is fresh, notes it as pushed.
    pub(crate) fn push(&mut self, producer: &str, highest: i64) -> Verdict {
        self.clock += 1;
        let clock = self.clock;
        match self.names.get_mut(producer) {
            Some(last) if highest <= last.persisted => Verdict::Duplicate,
            Some(last) if highest <= last.pushed => Verdict::InFlight,
            Some(last) => {
                last.pushed = highest;
                last.touched = clock;
                Verdict::Fresh
            }
            None => {
                self.insert(producer, LastIds { pushed: highest, persisted: -1, touched: clock });
                Verdict::Fresh
            }
        }
    }

    /// Notes that `highest` is durable.
    pub(crate) fn persisted(&mut self, producer: &str, highest: i64) {
        if let Some(last) = self.names.get_mut(producer) {
            last.persisted = last.persisted.max(highest);
            last.pushed = last.pushed.max(highest);
        }
    }

    /// Notes an entry found in the log or a snapshot.
    pub(crate) fn recovered(&mut self, producer: &str, highest: i64) {
        self.clock += 1;
        let clock = self.clock;
        match self.names.get_mut(producer) {
            Some(last) => {
                last.persisted = last.persisted.max(highest);
                last.pushed = last.pushed.max(highest);
                last.touched = clock;
            }
            None => self.insert(producer, LastIds { pushed: highest, persisted: highest, touched: clock }),
        }
    }

    /// Takes back what was pushed and never became durable, after a failed write.
    pub(crate) fn roll_back(&mut self) {
        for last in self.names.values_mut() {
            last.pushed = last.persisted;
        }
    }

    /// Returns the id that PRODUCER_SUCCESS announces; −1 for an unknown name.
    pub(crate) fn last_pushed(&self, producer: &str) -> i64 {
        self.names.get(producer).map_or(-1, |last| last.pushed)
    }

    /// Returns every name with its highest durable id, for the snapshot.
    pub(crate) fn snapshot(&self) -> Vec<(String, i64)> {
        let mut known: Vec<(&String, &LastIds)> = self.names.iter().filter(|(_, last)| last.persisted >= 0).collect();
        known.sort_by_key(|(_, last)| last.touched);
        known.into_iter().map(|(name, last)| (name.clone(), last.persisted)).collect()
    }

    fn insert(&mut self, producer: &str, last: LastIds) {
        if self.names.len() >= MAX_NAMES
            && let Some(oldest) = self.names.iter().min_by_key(|(_, l)| l.touched).map(|(name, _)| name.clone())
        {
            self.names.remove(&oldest);
        }
        self.names.insert(producer.to_owned(), last);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_in_flight_until_durable_then_a_duplicate() {
        let mut table = DedupTable::default();
        assert_eq!(table.push("p", 7), Verdict::Fresh);
        assert_eq!(table.push("p", 7), Verdict::InFlight);
        table.persisted("p", 7);
        assert_eq!(table.push("p", 7), Verdict::Duplicate);
        assert_eq!(table.push("p", 3), Verdict::Duplicate);
        assert_eq!(table.push("p", 9), Verdict::Fresh);
        assert_eq!((table.last_pushed("p"), table.last_pushed("q")), (9, -1));
        assert_eq!(table.snapshot(), vec![("p".to_owned(), 7)]);
    }

    #[test]
    fn a_failed_write_may_be_sent_again() {
        let mut table = DedupTable::default();
        table.recovered("p", 4);
        assert_eq!(table.push("p", 5), Verdict::Fresh);
        table.roll_back();
        assert_eq!(table.push("p", 5), Verdict::Fresh);
    }

    #[test]
    fn the_oldest_name_makes_room() {
        let mut table = DedupTable::default();
        for i in 0..=MAX_NAMES {
            table.recovered(&format!("p{i}"), 1);
        }
        assert_eq!((table.last_pushed("p0"), table.last_pushed("p1")), (-1, 1));
    }
}
