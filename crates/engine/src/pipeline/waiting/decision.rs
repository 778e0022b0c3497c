//! Statements that begin, end and decide transactions: which messages are sent, which wait and which are forgotten.

use bitacora_binlog::event::Query;

use super::super::logical_offset::EventOffset;
use super::super::read_place::Site;
use super::super::state::State;
use super::super::statement::{Statement, classify};
use super::held::Held;
use super::undecided;
use super::xa::Branch;
use crate::error::{EngineError, ErrorKind};
use crate::sink::Sink;

/// XA transactions that are not decided may hold this many bytes before the source stops.
const XA_BYTES_MAX: usize = 128 << 20;

const NEW_SNAPSHOT: &str = "take a new snapshot: stop the source and remove its checkpoint.redb from the data folder";

impl<S: Sink> State<S> {
    /// Takes a statement of the log.
    pub(in crate::pipeline) fn query(&mut self, query: &Query<'_>, site: Site) -> Result<(), EngineError> {
        self.transaction.open();
        if self.names_threads() {
            self.transaction.thread = Some(u64::from(query.thread_id));
        }
        self.transaction.client_collation = query.status.client_collation();
        match classify(query.sql) {
            Statement::Begin => {
                self.pass(site);
                self.transaction.expect_commit();
            }
            Statement::ReleaseSavepoint | Statement::XaEnd => {
                self.pass(site);
            }
            Statement::Savepoint(name) => {
                self.pass(site);
                self.waiting.undecided.savepoint(name);
            }
            Statement::RollbackTo(name) => {
                self.pass(site);
                self.warn_if_sent(site);
                let Some(count) = self.waiting.undecided.roll_back_to(name) else {
                    return Err(EngineError::new(ErrorKind::Log, format!(
                        "a transaction goes back to the savepoint {name}, of which the log has not said where it stands"
                    ))
                    .remedy(NEW_SNAPSHOT)
                    .at(self.place_of(site)));
                };
                self.writer.metrics.rolled_back_message_count.add(count as u64);
            }
            Statement::Commit => {
                self.pass(site);
                self.end_transaction()?;
            }
            Statement::Rollback => {
                // On MySQL only tables without transactions can have rows here: they stay changed, and so do their
                // messages.
                self.pass(site);
                self.warn_if_sent(site);
                let count = self.waiting.undecided.clear();
                self.writer.metrics.rolled_back_message_count.add(count as u64);
                self.end_transaction()?;
            }
            Statement::XaStart(xid) => {
                self.pass(site);
                self.transaction.expect_commit();
                self.waiting.xa.start(xid);
            }
            Statement::XaCommit(xid) => {
                self.pass(site);
                match self.waiting.xa.decide(xid) {
                    Some(branch) => self.release_branch(branch)?,
                    None => {
                        return Err(EngineError::new(ErrorKind::Log, format!(
                            "the XA transaction {xid} was prepared before this source began and is committed now: its \
                            rows stand in neither snapshot nor stream"
                        ))
                        .remedy(NEW_SNAPSHOT)
                        .at(self.place_of(site)));
                    }
                }
                self.end_transaction()?;
            }
            Statement::XaRollback(xid) => {
                self.pass(site);
                if let Some(branch) = self.waiting.xa.decide(xid) {
                    self.writer.metrics.rolled_back_message_count.add(branch.held.message_count() as u64);
                }
                self.end_transaction()?;
            }
            Statement::Other => {
                let offset = self.pass(site);
                self.schema_change(query, site, offset)?;
                if !self.transaction.ends_with_commit() {
                    self.end_transaction()?;
                }
            }
        }
        Ok(())
    }

    /// Sends the messages of an XA transaction as if its events stood here.
    pub(in crate::pipeline) fn release_branch(&mut self, branch: Branch) -> Result<(), EngineError> {
        let base = self.offset.pass(branch.offset.current());
        self.send_held(&branch.held, base)
    }

    /// Sends the messages of the open transaction that wait.
    pub(in crate::pipeline) fn release_undecided(&mut self) -> Result<(), EngineError> {
        let held = self.waiting.undecided.take();
        self.send_held(&held, undecided::NUMBERED)?;
        self.waiting.undecided.reuse(held);
        Ok(())
    }

    fn send_held(&mut self, held: &Held, base: EventOffset) -> Result<(), EngineError> {
        self.writer.release(held.messages(base))
    }

    /// Keeps what waits for a decision within its bounds of memory.
    pub(in crate::pipeline) fn bound_held(&mut self, site: Site) -> Result<(), EngineError> {
        if self.waiting.xa.byte_count() > XA_BYTES_MAX {
            return Err(EngineError::new(
                ErrorKind::Log,
                format!("XA transactions that are not decided hold more than {XA_BYTES_MAX} bytes of messages"),
            )
            .remedy(
                "decide the prepared transactions that XA RECOVER lists, then take a new snapshot; write less in \
                one XA transaction, or decide sooner",
            )
            .at(self.place_of(site)));
        }
        if self.waiting.undecided.is_too_large() { self.release_early() } else { Ok(()) }
    }

    /// Sends the messages of the open transaction before its end, because they take too much memory to wait.
    pub(in crate::pipeline) fn release_early(&mut self) -> Result<(), EngineError> {
        if self.waiting.undecided.held().is_some_and(|held| held.message_count() > 0) {
            let held = self.waiting.undecided.take_early();
            self.send_held(&held, undecided::NUMBERED)?;
        }
        Ok(())
    }

    /// Fails where a transaction that was sent before its end is rolled back.
    fn warn_if_sent(&self, site: Site) {
        if self.waiting.undecided.is_sent() {
            tracing::error!(place = %self.place_of(site), bytes_max = undecided::BYTES_MAX,
                "rows of a transaction that is rolled back were sent: it was too large to wait for its end, or changed \
                a table's description");
        }
    }
}
