//! What a topic has confirmed, as the checkpoint keeps it.

use super::epoch::Epoch;
use crate::lane::Lane;

/// The end of a topic, as far as the source knows it to be durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMark {
    /// The base whose ids these are; `None` for one of the first format.
    pub epoch: Option<Epoch>,
    /// Which of the two producers.
    pub lane: Lane,
    /// The topic, as the source names it.
    pub topic: String,
    /// The highest sequence id that the broker has confirmed.
    pub sequence_id: u64,
    /// Ledger and entry of the newest message of this producer whose place the broker has told.
    pub message: Option<(i64, i64)>,
    /// The topic's epoch when it was opened last. A broker raises it with each exclusive producer; in a topic that was
    /// deleted and made again it begins again.
    pub topic_epoch: Option<u64>,
}

/// Bytes of a stored mark: sequence id, ledger, entry, topic epoch.
const MARK_BYTES: usize = 32;

impl TopicMark {
    /// Returns the key of the mark's row: epoch, lane and topic.
    pub(super) fn key(&self) -> String {
        let epoch = self.epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
        let lane = match self.lane {
            Lane::Stream => "stream",
            Lane::Snapshot => "snapshot",
        };
        format!("{epoch}/{lane}/{}", self.topic)
    }

    /// Returns the value of the mark's row.
    pub(super) fn value(&self) -> [u8; MARK_BYTES] {
        let (ledger, entry) = self.message.unwrap_or((-1, -1));
        let topic_epoch = self.topic_epoch.and_then(|epoch| i64::try_from(epoch).ok()).unwrap_or(-1);
        let mut value = [0; MARK_BYTES];
        let fields =
            [self.sequence_id.to_le_bytes(), ledger.to_le_bytes(), entry.to_le_bytes(), topic_epoch.to_le_bytes()];
        for (part, field) in value.chunks_exact_mut(8).zip(fields) {
            part.copy_from_slice(&field);
        }
        value
    }

    /// Reads a row; `None` if it is not what this program writes.
    pub(super) fn parse(key: &str, value: &[u8]) -> Option<TopicMark> {
        let mut parts = key.splitn(3, '/');
        let epoch = match parts.next()? {
            "" => None,
            digits => Some(Epoch::from_number(u64::from_str_radix(digits, 16).ok()?)),
        };
        let lane = match parts.next()? {
            "stream" => Lane::Stream,
            "snapshot" => Lane::Snapshot,
            _ => return None,
        };
        let topic = parts.next()?.to_owned();
        let mut fields = value.chunks_exact(8).map(|field| field.try_into().map(i64::from_le_bytes));
        let mut field = || fields.next()?.ok();
        let (sequence_id, ledger, entry, topic_epoch) = (field()?.cast_unsigned(), field()?, field()?, field()?);
        let message = (ledger >= 0 && entry >= 0).then_some((ledger, entry));
        Some(TopicMark { epoch, lane, topic, sequence_id, message, topic_epoch: u64::try_from(topic_epoch).ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = TopicMark {
            epoch: Some(Epoch::from_number(u64::MAX)),
            lane: Lane::Stream,
            topic: "persistent://a/b/c/d".into(),
            sequence_id: u64::MAX,
            message: Some((7, 0)),
            topic_epoch: Some(0),
        };
        let first = TopicMark { epoch: None, lane: Lane::Snapshot, message: None, topic_epoch: None, ..mark.clone() };
        for mark in [mark, first] {
            assert_eq!(TopicMark::parse(&mark.key(), &mark.value()), Some(mark));
        }
        assert_eq!(TopicMark::parse("/stream/t", &[0; 31]), None);
    }
}
