//! Message ids: ledger, entry, partition, index in the batch.

use std::fmt;
use std::str::FromStr;

use crate::proto::MessageIdData;

/// Address of a message. Ordered by ledger, entry and batch index, which is the order of a topic's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageId {
    /// Ledger; −1 in the earliest position.
    pub ledger: i64,
    /// Entry; −1 in the earliest position.
    pub entry: i64,
    /// Partition, −1 for a topic without partitions.
    pub partition: i32,
    /// Index in the batch, −1 for a whole entry.
    pub batch_index: i32,
}

impl MessageId {
    /// Position before the first message; all ones on the wire.
    pub const EARLIEST: Self = Self { ledger: -1, entry: -1, partition: -1, batch_index: -1 };

    /// Position after the last message.
    pub const LATEST: Self = Self { ledger: i64::MAX, entry: i64::MAX, partition: -1, batch_index: -1 };

    /// Creates the id of a whole entry.
    pub const fn new(ledger: i64, entry: i64) -> Self {
        Self { ledger, entry, partition: -1, batch_index: -1 }
    }

    /// Returns whether this is the id of no message: the receipt of a duplicate, or the end of an empty topic.
    pub fn is_none(&self) -> bool {
        self.ledger < 0 || self.entry < 0
    }
}

impl Ord for MessageId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.ledger, self.entry, self.batch_index, self.partition).cmp(&(
            other.ledger,
            other.entry,
            other.batch_index,
            other.partition,
        ))
    }
}

impl PartialOrd for MessageId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&MessageIdData> for MessageId {
    fn from(data: &MessageIdData) -> Self {
        Self {
            ledger: data.ledger_id.cast_signed(),
            entry: data.entry_id.cast_signed(),
            partition: data.partition(),
            batch_index: data.batch_index(),
        }
    }
}

impl From<MessageId> for MessageIdData {
    fn from(id: MessageId) -> Self {
        Self {
            ledger_id: id.ledger.cast_unsigned(),
            entry_id: id.entry.cast_unsigned(),
            partition: (id.partition >= 0).then_some(id.partition),
            batch_index: (id.batch_index >= 0).then_some(id.batch_index),
            ..Self::default()
        }
    }
}

impl fmt::Display for MessageId {
    /// Prints `ledger:entry:partition[:batch index]`, as Pulsar's clients do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.ledger, self.entry, self.partition)?;
        if self.batch_index >= 0 { write!(f, ":{}", self.batch_index) } else { Ok(()) }
    }
}

/// Text that is not a message id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a message id; write `ledger:entry`, `ledger:entry:partition[:batch index]`, `earliest` or `latest`"
)]
pub struct InvalidMessageId(pub String);

impl FromStr for MessageId {
    type Err = InvalidMessageId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "earliest" => return Ok(Self::EARLIEST),
            "latest" => return Ok(Self::LATEST),
            _ => {}
        }
        let invalid = || InvalidMessageId(text.to_owned());
        let mut parts = text.split(':');
        let mut next = || parts.next().map(|part| part.parse::<i64>().map_err(|_| invalid())).transpose();
        let ledger = next()?.ok_or_else(invalid)?;
        let entry = next()?.ok_or_else(invalid)?;
        let small = |value: Option<i64>| i32::try_from(value.unwrap_or(-1)).map_err(|_| invalid());
        let partition = small(next()?)?;
        let batch_index = small(next()?)?;
        if next()?.is_some() {
            return Err(invalid());
        }
        Ok(Self { ledger, entry, partition, batch_index })
    }
}
