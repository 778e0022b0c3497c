//! The consistent view, how exact it is, and what it cannot have.

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
    /// Nothing was between log and engine when the view was opened (MySQL); no lock.
    QuietMoment,
    /// A global read lock for a moment, because the server was never quiet.
    GlobalLock,
    /// Read locks on the captured tables for a moment, because the server was never quiet.
    TableLocks,
}

/// A view that is open in the snapshot's session.
#[derive(Debug)]
pub(super) struct View {
    pub(super) position: Position,
    pub(super) exactness: Exactness,
    /// XA transactions that are prepared and not decided: their rows lie before the position, and the view does not
    /// have them.
    pub(super) undecided: usize,
}

/// Whether the account may list the XA transactions that wait for their decision (MySQL: `XA_RECOVER_ADMIN`).
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

    /// Returns the statement that lists them, where it may be asked.
    pub(super) fn statement(self) -> Option<&'static str> {
        (self == Undecided::Listed).then_some(XA_RECOVER)
    }

    /// Counts the rows of the first answer, which is that to [`Undecided::statement`]; 0 where it was not asked.
    pub(super) fn count(self, answers: &[Table]) -> usize {
        answers.first().filter(|_| self == Undecided::Listed).map_or(0, Table::len)
    }
}

const XA_RECOVER: &str = "XA RECOVER";

/// What an attempt needs.
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
