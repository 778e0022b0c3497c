//! Describes a table of the catalog for plans and for the schema-change topic.

use bitacora_change::{ColumnDefault, ColumnDescription, TableDescription};

use super::catalog::TableChange;
use super::facts::{ColumnDefinition, DefaultValue, KeyKind};
use super::table::Table;

impl Table {
    /// Returns the description of the table. Its primary key is the key that identifies rows: for a table without a
    /// primary key, the first unique key whose columns are all NOT NULL, as Debezium chooses it.
    pub fn description(&self) -> TableDescription {
        let unique = self.keys.iter().filter(|key| key.kind == KeyKind::Unique);
        TableDescription {
            database: self.name.database.clone(),
            table: self.name.table.clone(),
            columns: self.columns.iter().map(describe).collect(),
            primary_key: self.identifying_columns().to_vec(),
            unique_keys: unique.map(|key| key.columns.clone()).collect(),
            default_charset: self.charset.resolved().map(str::to_owned),
            comment: self.comment.clone(),
        }
    }
}

impl TableChange {
    /// Returns the description of the table after the change; `None` if the table was dropped or its columns are not
    /// known.
    pub fn description(&self) -> Option<TableDescription> {
        self.table.as_ref().map(Table::description)
    }
}

fn describe(column: &ColumnDefinition) -> ColumnDescription {
    ColumnDescription {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
        length: column.length,
        scale: column.scale,
        charset: column.charset.resolved().map(str::to_owned),
        collation: column.charset.collation.clone(),
        is_nullable: column.nullable != Some(false),
        default: match &column.default {
            None => ColumnDefault::Absent,
            Some(DefaultValue::Null) => ColumnDefault::Null,
            Some(DefaultValue::Text(text) | DefaultValue::Number(text)) => ColumnDefault::Literal(text.clone()),
            Some(DefaultValue::Bits(digits)) => ColumnDefault::Literal(format!("b'{digits}'")),
            Some(DefaultValue::Hex(digits)) => ColumnDefault::Literal(format!("x'{digits}'")),
            Some(DefaultValue::Now) => ColumnDefault::Expression("CURRENT_TIMESTAMP".to_owned()),
            Some(DefaultValue::Expression(text)) => ColumnDefault::Expression(text.clone()),
        },
        stored_default: column.stored_default.clone(),
        is_auto_increment: column.auto_increment,
        is_updated_to_now: column.on_update_now,
        is_generated: column.generated.is_some(),
        comment: column.comment.clone(),
        labels: column.labels.clone(),
    }
}
