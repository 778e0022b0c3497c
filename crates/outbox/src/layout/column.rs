//! One column: its name, what of an event it holds, and its type.

use super::name::quoted;
use crate::Value;

/// What of an event a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// The event id as text.
    Id,
    /// The kind of aggregate.
    AggregateType,
    /// The aggregate's id.
    AggregateId,
    /// The event's type.
    Type,
    /// The body.
    Payload,
    /// The headers, a JSON object of texts.
    Headers,
    /// The event's time in UTC: a date, or milliseconds since the epoch in a BIGINT.
    Timestamp,
    /// What [`Event::with_field`](crate::Event::with_field) gives under the column's name.
    Field,
    /// The same value in every row.
    Constant(Value),
}

impl Content {
    pub(super) fn may_repeat(&self) -> bool {
        matches!(self, Content::Field | Content::Constant(_))
    }
}

/// The SQL type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// CHAR of a length in characters.
    Char(u32),
    /// VARCHAR of a length in characters.
    Varchar(u32),
    /// TEXT, up to 65,535 bytes.
    Text,
    /// LONGTEXT.
    LongText,
    /// JSON. MySQL stores the value, not the text: it changes order and spaces of the members. MariaDB stores the text.
    Json,
    /// VARBINARY of a length in bytes.
    Varbinary(u32),
    /// LONGBLOB.
    LongBlob,
    /// DATETIME with a number of fractional digits, 0 to 6.
    DateTime(u32),
    /// INT.
    Int,
    /// BIGINT.
    BigInt,
}

impl ColumnType {
    /// Returns the type as it stands in CREATE TABLE.
    pub(crate) fn sql(self) -> String {
        match self {
            ColumnType::Char(length) => format!("CHAR({length})"),
            ColumnType::Varchar(length) => format!("VARCHAR({length})"),
            ColumnType::Text => "TEXT".into(),
            ColumnType::LongText => "LONGTEXT".into(),
            ColumnType::Json => "JSON".into(),
            ColumnType::Varbinary(length) => format!("VARBINARY({length})"),
            ColumnType::LongBlob => "LONGBLOB".into(),
            ColumnType::DateTime(0) => "DATETIME".into(),
            ColumnType::DateTime(digits) => format!("DATETIME({digits})"),
            ColumnType::Int => "INT".into(),
            ColumnType::BigInt => "BIGINT".into(),
        }
    }

    pub(crate) fn is_binary(self) -> bool {
        matches!(self, ColumnType::Varbinary(_) | ColumnType::LongBlob)
    }

    fn is_text(self) -> bool {
        use ColumnType::*;
        matches!(self, Char(_) | Varchar(_) | Text | LongText | Json)
    }
}

/// A column of a [`Layout`](crate::Layout).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(crate) name: String,
    pub(crate) content: Content,
    pub(crate) column_type: ColumnType,
    pub(crate) nullable: bool,
}

impl Column {
    /// Describes a column that is NOT NULL.
    pub fn new(name: impl Into<String>, content: Content, column_type: ColumnType) -> Column {
        Column { name: name.into(), content, column_type, nullable: false }
    }

    /// Lets the column be NULL: an empty payload, no headers, a field that an event does not set.
    pub fn nullable(mut self) -> Column {
        self.nullable = true;
        self
    }

    /// Returns the column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the column's line in CREATE TABLE.
    pub(crate) fn definition(&self) -> String {
        let null = if self.nullable { "NULL" } else { "NOT NULL" };
        format!("{} {} {null}", quoted(&self.name), self.column_type.sql())
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        use ColumnType::*;
        match self.column_type {
            Char(length) if !(1..=255).contains(&length) => return Err("CHAR takes a length of 1 to 255"),
            Varchar(length) if !(1..=16_383).contains(&length) => return Err("VARCHAR takes a length of 1 to 16383"),
            Varbinary(length) if !(1..=65_000).contains(&length) => {
                return Err("VARBINARY takes a length of 1 to 65000");
            }
            DateTime(7..) => return Err("DATETIME takes 0 to 6 fractional digits"),
            _ => {}
        }
        match &self.content {
            Content::Id if self.nullable => Err("an event id is never NULL"),
            Content::Id => match self.column_type {
                Char(36..) | Varchar(36..=768) => Ok(()),
                _ => Err("an event id has 36 characters and is a key: use CHAR or VARCHAR of 36 to 768"),
            },
            Content::Timestamp if !matches!(self.column_type, DateTime(_) | BigInt) => {
                Err("a time needs DATETIME or BIGINT")
            }
            Content::Payload if self.column_type.is_binary() => Ok(()),
            Content::Headers | Content::Payload | Content::AggregateId | Content::AggregateType | Content::Type
                if !self.column_type.is_text() =>
            {
                Err("text needs a column of text")
            }
            _ => Ok(()),
        }
    }
}
