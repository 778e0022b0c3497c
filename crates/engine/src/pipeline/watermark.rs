//! Which transaction end may become the checkpoint.
//!
//! The reader notes transaction ends as it passes them; the sink tells the lowest sequence id that is not durable yet.
//! A transaction end is *covered* when every message before it is durable, that is when its logical offset is not
//! above that id (messages carry the logical offset of their row, so ids below the end belong to earlier rows). The
//! newest covered end becomes the checkpoint; all older ones are forgotten.
//!
//! Ends are thinned by [`Watermark::wants`]: a busy log has hundreds of thousands of them a second and one in each
//! checkpoint interval is enough.

use std::collections::VecDeque;

/// A transaction end that waits until everything before it is durable.
#[derive(Debug)]
struct Candidate<T> {
    logical_offset: u64,
    end: T,
}

/// The transaction ends between the last checkpoint and the reader. `T` is what the checkpoint keeps of an end.
#[derive(Debug)]
pub(super) struct Watermark<T> {
    candidates: VecDeque<Candidate<T>>,
    interval_us: i64,
    noted_at_us: i64,
}

impl<T> Watermark<T> {
    /// Makes an empty list that takes at most one end in each `interval_us` microseconds.
    pub(super) fn new(interval_us: i64) -> Self {
        Watermark { candidates: VecDeque::new(), interval_us, noted_at_us: i64::MIN }
    }

    /// Returns whether an end seen at `now_us` should be noted (the caller then clones its position).
    pub(super) fn wants(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.noted_at_us) >= self.interval_us || now_us < self.noted_at_us
    }

    /// Notes a transaction end. Offsets must not fall.
    pub(super) fn note(&mut self, logical_offset: u64, end: T, now_us: i64) {
        self.noted_at_us = now_us;
        match self.candidates.back_mut() {
            Some(last) if last.logical_offset == logical_offset => last.end = end,
            _ => self.candidates.push_back(Candidate { logical_offset, end }),
        }
    }

    /// Takes the newest end that is covered, given the lowest sequence id that is not durable (`None`: all are).
    pub(super) fn advance(&mut self, oldest_pending: Option<u64>) -> Option<T> {
        let mut covered = None;
        while self.candidates.front().is_some_and(|first| oldest_pending.is_none_or(|id| first.logical_offset <= id)) {
            covered = self.candidates.pop_front().map(|candidate| candidate.end);
        }
        covered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_covered_ends_become_the_checkpoint() {
        let mut watermark = Watermark::new(10);
        watermark.note(100, "a", 0);
        watermark.note(200, "b", 10);
        watermark.note(300, "c", 20);
        assert_eq!(watermark.advance(Some(99)), None);
        assert_eq!(watermark.advance(Some(250)), Some("b"));
        assert_eq!(watermark.advance(Some(299)), None);
        assert_eq!(watermark.advance(None), Some("c"));
        assert_eq!(watermark.advance(None), None);
    }

    #[test]
    fn an_end_at_the_pending_id_is_covered_because_the_message_lies_behind_it() {
        let mut watermark = Watermark::new(0);
        watermark.note(100, 1, 0);
        assert_eq!(watermark.advance(Some(100)), Some(1));
    }

    #[test]
    fn ends_are_thinned_and_a_clock_that_jumps_back_does_not_stop_them() {
        let mut watermark = Watermark::new(1_000);
        assert!(watermark.wants(5));
        watermark.note(1, (), 5);
        assert!(!watermark.wants(900));
        assert!(watermark.wants(1_005));
        assert!(watermark.wants(-50_000));
    }

    #[test]
    fn an_idle_log_replaces_the_last_end_instead_of_piling_up() {
        let mut watermark = Watermark::new(0);
        for number in 0..1_000 {
            watermark.note(7, number, number);
        }
        assert_eq!(watermark.advance(None), Some(999));
        assert_eq!(watermark.advance(None), None);
    }
}
