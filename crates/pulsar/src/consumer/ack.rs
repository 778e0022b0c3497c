//! Which messages of a batch are still to be acknowledged.

use std::collections::HashMap;

use bitacora_pulsar_wire::MessageId;
use bitacora_pulsar_wire::proto::MessageIdData;

use super::options::BatchIndexAck;

/// A bit for each message of an entry; 1 means not acknowledged yet, as in the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unacked {
    words: Vec<u64>,
    batch_size: u32,
}

impl Unacked {
    fn all(batch_size: u32) -> Self {
        let mut words = vec![u64::MAX; batch_size.div_ceil(64) as usize];
        if let (Some(last), rest @ 1..) = (words.last_mut(), batch_size % 64) {
            *last = (1 << rest) - 1;
        }
        Self { words, batch_size }
    }

    fn clear(&mut self, index: u32) {
        if let Some(word) = self.words.get_mut(index as usize / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

/// The batches of a consumer with messages that are not acknowledged. They are forgotten when the connection is lost,
/// because the broker sends them again.
#[derive(Debug, Default)]
pub(super) struct AckTracker {
    open: HashMap<(i64, i64), Unacked>,
    /// Ids of all chunks of a message by the id of its last chunk. They outlive the connection: acknowledging the last
    /// chunk alone would leave the others in the backlog for ever.
    chunks: HashMap<(i64, i64), Vec<MessageId>>,
}

impl AckTracker {
    /// Takes note of a batch.
    pub(super) fn on_batch(&mut self, id: MessageId, batch_size: u32, ack_set: &[i64]) {
        let mut unacked = Unacked::all(batch_size);
        if !ack_set.is_empty() {
            // Words that the broker leaves out are zero.
            for (index, word) in unacked.words.iter_mut().enumerate() {
                *word &= ack_set.get(index).map_or(0, |set| set.cast_unsigned());
            }
        }
        self.open.insert((id.ledger, id.entry), unacked);
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// Forgets an entry whose messages cannot be read, and so cannot be acknowledged one by one.
    pub(super) fn forget(&mut self, id: MessageId) {
        self.open.remove(&(id.ledger, id.entry));
    }

    /// Takes note of the chunks of a message.
    pub(super) fn on_chunks(&mut self, ids: Vec<MessageId>) {
        if let Some(last) = ids.last() {
            self.chunks.insert((last.ledger, last.entry), ids);
        }
    }

    /// Returns the entries that a message lies in.
    pub(super) fn entries(&self, id: MessageId) -> Vec<MessageId> {
        let whole = MessageId { batch_index: -1, ..id };
        self.chunks.get(&(id.ledger, id.entry)).cloned().unwrap_or_else(|| vec![whole])
    }

    /// Returns what to send to acknowledge one message; nothing while other messages of its batch are open.
    pub(super) fn individual(&mut self, id: MessageId, mode: BatchIndexAck) -> Vec<MessageIdData> {
        match self.chunks.remove(&(id.ledger, id.entry)) {
            Some(ids) => ids.into_iter().map(MessageIdData::from).collect(),
            None => self.of_entry(id, mode).into_iter().collect(),
        }
    }

    fn of_entry(&mut self, id: MessageId, mode: BatchIndexAck) -> Option<MessageIdData> {
        let whole = MessageIdData::from(MessageId { batch_index: -1, ..id });
        let Ok(index) = u32::try_from(id.batch_index) else {
            self.open.remove(&(id.ledger, id.entry));
            return Some(whole);
        };
        let Some(unacked) = self.open.get_mut(&(id.ledger, id.entry)) else {
            // The message was acknowledged twice, or delivered before the connection was lost; then its batch comes
            // again.
            return None;
        };
        unacked.clear(index);
        if unacked.is_empty() {
            self.open.remove(&(id.ledger, id.entry));
            return Some(whole);
        }
        (mode == BatchIndexAck::EachMessage).then(|| MessageIdData {
            ack_set: unacked.words.iter().map(|word| word.cast_signed()).collect(),
            batch_size: i32::try_from(unacked.batch_size).ok(),
            ..whole
        })
    }

    /// Returns what to send to acknowledge everything up to a message.
    ///
    /// For a message in the middle of a batch the entry before is named, because a broker without batch index
    /// acknowledgement would acknowledge the whole entry. Nothing from `first_open` on is acknowledged: that is the
    /// first chunk of a message whose last chunk has not come.
    pub(super) fn cumulative(
        &mut self,
        id: MessageId,
        mode: BatchIndexAck,
        first_open: Option<MessageId>,
    ) -> Option<MessageIdData> {
        if let Some(open) = first_open.filter(|open| (open.ledger, open.entry) < (id.ledger, id.entry)) {
            let before = MessageId { entry: open.entry - 1, batch_index: -1, ..open };
            return (open.entry > 0).then(|| before.into());
        }
        self.chunks.retain(|(ledger, entry), _| (*ledger, *entry) > (id.ledger, id.entry));
        self.open.retain(|(ledger, entry), _| (*ledger, *entry) >= (id.ledger, id.entry));
        let whole = MessageIdData::from(MessageId { batch_index: -1, ..id });
        let Ok(index) = u32::try_from(id.batch_index) else {
            self.open.remove(&(id.ledger, id.entry));
            return Some(whole);
        };
        let unacked = self.open.get_mut(&(id.ledger, id.entry))?;
        for before in 0..=index {
            unacked.clear(before);
        }
        if unacked.is_empty() {
            self.open.remove(&(id.ledger, id.entry));
            return Some(whole);
        }
        if mode == BatchIndexAck::EachMessage {
            return Some(MessageIdData {
                ack_set: unacked.words.iter().map(|word| word.cast_signed()).collect(),
                batch_size: i32::try_from(unacked.batch_size).ok(),
                ..whole
            });
        }
        (id.entry > 0).then(|| MessageIdData::from(MessageId { entry: id.entry - 1, batch_index: -1, ..id }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(entry: i64, batch_index: i32) -> MessageId {
        MessageId { batch_index, ..MessageId::new(1, entry) }
    }

    fn tracker() -> AckTracker {
        let mut tracker = AckTracker::default();
        tracker.on_batch(at(5, -1), 3, &[]);
        tracker
    }

    #[test]
    fn an_entry_is_acknowledged_with_its_last_message() {
        let mut tracker = tracker();
        assert_eq!(tracker.individual(at(5, 2), BatchIndexAck::WholeEntries), []);
        assert_eq!(tracker.individual(at(5, 0), BatchIndexAck::WholeEntries), []);
        assert_eq!(tracker.individual(at(5, 0), BatchIndexAck::WholeEntries), []);
        assert_eq!(tracker.individual(at(5, 1), BatchIndexAck::WholeEntries), [at(5, -1).into()]);
        assert_eq!(tracker.individual(at(5, 1), BatchIndexAck::WholeEntries), []);
        assert_eq!(tracker.individual(at(6, -1), BatchIndexAck::WholeEntries), [at(6, -1).into()]);
    }

    #[test]
    fn single_messages_are_told_by_the_bits_still_open() {
        let mut tracker = tracker();
        let sent = tracker.individual(at(5, 1), BatchIndexAck::EachMessage);
        let sent: Vec<_> = sent.into_iter().map(|data| (data.ack_set, data.batch_size)).collect();
        assert_eq!(sent, [(vec![0b101], Some(3))]);
    }

    #[test]
    fn messages_that_the_broker_knows_as_acknowledged_do_not_wait() {
        let mut tracker = AckTracker::default();
        tracker.on_batch(at(5, -1), 70, &[0b1]);
        assert_eq!(tracker.individual(at(5, 0), BatchIndexAck::WholeEntries), [at(5, -1).into()]);
    }

    #[test]
    fn all_chunks_of_a_message_are_acknowledged_also_after_the_connection_was_lost() {
        let mut tracker = AckTracker::default();
        tracker.on_chunks(vec![at(3, -1), at(5, -1)]);
        tracker.clear();
        assert_eq!(tracker.entries(at(5, -1)), [at(3, -1), at(5, -1)]);
        let sent = tracker.individual(at(5, -1), BatchIndexAck::WholeEntries);
        assert_eq!(sent, [at(3, -1).into(), at(5, -1).into()]);
    }

    /// The first chunk of a message whose last one is still on its way.
    #[test]
    fn a_cumulative_acknowledgement_ends_before_an_incomplete_message() {
        let mut tracker = AckTracker::default();
        let open = Some(at(3, -1));
        assert_eq!(tracker.cumulative(at(5, -1), BatchIndexAck::WholeEntries, open), Some(at(2, -1).into()));
        assert_eq!(tracker.cumulative(at(2, -1), BatchIndexAck::WholeEntries, open), Some(at(2, -1).into()));
    }

    #[test]
    fn a_cumulative_acknowledgement_never_covers_messages_behind_it() {
        let mut tracker = tracker();
        assert_eq!(tracker.cumulative(at(5, 1), BatchIndexAck::WholeEntries, None), Some(at(4, -1).into()));
        assert_eq!(tracker.cumulative(at(5, 2), BatchIndexAck::WholeEntries, None), Some(at(5, -1).into()));
        let mut first = AckTracker::default();
        first.on_batch(at(0, -1), 2, &[]);
        assert_eq!(first.cumulative(at(0, 0), BatchIndexAck::WholeEntries, None), None);
    }
}
