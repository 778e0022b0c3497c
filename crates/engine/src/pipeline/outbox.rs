//! Rows of outbox tables: each goes to a topic of its own, which is opened when the first row asks for it.

use bitacora_binlog::Row;
use bitacora_change::outbox::{OutboxPlan, Route, Updates};

use super::row_rules::RowOrigin;
use super::row_writer::RowWriter;
use super::topics::TopicIndex;
use crate::error::{EngineError, ErrorKind};
use crate::sink::Sink;

const MEND: &str = "mend what writes the rows; on_error = \"dead_letter\" sends such rows to a topic and goes on";

impl<S: Sink> RowWriter<S> {
    /// Puts the message of a row into the cleared buffer and returns its topic; `None` if nothing is to be sent for the
    /// row.
    ///
    /// # Errors
    /// The row cannot be read, or is no message and the source is to stop then; or the sink refuses the topic.
    pub(super) fn route(
        &mut self,
        plan: &OutboxPlan,
        row: &Row<'_>,
        origin: RowOrigin<'_>,
    ) -> Result<Option<TopicIndex>, EngineError> {
        let context = origin.context;
        let route = plan
            .route(row, origin.operation, context, &mut self.buffer)
            .map_err(|error| EngineError::quoting(ErrorKind::Row, error))?;
        match route {
            Route::Message { topic } => {
                self.owners.check_routed(&topic, plan.table(), self.rules.collision())?;
                self.topics.route(&mut self.sink, self.lane, &topic, plan.message_schema()).map(Some)
            }
            Route::DeadLetter { topic, reason } => {
                self.metrics.dead_letter_count.add(1);
                tracing::warn!(file = context.file, position = context.position, row = context.row, %topic,
                    "a row of an outbox is sent as a dead letter: {reason}");
                self.topics.route(&mut self.sink, self.lane, &topic, plan.dead_letter_schema()).map(Some)
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
                match plan.updates() {
                    Updates::Warn => {
                        tracing::warn!(file = context.file, position = context.position, row = context.row, "{what}");
                    }
                    Updates::Error => {
                        tracing::error!(file = context.file, position = context.position, row = context.row, "{what}");
                    }
                    Updates::Fatal => {
                        return Err(EngineError::new(ErrorKind::Row, "a row of an outbox was updated").remedy(
                            "outbox rows are only inserted and deleted; table.op.invalid.behavior = warn goes on \
                            without a message",
                        ));
                    }
                }
                self.metrics.outbox_updated_row_count.add(1);
                Ok(None)
            }
        }
    }
}
