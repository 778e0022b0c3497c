//! Earlier checkpoints of the same base, from which the log can be sent again when a topic lacks what it had confirmed.
//!
//! They are thinned with age: seconds, minutes, hours and days apart, about three for each doubling of the age. The
//! first one of a base stays.

use super::epoch::Epoch;

/// An earlier checkpoint, as the list knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Milestone {
    pub logical_offset: u64,
    pub at_ms: u64,
    /// Version of the table descriptions that hold there.
    pub catalog: u64,
}

/// The milestones of a base, in the order of the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Milestones {
    pub epoch: Option<Epoch>,
    pub list: Vec<Milestone>,
}

/// Milestones closer than this are not kept apart.
const CLOSEST_MS: u64 = 1_000;

impl Milestones {
    /// Adds the newest milestone, and returns the logical offsets of those that are kept no longer.
    pub(super) fn add(&mut self, new: Milestone) -> Vec<u64> {
        self.list.retain(|milestone| milestone.logical_offset < new.logical_offset);
        self.list.push(new);
        let mut gone = Vec::new();
        let mut slot_before = None;
        let mut is_first = true;
        self.list.retain(|milestone| {
            let age_ms = new.at_ms.saturating_sub(milestone.at_ms);
            // Slots of powers of two: when they widen with age, two become one.
            let width = (age_ms / 2).max(CLOSEST_MS).ilog2();
            let slot = Some((width, milestone.at_ms >> width));
            let stays =
                std::mem::take(&mut is_first) || slot != slot_before || milestone.logical_offset == new.logical_offset;
            slot_before = slot;
            if !stays {
                gone.push(milestone.logical_offset);
            }
            stays
        });
        gone
    }

    /// Returns whether a version of the table descriptions is still in use.
    pub(super) fn uses_catalog(&self, version: u64) -> bool {
        self.list.iter().any(|milestone| milestone.catalog == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One each second for twelve days.
    #[test]
    fn milestones_are_thinned_with_age_and_the_first_one_stays() {
        let mut milestones = Milestones::default();
        let seconds = 12 * 24 * 3_600;
        for second in 0..seconds {
            milestones.add(Milestone { logical_offset: 1 + second, at_ms: second * 1_000 + second % 7, catalog: 0 });
        }
        let list = &milestones.list;
        assert!(list.len() <= 70, "{}", list.len());
        assert_eq!(list.first().map(|first| first.logical_offset), Some(1));
        assert_eq!(list.last().map(|last| last.logical_offset), Some(seconds));
        // Whatever age a topic's end has, a milestone of less than three times that age lies before it.
        for age in [2, 10, 60, 3_600, 86_400, 3 * 86_400] {
            let wanted = seconds - age;
            let found = list.iter().rev().find(|milestone| milestone.logical_offset <= wanted).unwrap();
            assert!(seconds - found.logical_offset <= 3 * age, "{age}: {found:?}");
        }
    }

    #[test]
    fn going_back_forgets_what_lay_ahead() {
        let mut milestones = Milestones::default();
        for offset in [10, 20, 30] {
            milestones.add(Milestone { logical_offset: offset, at_ms: offset * 10_000, catalog: 0 });
        }
        milestones.add(Milestone { logical_offset: 20, at_ms: 400_000, catalog: 0 });
        let offsets: Vec<_> = milestones.list.iter().map(|milestone| milestone.logical_offset).collect();
        assert_eq!(offsets, [10, 20]);
    }
}
