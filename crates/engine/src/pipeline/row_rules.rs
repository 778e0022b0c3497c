//! What becomes of rows, whether they are read by a snapshot or from the log.

use bitacora_binlog::TableMap;
use bitacora_change::outbox::OutboxRule;
use bitacora_change::{EventContext, LargeRows, Operation, PlanOptions};
use bitacora_source::Filter;

use super::topic_owners::Collision;
use crate::notices::Notices;

/// The rules for rows, fixed for the life of a writer.
#[derive(Debug, Clone)]
pub(crate) struct RowRules {
    /// How rows are encoded.
    pub plan: PlanOptions,
    /// What is captured.
    pub filter: Filter,
    /// Which of the captured tables are outboxes.
    pub outboxes: Vec<OutboxRule>,
    /// What becomes of rows whose message no broker takes.
    pub large_rows: LargeRows,
    /// Topics that rows of outboxes name and that are open at once.
    pub open_topics_max: usize,
    /// Warnings about the tables' rules that were given already.
    pub notices: Notices,
}

impl RowRules {
    /// Returns what is done about two tables whose topics have the same name.
    pub(super) fn collision(&self) -> Collision<'_> {
        Collision { policy: self.plan.topic_collision, notices: &self.notices }
    }
}

/// Where a row comes from.
#[derive(Clone, Copy)]
pub(super) struct RowOrigin<'a> {
    pub table: &'a TableMap,
    pub operation: Operation,
    pub context: &'a EventContext<'a>,
}
