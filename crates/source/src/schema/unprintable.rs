//! Asks the server for what `SHOW CREATE TABLE` and `information_schema` print as `?`.
//!
//! Both servers store the text of definitions in utf8mb3, which has no characters beyond the basic multilingual plane.
//! MariaDB also prints defaults of bytes as if they were text. Values are not affected: `DEFAULT(column)` returns a
//! default even without a row, and the text of a row has the labels of its values. A label that no row has stays as it
//! is printed, because no value needs it.

use crate::ddl::{ColumnDefinition, DefaultValue, Table};
use crate::wire::Connection;
use crate::{Error, TableName, quoted};

/// Completes defaults and labels of a table that was read from `SHOW CREATE TABLE`.
pub(super) async fn complete(connection: &mut Connection, table: &mut Table) -> Result<(), Error> {
    let name = table.name.clone();
    let is_mariadb = connection.version().is_mariadb();
    let doubtful: Vec<String> = table
        .columns
        .iter()
        .filter(|column| has_doubtful_default(column, is_mariadb))
        .map(|column| column.name.clone())
        .collect();
    if !doubtful.is_empty() {
        let expressions: Vec<String> =
            doubtful.iter().map(|column| format!("HEX(DEFAULT(d.{}))", quoted(column))).collect();
        // The outer join has exactly one row, even if the table has none.
        let sql = format!(
            "SELECT {} FROM {}.{} d RIGHT JOIN (SELECT 1 AS one) o ON FALSE",
            expressions.join(", "),
            quoted(&name.database),
            quoted(&name.table)
        );
        let answer = connection.query(&sql).await?;
        let row = answer.first();
        for (index, column) in doubtful.iter().enumerate() {
            if let Some(digits) = row.as_ref().and_then(|row| row.text(index)) {
                table.set_default(column, DefaultValue::Hex(digits.to_owned()));
            }
        }
    }
    for column in &mut table.columns {
        for index in 0..column.labels.len() {
            let is_doubtful = column.labels.get(index).is_some_and(|label| is_doubtful(label));
            if is_doubtful
                && let Some(label) = label(connection, &name, column, index).await?
                && let Some(known) = column.labels.get_mut(index)
            {
                *known = label;
            }
        }
    }
    Ok(())
}

fn has_doubtful_default(column: &ColumnDefinition, is_mariadb: bool) -> bool {
    match &column.default {
        Some(DefaultValue::Text(text)) => {
            let is_bytes = column.type_name.ends_with("BINARY") || column.type_name.ends_with("BLOB");
            is_doubtful(text) || is_bytes && is_mariadb
        }
        _ => false,
    }
}

fn is_doubtful(text: &str) -> bool {
    text.contains(['?', char::REPLACEMENT_CHARACTER])
}

/// Returns the label at an index, read from a row that has it; `None` if no row has it.
#[expect(clippy::cast_possible_truncation, reason = "a SET has at most 64 labels, and an ENUM 65,535")]
async fn label(
    connection: &mut Connection,
    name: &TableName,
    column: &ColumnDefinition,
    index: usize,
) -> Result<Option<String>, Error> {
    let is_set = column.type_name == "SET";
    let number = format!("CAST({} AS UNSIGNED)", quoted(&column.name));
    let condition = if is_set {
        format!("{number} & {} <> 0", 1u64.checked_shl(index as u32).unwrap_or_default())
    } else {
        format!("{number} = {}", index + 1)
    };
    let sql = format!(
        "SELECT {number}, CONVERT({} USING utf8mb4) FROM {}.{} WHERE {condition} LIMIT 1",
        quoted(&column.name),
        quoted(&name.database),
        quoted(&name.table)
    );
    let answer = connection.query(&sql).await?;
    let Some(row) = answer.first() else { return Ok(None) };
    let Some(text) = row.text(1) else { return Ok(None) };
    if !is_set {
        return Ok(Some(text.to_owned()));
    }
    // The members have the order of their bits, and no label of a SET contains a comma.
    let bits: u64 = row.text(0).and_then(|bits| bits.parse().ok()).unwrap_or_default();
    let before = bits & 1u64.checked_shl(index as u32).unwrap_or_default().wrapping_sub(1);
    Ok(text.split(',').nth(before.count_ones() as usize).map(str::to_owned))
}
