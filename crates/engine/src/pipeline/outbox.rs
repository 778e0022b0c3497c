//! Rows of outbox tables: each goes to a topic of its own, which is opened when the first row asks for it.

use bitacora_binlog::Row;
use bitacora_change::outbox::{OutboxPlan, Route, Updates};
use bitacora_change::{EventContext, MessageBuffer, Operation, TopicCollision};

use super::topic_owners::TopicOwners;
use super::topics::Topics;
use crate::error::{EngineError, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::notices::Notices;
use crate::sink::{Lane, Sink};

const MEND: &str = "mend what writes the rows; on_error = \"dead_letter\" sends such rows to a topic and goes on";

/// What tells that a row names the topic of a captured table.
#[derive(Clone, Copy)]
pub(super) struct Meetings<'a> {
    pub owners: &'a TopicOwners,
    pub policy: TopicCollision,
    pub notices: &'a Notices,
}

/// What routing a row needs besides the row.
pub(super) struct Router<'a, S> {
    pub plan: &'a OutboxPlan,
    pub sink: &'a mut S,
    pub topics: &'a mut Topics,
    pub metrics: &'a SourceMetrics,
    pub meetings: Meetings<'a>,
    pub lane: Lane,
}

impl<S: Sink> Router<'_, S> {
    /// Puts the message of a row into the cleared buffer and gives the index of its topic; `None` if the row is none.
    ///
    /// # Errors
    /// The row cannot be read, or is no message and the source is to stop then; or the sink refuses the topic.
    pub fn route(
        &mut self,
        row: &Row<'_>,
        operation: Operation,
        context: &EventContext<'_>,
        buffer: &mut MessageBuffer,
    ) -> Result<Option<usize>, EngineError> {
        let route = self
            .plan
            .route(row, operation, context, buffer)
            .map_err(|error| EngineError::new(ErrorKind::Row, error.to_string()).caused_by(error))?;
        match route {
            Route::Message { topic } => self.open(&topic).map(Some),
            Route::DeadLetter { topic, reason } => {
                self.metrics.dead_letter_count.add(1);
                tracing::warn!(file = context.file, position = context.position, row = context.row, %topic, "a row of an outbox is sent as a dead letter: {reason}");
                let schema = self.plan.dead_letter_schema();
                self.topics.route(self.sink, self.lane, &topic, schema).map(Some)
            }
            Route::Unmappable { reason } => {
                Err(EngineError::new(ErrorKind::Row, format!("a row of an outbox is no message: {reason}"))
                    .remedy(MEND))
            }
            Route::Deleted => {
                self.metrics.outbox_deleted_row_count.add(1);
                Ok(None)
            }
            Route::Updated => {
                let what = "a row of an outbox was updated, which sends nothing";
                match self.plan.updates() {
                    Updates::Warn => {
                        tracing::warn!(file = context.file, position = context.position, row = context.row, "{what}");
                    }
                    Updates::Error => {
                        tracing::error!(file = context.file, position = context.position, row = context.row, "{what}");
                    }
                    Updates::Fatal => {
                        return Err(EngineError::new(ErrorKind::Row, "a row of an outbox was updated").remedy(
                            "outbox rows are only inserted and deleted; table.op.invalid.behavior = warn goes on without a message",
                        ));
                    }
                }
                self.metrics.outbox_updated_row_count.add(1);
                Ok(None)
            }
        }
    }

    fn open(&mut self, topic: &str) -> Result<usize, EngineError> {
        let Meetings { owners, policy, notices } = self.meetings;
        owners.check_routed(topic, self.plan.table(), policy, notices)?;
        self.topics.route(self.sink, self.lane, topic, self.plan.message_schema())
    }
}
