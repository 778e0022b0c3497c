//! What an operator should know about a plan: where a rule for a column does not hide what it seems to hide.

use bitacora_binlog::TableMap;

use crate::column::ColumnPlan;

/// Returns the notes of a table, a sentence each.
pub(crate) fn notes(table: &TableMap, columns: &[ColumnPlan], key: &[ColumnPlan]) -> Vec<String> {
    let name = |column: &str| format!("column {}.{}.{column}", table.database, table.table);
    let own = columns.iter().filter_map(|column| column.note.as_ref()).map(|note| name(note));
    let of_key = key.iter().filter_map(|part| {
        match columns.iter().find(|column| column.index == part.index) {
            None => Some("left out of the events, but it is part of the key and stays there"),
            // A rule that changes values says so in the schema.
            Some(column) if column.note.is_none() && column.schema.parameters != part.schema.parameters => {
                Some("masked or truncated in the events, but it is part of the key, where it stands as it is stored")
            }
            Some(_) => None,
        }
        .map(|what| format!("{} is {what}", name(&part.name)))
    });
    own.chain(of_key).collect()
}
