//! Statements that change tables: descriptions follow them, and the schema-change topic gets their records.

use std::sync::Arc;

use bitacora_binlog::event::Query;
use bitacora_change::ddl_record::{DdlRecordEncoder, SchemaChange, TableChange, TableChangeType};
use bitacora_change::{DebeziumForm, EventContext, SnapshotMark};
use bitacora_source::TableName;
use bitacora_source::ddl::{self, DdlRecord, Fractions, RecordForm, ScannedQuery, StatementPlace, TableChangeKind};

use super::logical_offset::EventOffset;
use super::options::SchemaChanges;
use super::read_place::Site;
use super::row_writer::{Encoded, Sent};
use super::state::{State, source_timestamp_us};
use crate::error::{EngineError, ErrorKind, Place};
use crate::sink::{Lane, Sink};

impl<S: Sink> State<S> {
    /// Takes a statement that is not part of a transaction's frame.
    pub(super) fn schema_change(
        &mut self,
        query: &Query<'_>,
        site: Site,
        offset: EventOffset,
    ) -> Result<(), EngineError> {
        if self.transaction.leaves_tables_alone() {
            return Ok(());
        }
        let ScannedQuery { sql, database, facts } = ddl::scan_query(query);
        for warning in &facts.warnings {
            tracing::warn!(file = %self.place.file, position = site.start,
                "a statement was understood in part: {warning}");
        }
        self.refuse_row_changes(&facts, &database, site)?;
        let form = record_form(self.writer.rules.plan.form);
        let catalog = Arc::make_mut(&mut self.catalog);
        catalog.set_place(StatementPlace { file: self.place.file.clone(), offset: site.start });
        catalog.set_fractions(if self.transaction.is_of_mariadb() { Fractions::Cut } else { Fractions::Rounded });
        let records = ddl::records(&sql, &database, &facts, catalog, &self.writer.rules.filter, form);
        if records.is_empty() && facts.statements.iter().all(leaves_descriptions) {
            return Ok(());
        }
        // Messages that wait were encoded by the plans before this statement and keep the schemas of those.
        self.release_early()?;
        // A description may change without a new table map (a comment, a default), so every plan is compiled again.
        self.tables.clear();
        if self.schema_changes == SchemaChanges::Follow || records.is_empty() {
            return Ok(());
        }
        let encoder = DdlRecordEncoder::new(&self.writer.rules.plan);
        let topic = self.writer.topics.open_once(
            &mut self.writer.sink,
            Lane::Stream,
            encoder.topic(),
            encoder.message_schema(),
        )?;
        self.writer.buffer.clear();
        let source_timestamp_us = match self.writer.rules.plan.form {
            // The 1.9 line prints when it read the statement.
            DebeziumForm::V1_9 => self.now_us,
            // The 3.6 line knows the commit to the millisecond here.
            DebeziumForm::V3_6 => {
                source_timestamp_us(site.header, self.transaction.commit_timestamp_us).div_euclid(1_000) * 1_000
            }
        };
        // A statement has a session where it is a part of a transaction that began before it.
        let thread = self.transaction.thread.filter(|_| self.transaction.ends_with_commit());
        for record in &records {
            let context = EventContext {
                file: &self.place.file,
                position: site.start,
                row: 0,
                server_id: site.header.server_id,
                gtid: self.transaction.gtid(),
                thread,
                query: None,
                source_timestamp_us,
                now_us: self.now_us,
                snapshot: SnapshotMark::False,
            };
            encoder.encode(&schema_change(record), &context, &mut self.writer.buffer);
        }
        let mut sent = Sent::default();
        self.writer.send(Encoded::statement(topic), |number| offset.sequence_id(0, number), None, &mut sent)?;
        self.writer.count(sent);
        Ok(())
    }

    /// Fails on a statement that changes, or may change, captured rows: their changes are not in the log as rows.
    fn refuse_row_changes(&self, facts: &ddl::Facts, database: &str, site: Site) -> Result<(), EngineError> {
        let filter = &self.writer.rules.filter;
        // Only a part is known of a name that could not be decoded, so it may be that of a captured table.
        let is_garbled = |name: &str| name.contains(char::REPLACEMENT_CHARACTER);
        let may_be_captured = |name: &TableName| match name {
            name if is_garbled(&name.database) => true,
            name if is_garbled(&name.table) => filter.database(&name.database),
            name => filter.table(&name.database, &name.table),
        };
        for statement in &facts.statements {
            let targets = match statement {
                ddl::Statement::Rows { targets } => targets.as_deref(),
                // In row format the SELECT is not in the text, and the rows follow.
                ddl::Statement::CreateTable(create)
                    if create.temporary == ddl::Temporary::No && matches!(create.shape, ddl::Shape::Select(_)) =>
                {
                    Some(std::slice::from_ref(&create.name))
                }
                _ => continue,
            };
            let captured = targets.into_iter().flatten().find(|name| may_be_captured(name));
            let whose = match (targets, captured) {
                (_, Some(_)) => String::new(),
                (None, _) if database.is_empty() => String::new(),
                (None, _) if filter.database(database) => format!(" of database {database}"),
                _ => continue,
            };
            return Err(EngineError::new(
                ErrorKind::Log,
                format!(
                    "rows{whose} were changed by a statement that is logged as text, which cannot be turned into events"
                ),
            )
            .remedy(
                "set binlog_format=ROW for every session, and take a new snapshot, which captures the rows that the \
                statement changed",
            )
            .at(Place { table: captured.map(TableName::to_string), ..self.place_of(site) }));
        }
        Ok(())
    }
}

/// Returns whether a statement changes no description of a table that rows can be of.
fn leaves_descriptions(statement: &ddl::Statement) -> bool {
    match statement {
        ddl::Statement::CreateTable(create) => create.temporary == ddl::Temporary::Yes,
        ddl::Statement::DropTable { temporary, .. } => *temporary == ddl::Temporary::Yes,
        ddl::Statement::Rows { .. }
        | ddl::Statement::Transaction
        | ddl::Statement::Set
        | ddl::Statement::Maintenance
        | ddl::Statement::Account
        | ddl::Statement::Empty => true,
        _ => false,
    }
}

/// The form of the records that belongs to a form of the events.
pub(crate) fn record_form(form: DebeziumForm) -> RecordForm {
    match form {
        DebeziumForm::V1_9 => RecordForm::V1_9,
        DebeziumForm::V3_6 => RecordForm::V3_6,
    }
}

/// Turns what the scanner found into what the encoder writes.
pub(crate) fn schema_change(record: &DdlRecord) -> SchemaChange {
    let changes = record.changes.iter().map(|change| TableChange {
        kind: match change.kind {
            TableChangeKind::Create => TableChangeType::Create,
            TableChangeKind::Alter => TableChangeType::Alter,
            TableChangeKind::Drop => TableChangeType::Drop,
        },
        database: change.id.database.clone(),
        table: change.id.table.clone(),
        description: change.description(),
    });
    SchemaChange {
        database: record.database.clone(),
        table: record.table.clone(),
        ddl: record.ddl.clone(),
        changes: changes.collect(),
    }
}
