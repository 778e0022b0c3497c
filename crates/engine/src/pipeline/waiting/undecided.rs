//! The transaction of MariaDB that is being read, whose end says whether it counts.
//!
//! MariaDB logs a transaction that was rolled back if it made or dropped a temporary table, and ends it with
//! `ROLLBACK`; and it logs the rows behind a savepoint, and then `ROLLBACK TO` it, if the transaction also changed a
//! table without transactions. None of these rows was ever committed, so the messages of a transaction wait until its
//! end is read. MySQL removes such rows from its log by itself.

use super::super::logical_offset::EventOffset;
use super::held::Held;

/// The transaction that is being read, while its messages wait.
#[derive(Debug, Default)]
pub(crate) struct Undecided {
    is_open: bool,
    held: Held,
    /// Savepoints and how many messages stood before each.
    savepoints: Vec<(String, usize)>,
    /// Whether the transaction was too large and its messages are on their way.
    is_sent: bool,
}

/// Bytes of messages that one transaction may keep waiting. A larger one is sent as it is read.
pub(crate) const BYTES_MAX: usize = 16 << 20;

impl Undecided {
    /// A transaction begins.
    pub(crate) fn begin(&mut self) {
        self.clear();
        self.is_open = true;
    }

    /// Where the next messages wait; `None` if they do not.
    pub(crate) fn held(&mut self) -> Option<&mut Held> {
        self.is_open.then_some(&mut self.held)
    }

    /// Returns whether the waiting messages take more memory than they may.
    pub(crate) fn is_too_large(&self) -> bool {
        self.held.byte_count() > BYTES_MAX
    }

    /// Returns whether messages of the transaction that is being read were sent before its end.
    pub(crate) fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Takes the waiting messages because they are too many; those that follow do not wait either.
    pub(crate) fn take_early(&mut self) -> Held {
        self.is_sent = true;
        self.take()
    }

    /// A savepoint was set.
    pub(crate) fn savepoint(&mut self, name: &str) {
        if !self.is_open {
            return;
        }
        let name = plain(name);
        self.savepoints.retain(|(known, _)| *known != name);
        self.savepoints.push((name, self.held.message_count()));
    }

    /// The transaction goes back to a savepoint. Gives how many messages are forgotten; `None` if the log has not said
    /// where that savepoint stands.
    pub(crate) fn roll_back_to(&mut self, name: &str) -> Option<usize> {
        if !self.is_open {
            return Some(0);
        }
        let name = plain(name);
        let index = self.savepoints.iter().position(|(known, _)| *known == name)?;
        self.savepoints.truncate(index + 1);
        let before = self.held.message_count();
        self.held.truncate(self.savepoints.last().map_or(0, |(_, count)| *count));
        Some(before - self.held.message_count())
    }

    /// Takes the waiting messages; their distances are their sequence ids.
    pub(crate) fn take(&mut self) -> Held {
        self.is_open = false;
        self.savepoints.clear();
        std::mem::take(&mut self.held)
    }

    /// Keeps the memory of sent messages for the next transaction.
    pub(crate) fn reuse(&mut self, mut sent: Held) {
        if sent.byte_count() <= BYTES_MAX / 16 {
            sent.truncate(0);
            self.held = sent;
        }
    }

    /// The transaction is rolled back or read again: forgets everything. Gives how many messages it had.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.held.message_count();
        self.held.truncate(0);
        self.savepoints.clear();
        self.is_open = false;
        self.is_sent = false;
        count
    }
}

/// A savepoint's name, whose quotes and case may differ from statement to statement.
fn plain(name: &str) -> String {
    let quote = name.chars().next().filter(|first| matches!(first, '`' | '"'));
    let bare = quote.and_then(|quote| Some((quote, name.strip_prefix(quote)?.strip_suffix(quote)?)));
    match bare {
        Some((quote, bare)) => bare.replace(&format!("{quote}{quote}"), &quote.to_string()).to_lowercase(),
        None => name.to_lowercase(),
    }
}

/// Where the distances of an [`Undecided`] transaction are counted from: they are sequence ids.
pub(crate) const NUMBERED: EventOffset = EventOffset::ZERO;

#[cfg(test)]
mod tests {
    use bitacora_change::{MessageBuffer, WholeMessage};

    use super::super::super::topics::TopicIndex;
    use super::*;

    fn push(undecided: &mut Undecided, id: u64) {
        let mut buffer = MessageBuffer::default();
        buffer.push(&WholeMessage { key: Some(b"key"), value: Some(&id.to_be_bytes()), ..WholeMessage::default() });
        let message = buffer.messages().first().cloned().into_iter();
        for message in message {
            undecided.held().into_iter().for_each(|held| held.push(TopicIndex(0), id, &buffer, &message));
        }
    }

    fn ids(undecided: &mut Undecided) -> Vec<u64> {
        let held = undecided.take();
        held.messages(NUMBERED)
            .map(|(_, message)| {
                assert_eq!(message.value, Some(message.sequence_id.to_be_bytes().as_slice()));
                message.sequence_id
            })
            .collect()
    }

    #[test]
    fn what_lies_behind_a_savepoint_is_forgotten() {
        let mut undecided = Undecided::default();
        undecided.begin();
        push(&mut undecided, 1);
        undecided.savepoint("`a`");
        push(&mut undecided, 2);
        undecided.savepoint("`b`");
        push(&mut undecided, 3);
        assert_eq!(undecided.roll_back_to("A"), Some(2));
        push(&mut undecided, 4);
        assert_eq!(undecided.roll_back_to("`b`"), None, "b went with a");
        push(&mut undecided, 5);
        undecided.savepoint("\"A\"");
        push(&mut undecided, 6);
        assert_eq!(undecided.roll_back_to("`a`"), Some(1));
        assert_eq!(ids(&mut undecided), [1, 4, 5]);
        undecided.begin();
        assert_eq!(undecided.roll_back_to("`a`"), None, "of the transaction before");
    }

    #[test]
    fn a_transaction_that_ended_holds_nothing() {
        let mut undecided = Undecided::default();
        push(&mut undecided, 1);
        undecided.begin();
        push(&mut undecided, 2);
        assert_eq!(undecided.clear(), 1);
        push(&mut undecided, 3);
        undecided.savepoint("`a`");
        assert!(ids(&mut undecided).is_empty() && undecided.savepoints.is_empty());
    }
}
