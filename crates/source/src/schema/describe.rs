//! Reads the descriptions of tables from `information_schema`.

use std::collections::HashMap;

use super::list::literal;
use super::{ColumnFacts, TableFacts};
use crate::wire::{Connection, Row};
use crate::{Error, TableName, quoted};

/// Most tables that one statement asks for.
const BATCH: usize = 200;

/// Returns the descriptions of the tables in the order of `names`. A table that does not exist is left out.
pub async fn describe(connection: &mut Connection, names: &[TableName]) -> Result<Vec<TableFacts>, Error> {
    let collations = collations(connection).await?;
    let mut found: HashMap<TableName, TableFacts> = HashMap::new();
    let mut by_database: Vec<(&str, Vec<&TableName>)> = Vec::new();
    for name in names {
        match by_database.iter_mut().find(|(database, _)| *database == name.database) {
            Some((_, tables)) => tables.push(name),
            None => by_database.push((&name.database, vec![name])),
        }
    }
    for (database, tables) in by_database {
        for batch in tables.chunks(BATCH) {
            // MariaDB compares without case here and finds only one of several tables whose names differ in case, so
            // the comparison is by bytes.
            let exact = |name: &&TableName| format!("{} COLLATE utf8mb4_bin", literal(&name.table));
            let list = batch.iter().map(exact).collect::<Vec<_>>().join(", ");
            let condition = format!("TABLE_SCHEMA = {} AND TABLE_NAME IN ({list})", literal(database));
            read_tables(connection, &condition, &mut found).await?;
            read_columns(connection, &condition, &collations, &mut found).await?;
            read_keys(connection, &condition, &mut found).await?;
        }
    }
    for facts in found.values_mut() {
        order_keys(connection, facts).await?;
    }
    Ok(names.iter().filter_map(|name| found.remove(name)).collect())
}

async fn collations(connection: &mut Connection) -> Result<HashMap<String, u32>, Error> {
    let version = connection.version();
    // In newer MariaDB versions a collation may belong to several character sets. Only this table has its full name
    // for each of them.
    let sql = if version.is_mariadb() && version.at_least(10, 10, 1) {
        "SELECT FULL_COLLATION_NAME, ID FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
    } else {
        "SELECT COLLATION_NAME, ID FROM information_schema.COLLATIONS"
    };
    let table = connection.query(sql).await?;
    Ok(table.rows().filter_map(|row| Some((row.text(0)?.to_owned(), row.text(1)?.parse().ok()?))).collect())
}

async fn read_tables(
    connection: &mut Connection,
    condition: &str,
    found: &mut HashMap<TableName, TableFacts>,
) -> Result<(), Error> {
    let table = connection
        .query(&format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_COLLATION, TABLE_COMMENT, TABLE_ROWS \
             FROM information_schema.TABLES WHERE {condition}"
        ))
        .await?;
    for row in table.rows() {
        let name = name_of(&row);
        found.insert(
            name.clone(),
            TableFacts {
                name,
                engine: owned(&row, 2),
                collation: row.text(3).map(str::to_owned),
                comment: owned(&row, 4),
                row_estimate: number(&row, 5),
                columns: Vec::new(),
                primary_key: Vec::new(),
                unique_keys: Vec::new(),
            },
        );
    }
    Ok(())
}

async fn read_columns(
    connection: &mut Connection,
    condition: &str,
    collations: &HashMap<String, u32>,
    found: &mut HashMap<TableName, TableFacts>,
) -> Result<(), Error> {
    let table = connection
        .query(&format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, \
             COLUMN_DEFAULT, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, \
             DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, COLUMN_COMMENT, GENERATION_EXPRESSION \
             FROM information_schema.COLUMNS WHERE {condition} ORDER BY TABLE_NAME, ORDINAL_POSITION"
        ))
        .await?;
    for row in table.rows() {
        let Some(facts) = found.get_mut(&name_of(&row)) else { continue };
        let collation = row.text(14).map(str::to_owned);
        facts.columns.push(ColumnFacts {
            name: owned(&row, 2),
            position: number(&row, 3).unwrap_or_default(),
            data_type: owned(&row, 4).to_ascii_lowercase(),
            known_labels: None,
            column_type: owned(&row, 5),
            nullable: row.text(6) == Some("YES"),
            default: row.text(7).map(str::to_owned),
            character_length: number(&row, 8),
            octet_length: number(&row, 9),
            precision: number(&row, 10),
            scale: number(&row, 11),
            fractional_digits: number(&row, 12),
            charset: row.text(13).map(str::to_owned),
            collation_id: collation.as_deref().and_then(|name| collations.get(name)).copied(),
            collation,
            extra: owned(&row, 15),
            comment: owned(&row, 16),
            generation_expression: row.text(17).filter(|text| !text.is_empty()).map(str::to_owned),
        });
    }
    Ok(())
}

async fn read_keys(
    connection: &mut Connection,
    condition: &str,
    found: &mut HashMap<TableName, TableFacts>,
) -> Result<(), Error> {
    let table = connection
        .query(&format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS \
             WHERE {condition} AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
        ))
        .await?;
    let mut of_expressions = Vec::new();
    for row in table.rows() {
        let name = name_of(&row);
        let Some(facts) = found.get_mut(&name) else { continue };
        let Some(index) = row.text(2) else { continue };
        // A part without a column is an expression. The whole key is left out, because it does not consist of columns.
        let Some(column) = row.text(3) else {
            of_expressions.push((name, index.to_owned()));
            continue;
        };
        if index == "PRIMARY" {
            facts.primary_key.push((column.to_owned(), number(&row, 4)));
            continue;
        }
        match facts.unique_keys.last_mut() {
            Some((last, columns)) if last == index => columns.push(column.to_owned()),
            _ => facts.unique_keys.push((index.to_owned(), vec![column.to_owned()])),
        }
    }
    for (name, index) in of_expressions {
        if let Some(facts) = found.get_mut(&name) {
            facts.unique_keys.retain(|(known, _)| *known != index);
        }
    }
    Ok(())
}

/// Sorts the unique keys of a table without a primary key into the server's own order, in which the first key whose
/// columns are all NOT NULL takes the place of the primary key, also in the log. Only `SHOW KEYS` has that order;
/// `information_schema` does not.
async fn order_keys(connection: &mut Connection, facts: &mut TableFacts) -> Result<(), Error> {
    if !facts.primary_key.is_empty() || facts.unique_keys.len() < 2 {
        return Ok(());
    }
    let sql = format!("SHOW KEYS FROM {}.{}", quoted(&facts.name.database), quoted(&facts.name.table));
    let keys = match connection.query(&sql).await {
        Err(error) if error.is_table_gone() => return Ok(()),
        keys => keys?,
    };
    let order: Vec<&str> = keys.rows().filter_map(|row| row.text(2)).collect();
    facts.unique_keys.sort_by_key(|(name, _)| order.iter().position(|known| known == name));
    Ok(())
}

fn name_of(row: &Row<'_>) -> TableName {
    TableName::new(row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default())
}

fn owned(row: &Row<'_>, index: usize) -> String {
    row.bytes(index).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

fn number<T: std::str::FromStr>(row: &Row<'_>, index: usize) -> Option<T> {
    row.text(index).and_then(|text| text.parse().ok())
}
