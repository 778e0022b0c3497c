//! Plans how a column is selected and which column of the binlog its values become.

use bitacora_binlog::table::{Column, ColumnType, KeyPart, TableMap, enum_bytes, geometry_type, set_bytes};

use crate::schema::{ColumnFacts, TableFacts};
use crate::{Error, Flavor, TableName, quoted};

/// `utf8mb4_general_ci`. Labels are read as UTF-8, whatever the column's own character set is.
const UTF8MB4: u32 = 45;
const BINARY: u32 = 63;

/// What happens to a value besides the conversion by the column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Nothing.
    Plain,
    /// Zero bytes at the end are cut, as the log does for BINARY.
    CutZeros,
    /// The text is the number of an ENUM's label, or the bits of a SET's members.
    Number,
}

/// A table ready to be read.
#[derive(Debug)]
pub(super) struct TableReading {
    /// Columns as in a binlog of this table.
    pub map: TableMap,
    /// The statement that reads all rows.
    pub select: String,
    /// The treatment of each column's values.
    pub treatments: Vec<Treatment>,
}

/// Plans how a table is read.
///
/// # Errors
/// [`Error::Snapshot`] for an unknown type of a column.
#[expect(clippy::cast_possible_truncation, reason = "a table has at most 4,096 columns")]
pub(super) fn plan(facts: &TableFacts, flavor: Flavor) -> Result<TableReading, Error> {
    let mut columns = Vec::with_capacity(facts.columns.len());
    let mut expressions = Vec::with_capacity(facts.columns.len());
    let mut treatments = Vec::with_capacity(facts.columns.len());
    for column in &facts.columns {
        let unknown = || Error::Snapshot {
            reason: format!("column `{}` of {} has the unknown type {}", column.name, facts.name, column.column_type),
            remedy: "Exclude the table, or report the type".into(),
        };
        let planned = planned(column, flavor).ok_or_else(unknown)?;
        columns.push(planned.column);
        expressions.push(planned.expression);
        treatments.push(planned.treatment);
    }
    let select = select(&facts.name, &expressions);
    let primary_key = facts
        .primary_key
        .iter()
        .filter_map(|(name, prefix)| {
            let column = facts.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))?;
            Some(KeyPart { column: column as u32, prefix_characters: prefix.unwrap_or_default() })
        })
        .collect();
    let map = TableMap::synthesize(&facts.name.database, &facts.name.table, columns, primary_key).map_err(|error| {
        Error::Snapshot {
            reason: format!("the columns of {} do not fit a row image: {error}", facts.name),
            remedy: "Exclude the table, or report its definition".into(),
        }
    })?;
    Ok(TableReading { map, select, treatments })
}

fn select(name: &TableName, expressions: &[String]) -> String {
    format!("SELECT {} FROM {}.{}", expressions.join(", "), quoted(&name.database), quoted(&name.table))
}

struct Planned {
    column: Column,
    expression: String,
    treatment: Treatment,
}

/// How the values of a type are selected, and which type they have in a row image.
struct Form {
    kind: ColumnType,
    meta: u16,
    expression: String,
    treatment: Treatment,
}

/// Returns the form of a column's values; `None` for an unknown type.
fn form(facts: &ColumnFacts, flavor: Flavor) -> Option<Form> {
    let name = quoted(&facts.name);
    let mut expression = name.clone();
    let mut treatment = Treatment::Plain;
    let octets = u16::try_from(facts.octet_length.unwrap_or_default()).unwrap_or(u16::MAX);
    let digits = u16::from(facts.fractional_digits.unwrap_or_default());
    let (kind, meta) = match facts.data_type.as_str() {
        "tinyint" | "boolean" => (ColumnType::TINY, 0),
        "smallint" => (ColumnType::SHORT, 0),
        "mediumint" => (ColumnType::INT24, 0),
        "int" | "integer" => (ColumnType::LONG, 0),
        "bigint" => (ColumnType::LONGLONG, 0),
        // The server prints a float with too few digits, but a double with all of them. The sum is a double.
        "float" => {
            expression = format!("{name}+0e0");
            (ColumnType::FLOAT, 4)
        }
        "double" | "real" => {
            expression = format!("{name}+0e0");
            (ColumnType::DOUBLE, 8)
        }
        "decimal" | "numeric" => {
            (ColumnType::NEWDECIMAL, u16::from_be_bytes([facts.precision?, facts.scale.unwrap_or_default()]))
        }
        "date" => (ColumnType::DATE, 0),
        "time" => (ColumnType::TIME2, digits),
        "datetime" => (ColumnType::DATETIME2, digits),
        "timestamp" => (ColumnType::TIMESTAMP2, digits),
        "year" => (ColumnType::YEAR, 0),
        "char" => (ColumnType::STRING, octets),
        "binary" => {
            treatment = Treatment::CutZeros;
            (ColumnType::STRING, octets)
        }
        "varchar" | "varbinary" => (ColumnType::VARCHAR, octets),
        "tinytext" | "tinyblob" => (ColumnType::BLOB, 1),
        "text" | "blob" => (ColumnType::BLOB, 2),
        "mediumtext" | "mediumblob" => (ColumnType::BLOB, 3),
        "longtext" | "longblob" => (ColumnType::BLOB, 4),
        "json" => (ColumnType::JSON_TEXT, 4),
        "bit" => (ColumnType::BIT, u16::from(facts.precision?)),
        // ENUM and SET are cast, because a sum would make them doubles, which lose the last bits of a large SET.
        "enum" => {
            treatment = Treatment::Number;
            expression = format!("CAST({name} AS UNSIGNED)");
            (ColumnType::ENUM, enum_bytes(facts.labels().len()))
        }
        "set" => {
            treatment = Treatment::Number;
            expression = format!("CAST({name} AS UNSIGNED)");
            (ColumnType::SET, set_bytes(facts.labels().len()))
        }
        // In MySQL's log a vector has a type of its own; in MariaDB's it is a VARBINARY with four bytes for each
        // dimension.
        "vector" => match flavor {
            Flavor::Mysql => (ColumnType::VECTOR, 4),
            Flavor::Mariadb => (ColumnType::VARCHAR, u16::try_from(dimension(facts)?.checked_mul(4)?).ok()?),
        },
        // The log has these as BINARY, with the bytes in the order of their text.
        "uuid" | "inet6" => {
            treatment = Treatment::CutZeros;
            expression = format!("CAST({name} AS BINARY(16))");
            (ColumnType::STRING, 16)
        }
        "inet4" => {
            treatment = Treatment::CutZeros;
            expression = format!("CAST({name} AS BINARY(4))");
            (ColumnType::STRING, 4)
        }
        other => {
            geometry_type(other)?;
            (ColumnType::GEOMETRY, 4)
        }
    };
    Some(Form { kind, meta, expression, treatment })
}

fn planned(facts: &ColumnFacts, flavor: Flavor) -> Option<Planned> {
    let Form { kind, meta, expression, treatment } = form(facts, flavor)?;
    let mut column = Column::new(kind, meta);
    column.name = Some(facts.name.clone());
    column.nullable = facts.nullable;
    column.unsigned = facts.is_unsigned();
    // MariaDB's log does not tell which columns are invisible, so the stream takes all for visible.
    column.visible = flavor == Flavor::Mariadb || !facts.has_extra("INVISIBLE");
    column.labels = facts.labels().into_iter().map(String::into_bytes).collect();
    column.collation = match kind {
        ColumnType::ENUM | ColumnType::SET => Some(UTF8MB4),
        // Only MariaDB's log counts geometries among the columns with a character set.
        ColumnType::GEOMETRY if flavor == Flavor::Mariadb => Some(BINARY),
        ColumnType::VECTOR => Some(BINARY),
        ColumnType::STRING | ColumnType::VARCHAR | ColumnType::BLOB => Some(facts.collation_id.unwrap_or(BINARY)),
        _ => None,
    };
    if kind == ColumnType::GEOMETRY {
        column.geometry_type = geometry_type(&facts.data_type);
    }
    if kind == ColumnType::VECTOR {
        column.vector_dimension = dimension(facts);
    }
    Some(Planned { column, expression, treatment })
}

/// Returns the number of dimensions in a type such as `vector(3)`.
fn dimension(facts: &ColumnFacts) -> Option<u32> {
    facts.column_type.split(['(', ')']).nth(1)?.trim().parse().ok()
}
