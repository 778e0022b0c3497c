//! Recognises messages that a named producer sends again.
//!
//! For each producer name the table has the highest sequence id that was *pushed* to the log and the highest that is
//! *persisted*. Ids must grow but may have gaps. Only the highest id of a batch is compared, so a batch that is new in
//! part is stored: no message is lost by the check, and no batch that is sent again as a whole is stored twice.
//!
//! Pulsar forgets a name after it was idle for six hours. This broker keeps a name until [`MAX_NAMES`] newer ones have
//! come: a change-data-capture source that was stopped for a weekend must still find its last id.

use std::collections::HashMap;

/// A topic remembers so many producer names.
pub(crate) const MAX_NAMES: usize = 10_000;

/// What the table says about one SEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is new: append it.
    Fresh,
    /// It is durable already: answer with the receipt (−1, −1).
    Duplicate,
    /// An earlier attempt is being written: answer as for a duplicate, but not before that attempt is durable.
    InFlight,
}

/// The last sequence ids of one producer name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastIds {
    /// Highest id that was passed to the log.
    pub pushed: i64,
    /// Highest id that is known to be durable.
    pub persisted: i64,
    touched: u64,
}

/// The last sequence ids by producer name.
#[derive(Debug, Default)]
pub(crate) struct DedupTable {
    names: HashMap<String, LastIds>,
    clock: u64,
}

impl DedupTable {
    /// Returns whether `highest` is new and, if it is, records it as pushed.
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

    /// Records that `highest` is durable.
    pub(crate) fn persisted(&mut self, producer: &str, highest: i64) {
        if let Some(last) = self.names.get_mut(producer) {
            last.persisted = last.persisted.max(highest);
            last.pushed = last.pushed.max(highest);
        }
    }

    /// Records an id that was found in the log or in the stored ids.
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

    /// Forgets, after a failed write, the ids that were pushed and did not become durable.
    pub(crate) fn roll_back(&mut self) {
        for last in self.names.values_mut() {
            last.pushed = last.persisted;
        }
    }

    /// Returns the id that PRODUCER_SUCCESS announces; −1 for an unknown name.
    pub(crate) fn last_pushed(&self, producer: &str) -> i64 {
        self.names.get(producer).map_or(-1, |last| last.pushed)
    }

    /// Returns every name with its highest durable id, to be stored.
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
