//! Which batches are not durable yet.
//!
//! A sink sends batches of a topic in order and is told the highest sequence id of each topic that is durable. The
//! lowest id that is *not* durable, over all topics and the batches still being filled, bounds the checkpoint.

use std::collections::VecDeque;

/// Batches of one topic between append and receipt.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    sent: VecDeque<Batch>,
    filling: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Batch {
    lowest: u64,
    highest: u64,
}

impl InFlight {
    /// Notes that a message with this id entered the batch that is being filled. Ids rise.
    pub(crate) fn append(&mut self, sequence_id: u64) {
        self.filling.get_or_insert(sequence_id);
    }

    /// Notes that the batch was sent; `highest` is its last id.
    pub(crate) fn send(&mut self, highest: u64) {
        if let Some(lowest) = self.filling.take() {
            self.sent.push_back(Batch { lowest, highest });
        }
    }

    /// Notes that everything up to `highest` is durable.
    pub(crate) fn durable(&mut self, highest: u64) {
        while self.sent.front().is_some_and(|batch| batch.highest <= highest) {
            self.sent.pop_front();
        }
    }

    /// Returns the lowest id that is not durable.
    pub(crate) fn oldest_pending(&self) -> Option<u64> {
        self.sent.front().map(|batch| batch.lowest).or(self.filling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_batch_counts_until_its_last_message_is_durable() {
        let mut topic = InFlight::default();
        assert_eq!(topic.oldest_pending(), None);
        topic.append(10);
        topic.append(12);
        assert_eq!(topic.oldest_pending(), Some(10));
        topic.send(12);
        topic.append(20);
        topic.send(20);
        topic.append(31);
        topic.durable(11);
        assert_eq!(topic.oldest_pending(), Some(10));
        topic.durable(12);
        assert_eq!(topic.oldest_pending(), Some(20));
        topic.durable(25);
        assert_eq!(topic.oldest_pending(), Some(31));
    }

    #[test]
    fn sending_an_empty_batch_changes_nothing() {
        let mut topic = InFlight::default();
        topic.send(5);
        assert_eq!(topic.oldest_pending(), None);
    }
}
