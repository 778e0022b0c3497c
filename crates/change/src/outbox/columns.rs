//! The columns of an outbox table that a message is made of.

use bitacora_binlog::TableMap;

use super::cells::{Cells, Clock};
use super::options::{AdditionalMissing, OutboxOptions, Place};
use crate::column_rules::ColumnRules;
use crate::error::PlanError;

/// Finds the columns that options name.
pub(super) struct ColumnFinder<'a> {
    pub table: &'a TableMap,
    pub rules: &'a ColumnRules,
    pub cells: &'a Cells,
}

impl ColumnFinder<'_> {
    /// Returns the index of a column that `option` names.
    ///
    /// # Errors
    /// The table has no such column, or the rules for columns leave it out.
    pub(super) fn index(&self, column: &str, option: &'static str) -> Result<usize, PlanError> {
        self.cells.index(column).ok_or_else(|| {
            let (database, table) = (self.table.database.clone(), self.table.table.clone());
            let column = column.to_owned();
            if self.rules.prints(&database, &table, &column) {
                PlanError::OutboxColumn { database, table, column, option }
            } else {
                PlanError::OutboxColumnLeftOut { database, table, column, option }
            }
        })
    }
}

/// Indexes of the columns by their role in the message.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub id: usize,
    pub key: usize,
    pub payload: usize,
    /// The event's time; without it the message has the time of its routing.
    pub time: Option<(usize, Clock)>,
    /// Names and columns of the properties besides `id`.
    pub headers: Vec<(String, usize)>,
    /// Names and columns that stand beside the payload in the value.
    pub envelope: Vec<(String, usize)>,
}

impl Columns {
    /// Finds the columns that the options name.
    ///
    /// # Errors
    /// A column is missing or left out, or the one of the time holds no time.
    pub(super) fn find(finder: &ColumnFinder<'_>, outbox: &OutboxOptions) -> Result<Columns, PlanError> {
        let mut columns = Columns {
            id: finder.index(&outbox.id, "table.field.event.id (columns.id)")?,
            key: finder.index(&outbox.key, "table.field.event.key (columns.key)")?,
            payload: finder.index(&outbox.payload, "table.field.event.payload (columns.payload)")?,
            time: outbox.time.as_ref().map(|name| time(finder, name)).transpose()?,
            headers: Vec::new(),
            envelope: Vec::new(),
        };
        for placement in &outbox.placements {
            let place = match placement.place {
                Place::Header => &mut columns.headers,
                Place::Envelope => &mut columns.envelope,
            };
            match finder.index(&placement.column, "table.fields.additional.placement (columns.headers)") {
                Ok(index) => place.push((placement.alias.clone(), index)),
                Err(_) if outbox.additional_missing == AdditionalMissing::Ignore => {}
                Err(error) => return Err(error),
            }
        }
        Ok(columns)
    }
}

fn time(finder: &ColumnFinder<'_>, name: &str) -> Result<(usize, Clock), PlanError> {
    let index = finder.index(name, "table.field.event.timestamp (columns.time)")?;
    let clock = Clock::of(&finder.cells.schema(index)).ok_or_else(|| PlanError::OutboxTime {
        database: finder.table.database.clone(),
        table: finder.table.table.clone(),
        column: name.to_owned(),
    })?;
    Ok((index, clock))
}
