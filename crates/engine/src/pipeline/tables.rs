//! The plans of the tables that the stream has announced.

use std::collections::HashMap;
use std::sync::Arc;

use bitacora_binlog::TableMap;
use bitacora_change::outbox::OutboxPlan;
use bitacora_change::{LoggedTable, PatternError, Plan, TableDescription, completed};
use bitacora_source::TableName;
use bitacora_source::ddl::Doubt;

use super::row_rules::RowRules;
use super::sequence::has_columns_of_a_sequence;
use super::topics::TopicIndex;
use crate::error::{EngineError, ErrorKind, Place, Undescribed};

/// What the pipeline does with the rows of a table.
#[derive(Debug)]
pub(super) enum Slot {
    /// The table is not captured.
    Ignored,
    /// The table is captured.
    Captured(Box<Captured>),
    /// The table is an outbox: each row names its topic.
    Outbox(Box<OutboxPlan>),
}

/// A captured table: its plan and where its messages go.
#[derive(Debug)]
pub(super) struct Captured {
    /// Encoder of the table's rows.
    pub plan: Plan,
    /// Where its messages go.
    pub topic: TopicIndex,
}

/// Plans by the fingerprint of the table map; a table that changes gets a new one.
#[derive(Debug, Default)]
pub(super) struct Tables {
    slots: Vec<(u64, Slot)>,
    by_fingerprint: HashMap<u64, usize>,
    last: usize,
}

impl Tables {
    /// Finds the slot of a table, or makes it with `make`.
    ///
    /// # Errors
    /// Whatever `make` returns.
    pub(super) fn slot(
        &mut self,
        table: &Arc<TableMap>,
        make: impl FnOnce() -> Result<Slot, EngineError>,
    ) -> Result<&mut Slot, EngineError> {
        let is_last = self.slots.get(self.last).is_some_and(|(fingerprint, _)| *fingerprint == table.fingerprint);
        if !is_last {
            self.last = match self.by_fingerprint.get(&table.fingerprint) {
                Some(index) => *index,
                None => {
                    let slot = make()?;
                    self.slots.push((table.fingerprint, slot));
                    self.by_fingerprint.insert(table.fingerprint, self.slots.len() - 1);
                    self.slots.len() - 1
                }
            };
        }
        match self.slots.get_mut(self.last) {
            Some((_, slot)) => Ok(slot),
            None => Err(EngineError::new(ErrorKind::Fault, "the table cache lost an entry")),
        }
    }

    /// Forgets all plans: a description changed, or the lane did.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.by_fingerprint.clear();
        self.last = 0;
    }
}

/// What is known of a table beside its rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub description: Option<&'a TableDescription>,
    /// Why the shape of the table is not known.
    pub doubt: Option<&'a Doubt>,
}

/// Returns a table map whose columns have the names of the description.
///
/// # Errors
/// [`ErrorKind::Undescribed`]: it is not known what the table looked like when these rows were written.
pub(super) fn named(table: &TableMap, known: Known<'_>) -> Result<TableMap, EngineError> {
    let name = TableName::new(&table.database, &table.table);
    let reason = match known {
        Known { doubt: Some(doubt), .. } => doubt.reason.clone(),
        Known { description: None, .. } => "nothing describes the table".to_owned(),
        Known { description: Some(description), .. } => match completed(table, description) {
            Ok(whole) => return Ok(whole),
            Err(what) => format!("the table that is described has another form: {what}"),
        },
    };
    let what = format!("the log does not name the columns of {name}, and it is not certain which they are: {reason}");
    let mut error = EngineError::new(ErrorKind::Undescribed, what).remedy(
        "take a new snapshot (snapshot.mode = when_needed), or exclude the table; with binlog_row_metadata = FULL the \
        server names the columns of every row",
    );
    error.undescribed = Some(Box::new(Undescribed { name, doubt: known.doubt.cloned() }));
    Err(error)
}

/// The plan of a captured table.
#[derive(Debug)]
pub(super) enum Compiled {
    /// Its rows are events of the table.
    Table(Plan),
    /// Its rows are messages.
    Outbox(OutboxPlan),
}

/// Which parts of a table lack a description, if any do.
fn undescribed(table: &TableMap, description: Option<&TableDescription>) -> Option<String> {
    const PRINTED: &str =
        "by what the log says of them: without defaults and comments, and as the type in which the log stores them";
    let name = format!("{}.{}", table.database, table.table);
    if description.is_none() {
        return Some(format!(
            "there is no description of {name}, so its columns are printed {PRINTED}; start the source again, which \
            asks the server"
        ));
    }
    let differences = LoggedTable::new(table, description).differences(table);
    (!differences.is_empty()).then(|| {
        format!(
            "the description of {name} does not fit its rows; columns that only one of the two has are printed \
            {PRINTED} ({}); if it stays so, take a new snapshot",
            differences.join(", ")
        )
    })
}

/// The error of an expression that takes too long, so that nobody knows whether it matches.
pub(super) fn too_long(failure: &PatternError) -> EngineError {
    EngineError::new(ErrorKind::Configuration, format!("the expression {} cannot be used", failure.pattern))
        .remedy(failure.reason.clone())
}

/// Compiles the plan of a captured table and logs the plan's notes once. The first rule that covers an outbox table
/// counts.
///
/// # Errors
/// A column cannot be understood, the server does not log what a plan needs, or an outbox lacks a column.
pub(super) fn compile(table: &TableMap, known: Known<'_>, rules: &RowRules) -> Result<Option<Compiled>, EngineError> {
    let description = known.description;
    let RowRules { plan: options, filter, outboxes, notices, .. } = rules;
    let is_captured = filter.table(&table.database, &table.table);
    if let Some(failure) = filter.failure() {
        return Err(too_long(failure));
    }
    if !is_captured {
        return Ok(None);
    }
    if description.is_none() && has_columns_of_a_sequence(table) {
        notices.warn(&format!(
            "{}.{} is a sequence: the numbers that it reserves are in the log, but they are no rows of a table and are \
            not published",
            table.database, table.table
        ));
        return Ok(None);
    }
    let whole = if table.names_known { None } else { Some(named(table, known)?) };
    let table = whole.as_ref().unwrap_or(table);
    if let Some(what) = undescribed(table, description) {
        notices.warn(&what);
    }
    let place = Place { table: Some(format!("{}.{}", table.database, table.table)), ..Place::default() };
    let compiled = match outboxes.iter().find(|rule| rule.covers(&table.database, &table.table)) {
        Some(rule) => OutboxPlan::compile(table, description, options, &rule.options).map(Compiled::Outbox),
        None => Plan::compile(table, description, options).map(Compiled::Table),
    };
    let compiled = compiled.map_err(|error| EngineError::quoting(ErrorKind::Configuration, error).at(place))?;
    if let Some(failure) = options.columns.failure() {
        return Err(too_long(failure));
    }
    let notes = match &compiled {
        Compiled::Table(plan) => plan.notes(),
        Compiled::Outbox(plan) => plan.notes(),
    };
    for note in notes {
        notices.warn(note);
    }
    Ok(Some(compiled))
}
