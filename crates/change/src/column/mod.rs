//! Columns: which encoder prints a column and which schema describes it.
//!
//! Types come from the table map; the description adds what the log lacks (defaults, `FLOAT(M,D)`, MariaDB's UUID, INET
//! and VECTOR types, comments). The mapping is Debezium's in its default modes.

mod default;
mod encoder;
mod label;
mod length;
mod mapping;
mod rewrite;
mod spelling;
mod treat;

use bitacora_binlog::{Column, TableMap};

use crate::column_rules::Treatment;
use crate::description::{ColumnDefault, ColumnDescription};
use crate::error::{EncodeError, PlanError};
use crate::logged::LoggedTable;
use crate::options::{Connector, NullWithDefault, PlanOptions};
use crate::schema::{Field, Schema};
use crate::scratch::Scratch;
use encoder::Encoder;
use label::Label;
use mapping::Mapping;
pub(crate) use mapping::is_bytes;
pub(crate) use spelling::spelled;

/// A column of a plan.
#[derive(Debug, Clone)]
pub(crate) struct ColumnPlan {
    /// Its place in the images.
    pub index: usize,
    /// Name.
    pub name: String,
    /// What stands in front of its values.
    pub label: Label,
    encoder: Encoder,
    /// What is printed for a value that Debezium's types cannot hold.
    unrepresentable: Vec<u8>,
    /// What NULL is printed as.
    null: Vec<u8>,
    /// Schema of its values.
    pub schema: Schema,
    /// What an operator should know of a rule for the column: a clause that begins with its name.
    pub note: Option<String>,
}

/// Where a column is printed. Rules for columns apply to images only: a key that was masked would no longer identify
/// the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Image,
}

impl ColumnPlan {
    /// Compiles column `index` of a table for a part of its messages; `None` if the column is left out there.
    pub(crate) fn compile(
        table: &TableMap,
        index: usize,
        column: &Column,
        description: Option<&ColumnDescription>,
        options: &PlanOptions,
        part: Part,
    ) -> Result<Option<ColumnPlan>, PlanError> {
        let Some(name) = column.name.clone().or_else(|| description.map(|column| column.name.clone())) else {
            return Err(PlanError::NamesUnknown { database: table.database.clone(), table: table.table.clone() });
        };
        let treatment = match part {
            Part::Key => Treatment::Plain,
            Part::Image if !options.columns.prints(&table.database, &table.table, &name) => return Ok(None),
            Part::Image => options.columns.treatment(&table.database, &table.table, &name),
        };
        let (encoder, schema) = Mapping { table, name: &name, column, description, options }.compile()?;
        let is_nullable = column.nullable && !table.primary_key.iter().any(|part| part.column as usize == index);
        let mut schema = if is_nullable { schema.optional() } else { schema };
        if let Some(description) = description
            && let Some(default) = default::value(&schema, description, column)
        {
            schema.default = Some(default);
        }
        // Debezium's MariaDB parser keeps comments, the MySQL one drops them unless told otherwise.
        if let (Connector::Mariadb, Some(comment)) = (options.connector, description.and_then(|d| d.comment.as_deref()))
            && !comment.is_empty()
        {
            schema.doc = Some(comment.to_owned());
        }
        let label = Label::new(&name);
        let null = match (&schema.default, options.null_with_default) {
            (Some(default), NullWithDefault::Replace) if has_literal(description) => default::printed(&schema, default),
            _ => b"null".to_vec(),
        };
        let unrepresentable = match &schema.default {
            _ if is_nullable => null.clone(),
            Some(default) => default::printed(&schema, default),
            None => encoder.zero().to_vec(),
        };
        let mut plan = ColumnPlan { index, name, label, encoder, unrepresentable, null, schema, note: None };
        plan.treat(treatment, options.form, length::characters(column, description));
        Ok(Some(plan))
    }

    /// Compiles the columns of a table's images, without those that are left out and those that the server hides.
    pub(crate) fn images(
        table: &TableMap,
        logged: &LoggedTable<'_>,
        options: &PlanOptions,
    ) -> Result<Vec<ColumnPlan>, PlanError> {
        let mut columns = Vec::with_capacity(table.columns.len());
        for (index, column) in table.columns.iter().enumerate() {
            if !logged.is_hidden(index) {
                let described = logged.description(index);
                columns.extend(ColumnPlan::compile(table, index, column, described, options, Part::Image)?);
            }
        }
        Ok(columns)
    }

    /// Appends the JSON of a stored value.
    pub(crate) fn write(&self, bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.encoder.write(bytes, scratch, out) {
            Ok(true) => Ok(()),
            Ok(false) => {
                out.extend_from_slice(&self.unrepresentable);
                Ok(())
            }
            Err(source) => Err(EncodeError::Value { column: self.name.clone(), source }),
        }
    }

    /// Appends what NULL is printed as.
    pub(crate) fn write_null(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.null);
    }

    /// Returns the column as a field of a schema.
    pub(crate) fn field(&self) -> Field {
        self.schema.clone().field(self.name.as_str())
    }
}

fn has_literal(description: Option<&ColumnDescription>) -> bool {
    description.is_some_and(|column| matches!(column.default, ColumnDefault::Literal(_) | ColumnDefault::Expression(_)))
}
