//! Messages that may not go out yet. There are three reasons:
//!
//! 1. An XA transaction is *prepared*: its rows are in the log, and whether they count is said later, by `XA COMMIT` or
//!    `XA ROLLBACK` ([`xa`]). It waits over any number of other transactions, and meanwhile no checkpoint may pass it.
//! 2. A transaction of MariaDB may end with `ROLLBACK` in the log, if it made or dropped a temporary table
//!    ([`undecided`]).
//! 3. A transaction of MariaDB may go back to a savepoint in the log, if it also changed a table without transactions:
//!    the rows behind the savepoint never counted ([`undecided`]).
//!
//! What waits is [`held`] encoded, with its distance from the place that its sequence id is counted from. `decision`
//! takes the statements that begin, end and decide transactions, and lets messages go or forgets them.

mod decision;
pub(super) mod held;
pub(super) mod undecided;
pub(super) mod xa;

use self::held::Held;
use self::undecided::Undecided;
use self::xa::XaTransactions;

/// All messages that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// For the decision on their XA transaction.
    pub xa: XaTransactions,
    /// For the end of the transaction that is being read.
    pub undecided: Undecided,
}

impl Waiting {
    /// Returns where the messages of the rows that are being read wait; `None` if they do not.
    pub(super) fn held(&mut self) -> Option<&mut Held> {
        match self.xa.current() {
            Some(branch) => Some(&mut branch.held),
            None => self.undecided.held(),
        }
    }

    /// Forgets the transaction that was being read: the connection was cut and it will be read again.
    pub(super) fn abandon(&mut self) {
        self.xa.abandon_current();
        self.undecided.clear();
    }
}
