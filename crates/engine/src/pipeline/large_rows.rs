//! Rows whose message no broker takes: named in an error, cut, or replaced by a dead letter.

use bitacora_binlog::Row;
use bitacora_change::schema::ValueSchema;
use bitacora_change::{
    LargeRowPolicy, Message, MessageBuffer, MessageSchema, Plan, TableDescription, dead_letter, shown_key,
};

use super::row_rules::{RowOrigin, RowRules};
use super::tables::{Known, named};
use super::topics::{TopicIndex, Topics};
use crate::error::{EngineError, ErrorKind};
use crate::metrics::SourceMetrics;
use crate::sink::{Lane, Sink};

const STOPPED: &str = "let consumers do without it: large_rows.policy = \"truncate\" with the columns to cut, or \
    \"dead_letter\"; or exclude the column or the table";
const STILL: &str = "name the columns that are large in large_rows.columns, or set large_rows.policy = \"dead_letter\"";

impl RowOrigin<'_> {
    /// Looks at the messages of a row, and encodes the row again, with columns cut, if that is the policy.
    ///
    /// # Errors
    /// A message is too large, and the source is to stop then or cutting does not help.
    pub(super) fn settle(
        &self,
        row: &Row<'_>,
        rules: &RowRules,
        metadata_bytes_max: usize,
        describe: impl FnOnce() -> Option<TableDescription>,
        buffer: &mut MessageBuffer,
    ) -> Result<(), EngineError> {
        let large = &rules.large_rows;
        let Some((excess, key)) = large.excess_of_row(buffer, metadata_bytes_max) else { return Ok(()) };
        let failure = |remedy: &str| {
            EngineError::new(ErrorKind::Row, format!("a row with the key {key} cannot be sent: {excess}"))
                .remedy(remedy)
        };
        match &large.policy {
            LargeRowPolicy::Stop => Err(failure(STOPPED)),
            LargeRowPolicy::DeadLetter { .. } => Ok(()),
            LargeRowPolicy::Truncate { .. } => {
                let Some(cutting) = large.cutting(&rules.plan) else { return Err(failure(STOPPED)) };
                let description = describe();
                let known = Known { description: description.as_ref(), doubt: None };
                let whole = if self.table.names_known { None } else { Some(named(self.table, known)?) };
                let plan = Plan::compile(whole.as_ref().unwrap_or(self.table), description.as_ref(), &cutting)
                    .map_err(|error| EngineError::quoting(ErrorKind::Configuration, error))?;
                buffer.clear();
                plan.encode(row, self.operation, self.context, buffer)
                    .map_err(|error| EngineError::quoting(ErrorKind::Row, error))?;
                if large.excess_of_row(buffer, metadata_bytes_max).is_some() {
                    return Err(failure(STILL));
                }
                let (file, position, row) = (self.context.file, self.context.position, self.context.row);
                tracing::warn!(table = %self.name(), file, position, row, key, "columns of a row are cut: {excess}");
                Ok(())
            }
        }
    }

    /// The dead letter that takes the place of a message, with its topic; `None` for a message that can be sent.
    ///
    /// # Errors
    /// The sink refuses the topic.
    pub(super) fn letter(
        &self,
        rules: &RowRules,
        buffer: &MessageBuffer,
        message: &Message,
        (sink, topics, metrics, lane): (&mut impl Sink, &mut Topics, &SourceMetrics, Lane),
    ) -> Result<Option<(TopicIndex, MessageBuffer)>, EngineError> {
        let Some(excess) = rules.large_rows.excess(buffer, message, sink.metadata_bytes_max()) else { return Ok(None) };
        let table_topic = rules.plan.table_topic(&self.table.database, &self.table.table);
        let Some(topic) = rules.large_rows.dead_letter_topic(&table_topic) else { return Ok(None) };
        let index = topics.route(sink, lane, &topic, &MessageSchema::Value(ValueSchema::bytes()))?;
        metrics.dead_letter_count.add(1);
        let (file, position, row) = (self.context.file, self.context.position, self.context.row);
        let (table, key) = (self.name(), shown_key(buffer.key(message)));
        tracing::warn!(%table, file, position, row, key, %topic, "a dead letter takes the place of a row: {excess}");
        Ok(Some((index, dead_letter(buffer, message, excess, &self.name(), self.operation, self.context))))
    }

    fn name(&self) -> String {
        format!("{}.{}", self.table.database, self.table.table)
    }
}
