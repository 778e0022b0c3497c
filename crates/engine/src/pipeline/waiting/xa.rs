//! XA transactions between PREPARE and the decision.
//!
//! The log holds the rows of an XA transaction when it is *prepared*; whether they count is said later, by `XA COMMIT`
//! or `XA ROLLBACK`. Their messages wait here. A commit releases them as if they had been written at that place of the
//! log: their sequence ids follow the commit's own offset and keep their distances, so that a replay numbers them
//! alike. While a transaction waits no checkpoint may pass it, or its rows would be lost with a restart.

use std::collections::HashMap;

use super::super::logical_offset::LogicalOffset;
use super::held::Held;

/// One XA transaction.
#[derive(Debug)]
pub(crate) struct Branch {
    /// Counts the bytes of the transaction's events, from 0.
    pub offset: LogicalOffset,
    /// Its messages; their distances are from the transaction's first event.
    pub held: Held,
}

/// The transaction being prepared and those that wait for their decision, by the text of their xid.
#[derive(Debug, Default)]
pub(crate) struct XaTransactions {
    current: Option<(String, Branch)>,
    waiting: HashMap<String, Branch>,
    bytes: usize,
}

impl XaTransactions {
    /// `XA START` was read: rows belong to this transaction until it is prepared.
    pub(crate) fn start(&mut self, xid: &str) {
        self.current = Some((xid.to_owned(), Branch { offset: LogicalOffset::at(0), held: Held::default() }));
    }

    /// The transaction whose rows are being read.
    pub(crate) fn current(&mut self) -> Option<&mut Branch> {
        self.current.as_mut().map(|(_, branch)| branch)
    }

    /// The transaction is prepared: it waits.
    pub(crate) fn prepare(&mut self) {
        if let Some((xid, branch)) = self.current.take() {
            self.bytes += branch.held.byte_count();
            self.waiting.insert(xid, branch);
        }
    }

    /// Bytes of the messages of all transactions that are not decided.
    pub(crate) fn byte_count(&self) -> usize {
        self.bytes + self.current.as_ref().map_or(0, |(_, branch)| branch.held.byte_count())
    }

    /// The transaction commits in one phase, or was never prepared: its messages count at once.
    pub(crate) fn take_current(&mut self) -> Option<Branch> {
        self.current.take().map(|(_, branch)| branch)
    }

    /// The decision came. `None` if the transaction was prepared before this source started.
    pub(crate) fn decide(&mut self, xid: &str) -> Option<Branch> {
        let branch = self.waiting.remove(xid)?;
        self.bytes -= branch.held.byte_count();
        Some(branch)
    }

    /// Returns whether a transaction waits, which holds back the checkpoint.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Forgets the transaction that was being read: the connection was cut and it will be read again.
    pub(crate) fn abandon_current(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use bitacora_change::{MessageBuffer, WholeMessage};

    use super::super::super::topics::TopicIndex;
    use super::*;

    #[test]
    fn messages_wait_for_the_decision_and_are_forgotten_once() {
        let mut xa = XaTransactions::default();
        xa.start("X'61',X'',1");
        if let Some(branch) = xa.current() {
            let mut buffer = MessageBuffer::default();
            buffer.push(&WholeMessage { key: Some(b"key"), ..WholeMessage::default() });
            branch.held.push(TopicIndex(3), 19, &buffer, &buffer.messages()[0]);
        }
        assert!(!xa.is_waiting());
        assert_eq!(xa.byte_count(), 3);
        xa.prepare();
        assert!(xa.is_waiting());
        assert_eq!(xa.byte_count(), 3);
        assert!(xa.current().is_none());
        let mut decided = |xid: &str| xa.decide(xid).map(|branch| branch.held.message_count());
        assert_eq!(decided("X'62',X'',1"), None);
        assert_eq!(decided("X'61',X'',1"), Some(1));
        assert!(!xa.is_waiting());
        assert_eq!(xa.byte_count(), 0);
    }
}
