//! The consistent view, how its position was found, and the XA transactions that it cannot have.

use std::time::Duration;

use super::options::SnapshotOptions;
use crate::wire::{Connection, Table};
use crate::{Error, Position, ServerConfig, TableName};

pub(super) const OPEN_VIEW: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

/// How view and position were made to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The server itself names the position of the view (MariaDB); no lock.
    ServerPosition,
    /// No transaction was between log and engine when the view was opened (MySQL); no lock.
    QuietMoment,
    /// The view was opened under a global read lock, because the server was never quiet.
    GlobalLock,
    /// The view was opened under read locks on the captured tables, because the server was never quiet.
    TableLocks,
}

/// A view that is open in the snapshot's session.
#[derive(Debug)]
pub(super) struct View {
    pub(super) position: Position,
    pub(super) exactness: Exactness,
    /// Number of prepared XA transactions that wait for their decision. Their rows are before the position, and the
    /// view does not have them.
    pub(super) undecided: usize,
}

/// Whether the account may list the prepared XA transactions (MySQL: `XA_RECOVER_ADMIN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecided {
    Listed,
    NotTold,
}

impl Undecided {
    pub(super) async fn ask(connection: &mut Connection) -> Result<Undecided, Error> {
        match connection.query(XA_RECOVER).await {
            Ok(_) => Ok(Undecided::Listed),
            Err(error) if error.is_refusal() => Ok(Undecided::NotTold),
            Err(error) => Err(error),
        }
    }

    /// Returns the statement that lists the prepared XA transactions, if the account may send it.
    pub(super) fn statement(self) -> Option<&'static str> {
        (self == Undecided::Listed).then_some(XA_RECOVER)
    }

    /// Returns the number of rows in the first answer, that of [`Undecided::statement`]; 0 if it was not sent.
    pub(super) fn count(self, answers: &[Table]) -> usize {
        answers.first().filter(|_| self == Undecided::Listed).map_or(0, Table::len)
    }
}

const XA_RECOVER: &str = "XA RECOVER";

/// What an attempt to open the view needs.
pub(super) struct Attempt<'a> {
    pub(super) config: &'a ServerConfig,
    pub(super) options: &'a SnapshotOptions,
    pub(super) undecided: Undecided,
    /// The captured tables that the view covers.
    pub(super) covered: &'a [TableName],
}

impl Attempt<'_> {
    pub(super) fn lock_limit(&self) -> Duration {
        Duration::from_millis(self.options.lock_timeout_ms)
    }
}
