//! The table of an outbox: its name, its columns, and what of an event each of them holds.
//!
//! [`Layout::standard`] is the layout that Debezium's event router expects by default (Debezium documentation, "Outbox
//! Event Router", section "Basic outbox table"); [`Layout::builder`] describes any other.

mod column;
mod encode;
mod name;

use crate::Error;

pub use column::{Column, ColumnType, Content};
pub(crate) use encode::time;
pub(crate) use name::{TableName, quoted};

/// The usual name of an outbox table.
pub const STANDARD_TABLE: &str = "outbox";

/// A checked description of an outbox table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub(crate) table: TableName,
    pub(crate) columns: Vec<Column>,
    pub(crate) id_column: usize,
}

impl Layout {
    /// Starts with the standard columns: `id`, `aggregatetype`, `aggregateid`, `type` and `payload` (JSON, nullable).
    pub fn standard(table: impl Into<String>) -> LayoutBuilder {
        Layout::builder(table)
            .column(Column::new("id", Content::Id, ColumnType::Char(36)))
            .column(Column::new("aggregatetype", Content::AggregateType, ColumnType::Varchar(255)))
            .column(Column::new("aggregateid", Content::AggregateId, ColumnType::Varchar(255)))
            .column(Column::new("type", Content::Type, ColumnType::Varchar(255)))
            .column(Column::new("payload", Content::Payload, ColumnType::Json).nullable())
    }

    /// Starts without columns.
    pub fn builder(table: impl Into<String>) -> LayoutBuilder {
        LayoutBuilder { database: None, table: table.into(), columns: Vec::new() }
    }

    /// Returns the columns in the order in which values are bound.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn id_column(&self) -> Option<&Column> {
        self.columns.get(self.id_column)
    }

    pub(crate) fn timestamp_column(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.content == Content::Timestamp)
    }
}

/// Collects the parts of a [`Layout`].
#[derive(Debug, Clone)]
pub struct LayoutBuilder {
    database: Option<String>,
    table: String,
    columns: Vec<Column>,
}

impl LayoutBuilder {
    /// Names the database; otherwise the session's current one is meant.
    pub fn in_database(mut self, database: impl Into<String>) -> LayoutBuilder {
        self.database = Some(database.into());
        self
    }

    /// Adds a column behind the others.
    pub fn column(mut self, column: Column) -> LayoutBuilder {
        self.columns.push(column);
        self
    }

    /// Adds the column `timestamp`, DATETIME(6) in UTC, a type that Debezium's router takes for a record's time.
    pub fn with_timestamp(self) -> LayoutBuilder {
        self.column(Column::new("timestamp", Content::Timestamp, ColumnType::DateTime(6)))
    }

    /// Adds the column `headers`: a JSON object of texts, or NULL when the event has none.
    pub fn with_headers(self) -> LayoutBuilder {
        self.column(Column::new("headers", Content::Headers, ColumnType::Json).nullable())
    }

    /// Changes the type of the payload's column: LONGTEXT keeps the bytes of a JSON text as they are, LONGBLOB takes
    /// any.
    pub fn payload_type(mut self, column_type: ColumnType) -> LayoutBuilder {
        for column in self.columns.iter_mut().filter(|column| column.content == Content::Payload) {
            column.column_type = column_type;
        }
        self
    }

    /// Checks names and columns.
    ///
    /// # Errors
    /// [`Error::Name`] for a name that no server takes; [`Error::Layout`] for columns that cannot hold events: no id or
    /// payload, two columns of one name or content, a type that cannot hold its content.
    pub fn build(self) -> Result<Layout, Error> {
        let table = TableName::new(self.database, self.table)?;
        let unfit = |reason: String| Error::Layout { table: table.to_string(), reason };
        for (index, column) in self.columns.iter().enumerate() {
            name::check(&column.name)?;
            column.check().map_err(|reason| unfit(format!("column {}: {reason}", column.name)))?;
            let before = self.columns.get(..index).unwrap_or_default();
            if before.iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
                return Err(unfit(format!("column {} is there twice", column.name)));
            }
            if !column.content.may_repeat() && before.iter().any(|other| other.content == column.content) {
                return Err(unfit(format!("column {} holds what another column holds", column.name)));
            }
        }
        if !self.columns.iter().any(|column| column.content == Content::Payload) {
            return Err(unfit("no column holds the payload".into()));
        }
        match self.columns.iter().position(|column| column.content == Content::Id) {
            Some(id_column) => Ok(Layout { table, columns: self.columns, id_column }),
            None => Err(unfit("no column holds the event id".into())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn check(builder: LayoutBuilder, message: &str) {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn the_standard_layout_is_the_routers() {
        let layout = Layout::standard(STANDARD_TABLE).with_headers().with_timestamp().build().unwrap();
        let names: Vec<&str> = layout.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "aggregatetype", "aggregateid", "type", "payload", "headers", "timestamp"]);
        let binary = Layout::standard("o").payload_type(ColumnType::LongBlob).build().unwrap();
        assert_eq!(binary.columns()[4].column_type, ColumnType::LongBlob);
        assert!(binary.columns()[4].nullable);
    }

    #[test]
    fn layouts_that_cannot_hold_events_are_refused() {
        let id = || Column::new("id", Content::Id, ColumnType::Varchar(40));
        let payload = || Column::new("body", Content::Payload, ColumnType::Text);
        check(Layout::builder("o").column(payload()), "no column holds the event id");
        check(Layout::builder("o").column(id()), "no column holds the payload");
        check(Layout::standard("o").column(Column::new("ID", Content::Field, ColumnType::Int)), "ID is there twice");
        let second = Column::new("id2", Content::Id, ColumnType::Varchar(40));
        check(Layout::builder("o").column(id()).column(second).column(payload()), "id2 holds what another column");
        let short = Column::new("id", Content::Id, ColumnType::Varchar(35));
        check(Layout::builder("o").column(short).column(payload()), "column id: an event id has 36 characters");
        let null = Column::new("id", Content::Id, ColumnType::Varchar(36)).nullable();
        check(Layout::builder("o").column(null).column(payload()), "an event id is never NULL");
        let time = Column::new("time", Content::Timestamp, ColumnType::Text);
        check(Layout::standard("o").column(time), "column time: a time needs DATETIME or BIGINT");
        check(Layout::standard("o").column(Column::new("t", Content::Timestamp, ColumnType::DateTime(7))), "0 to 6");
        check(Layout::standard("o").payload_type(ColumnType::Int), "column payload: text needs a column of text");
        check(Layout::standard("o").column(Column::new(" ", Content::Headers, ColumnType::Json)), "\" \" cannot be");
        check(Layout::standard(""), "it is empty");
        check(Layout::standard("o").in_database("a\0b"), "it has a NUL character");
    }
}
