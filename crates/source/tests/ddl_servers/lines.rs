//! Describes a table in lines of one form, from the catalog and from `information_schema`.

use bitacora_source::ddl::{ColumnDefinition, DefaultValue, KeyKind, Table};
use bitacora_source::schema::{ColumnFacts, TableFacts};

use super::Server;

/// Returns the lines of a table as `information_schema` describes it: head, columns, keys.
pub(crate) fn expected(truth: &TableFacts, kind: Server) -> Vec<String> {
    let charset = truth.collation.as_deref().unwrap_or_default().split('_').next().unwrap_or_default();
    let mut lines = vec![format!("{charset} {:?}", truth.comment)];
    lines.extend(truth.columns.iter().map(|column| expected_column(column, kind)));
    let primary: Vec<&str> = truth.primary_key.iter().map(|(name, _)| name.as_str()).collect();
    lines.push(format!("primary {}", primary.join(",")));
    let mut unique: Vec<String> =
        truth.unique_keys.iter().map(|(_, columns)| format!("unique {}", columns.join(","))).collect();
    unique.sort();
    lines.extend(unique);
    lines
}

fn expected_column(column: &ColumnFacts, kind: Server) -> String {
    let column_type = if kind == Server::Mysql { column.column_type.as_str() } else { &column.data_type };
    let charset = column.charset.as_deref().unwrap_or("-");
    let charset = if charset == "utf8mb3" { "utf8" } else { charset };
    format!(
        "{} {} {} null={} default={} auto={} generated={} {:?}",
        column.name,
        column_type.split(" /*").next().unwrap_or_default(),
        charset,
        column.nullable,
        column.default.as_deref().is_some_and(|text| text != "NULL"),
        column.has_extra("AUTO_INCREMENT"),
        column.is_generated(),
        column.comment,
    )
}

/// Returns the lines of a table as the catalog describes it.
pub(crate) fn shown(table: &Table, kind: Server) -> Vec<String> {
    let comment = table.comment.clone().unwrap_or_default();
    let mut lines = vec![format!("{} {comment:?}", table.charset.resolved().unwrap_or_default())];
    lines.extend(table.columns.iter().map(|column| shown_column(column, kind)));
    lines.push(format!("primary {}", table.primary_key().join(",")));
    let unique = table.keys.iter().filter(|key| key.kind == KeyKind::Unique);
    let mut unique: Vec<String> = unique.map(|key| format!("unique {}", key.columns.join(","))).collect();
    unique.sort();
    lines.extend(unique);
    lines
}

fn shown_column(column: &ColumnDefinition, kind: Server) -> String {
    let (column_type, binary) = column_type(column, kind);
    let charset = match column.charset.resolved() {
        Some("utf8mb3") => "utf8",
        Some(charset) if !binary => charset,
        None if kind == Server::Mariadb && column.type_name == "JSON" => "utf8mb4",
        _ => "-",
    };
    format!(
        "{} {} {} null={} default={} auto={} generated={} {:?}",
        column.name,
        column_type,
        charset,
        column.nullable.unwrap(),
        column.default.as_ref().is_some_and(|default| *default != DefaultValue::Null),
        column.auto_increment,
        column.generated.is_some(),
        column.comment.clone().unwrap_or_default(),
    )
}

/// Returns the server's own spelling of a type, and whether `CHARACTER SET binary` made it a type of bytes.
#[allow(clippy::too_many_lines, reason = "one plain match, a line for each type")]
fn column_type(column: &ColumnDefinition, kind: Server) -> (String, bool) {
    let mut words = column.type_name.split(' ').filter(|word| !matches!(*word, "UNSIGNED" | "ZEROFILL"));
    let base = words.by_ref().collect::<Vec<_>>().join(" ");
    let zerofill = column.type_name.contains("ZEROFILL");
    let unsigned = column.type_name.contains("UNSIGNED") || zerofill;
    let binary = column.charset.charset.as_deref() == Some("binary");
    let length = column.length;
    let text = |bytes_per_char: u32, small: &str| {
        let bytes = length.map(|length| length * bytes_per_char);
        match bytes {
            Some(..=255) => format!("tiny{small}"),
            Some(65_536..=16_777_215) => format!("medium{small}"),
            Some(16_777_216..) => format!("long{small}"),
            _ => small.to_owned(),
        }
    };
    let (name, parameters): (String, Option<String>) = match base.as_str() {
        "BOOL" | "BOOLEAN" => ("tinyint".into(), Some("1".into())),
        "INT1" | "TINYINT" => {
            ("tinyint".into(), length.filter(|length| *length == 1 || zerofill).map(|l| l.to_string()))
        }
        "INT2" | "SMALLINT" => integer("smallint", 5, length, zerofill),
        "INT3" | "MIDDLEINT" | "MEDIUMINT" => integer("mediumint", 8, length, zerofill),
        "INT4" | "INT" | "INTEGER" => integer("int", 10, length, zerofill),
        "INT8" | "BIGINT" => integer("bigint", 20, length, zerofill),
        "DEC" | "NUMERIC" | "FIXED" | "DECIMAL" => {
            ("decimal".into(), Some(format!("{},{}", length.unwrap(), column.scale.unwrap())))
        }
        "FLOAT" | "FLOAT4" if column.scale.is_none() => {
            (if length.unwrap_or(0) > 24 { "double" } else { "float" }.into(), None)
        }
        "FLOAT" | "FLOAT4" => ("float".into(), Some(format!("{},{}", length.unwrap(), column.scale.unwrap()))),
        "DOUBLE" | "DOUBLE PRECISION" | "REAL" | "FLOAT8" => {
            ("double".into(), column.scale.map(|scale| format!("{},{scale}", length.unwrap())))
        }
        "CHAR" | "CHARACTER" | "NCHAR" | "NATIONAL CHAR" | "NATIONAL CHARACTER" => {
            (if binary { "binary" } else { "char" }.into(), Some(length.unwrap_or(1).to_string()))
        }
        "VARCHAR"
        | "CHARACTER VARYING"
        | "CHAR VARYING"
        | "NATIONAL VARCHAR"
        | "NVARCHAR"
        | "NATIONAL CHAR VARYING" => {
            (if binary { "varbinary" } else { "varchar" }.into(), length.map(|length| length.to_string()))
        }
        "TEXT" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" if binary => {
            (base.to_ascii_lowercase().replace("text", "blob"), None)
        }
        "TEXT" => {
            let bytes_per_char = match column.charset.resolved() {
                Some("utf8mb4") => 4,
                Some("utf8" | "utf8mb3") => 3,
                _ => 1,
            };
            (text(bytes_per_char, "text"), None)
        }
        "BLOB" => (text(1, "blob"), None),
        "LONG" | "LONG VARCHAR" => ("mediumtext".into(), None),
        "LONG VARBINARY" => ("mediumblob".into(), None),
        "BINARY" => ("binary".into(), Some(length.unwrap_or(1).to_string())),
        "ENUM" | "SET" => {
            let labels: Vec<String> =
                column.labels.iter().map(|label| format!("'{}'", label.replace('\'', "''"))).collect();
            (base.to_ascii_lowercase(), Some(labels.join(",")))
        }
        "YEAR" => ("year".into(), None),
        "VECTOR" => ("vector".into(), Some(length.unwrap_or(2048).to_string())),
        "GEOMETRYCOLLECTION" if kind == Server::Mysql => ("geomcollection".into(), None),
        "JSON" if kind == Server::Mariadb => ("longtext".into(), None),
        _ => (base.to_ascii_lowercase(), length.map(|length| length.to_string())),
    };
    if kind == Server::Mariadb {
        return (name, binary);
    }
    let mut full = name;
    if let Some(parameters) = parameters {
        full += &format!("({parameters})");
    }
    if unsigned {
        full += " unsigned";
    }
    if zerofill {
        full += " zerofill";
    }
    (full, binary)
}

fn integer(name: &str, width: u32, length: Option<u32>, zerofill: bool) -> (String, Option<String>) {
    (name.to_owned(), zerofill.then(|| length.unwrap_or(width).to_string()))
}
