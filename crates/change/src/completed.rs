//! A table map without names, completed by the table's description.
//!
//! Only `binlog_row_metadata=FULL` names columns. In every other mode a table map says of a column its type, the type's
//! detail and whether NULL is allowed; with MINIMAL also its sign and character set. These are the *fingerprint* of the
//! table. A description takes the place of the names only if the table that it describes has the same fingerprint. So a
//! description of another time is noticed, unless only columns of one form changed places or names: that is in the
//! statements of the log alone, so whoever calls this vouches that the description followed each of them.

use bitacora_binlog::table::{enum_bytes, geometry_type, set_bytes};
use bitacora_binlog::{Column, ColumnType, TableMap};

use crate::charset::{charset_of_collation, max_character_bytes};
use crate::column::is_bytes;
use crate::description::{ColumnDescription, TableDescription};
use crate::logged::has_form_of_a_period;

/// Number of the collation `utf8mb4_bin`.
const UTF8MB4_BIN: u32 = 46;

/// Returns a table map with the names, signs and kinds of geometry of its description.
///
/// # Errors
/// The description is of another form of the table than the logged one; the clause says in what they differ.
pub fn completed(table: &TableMap, description: &TableDescription) -> Result<TableMap, String> {
    let hidden = hidden_columns(table, description).ok_or_else(|| {
        format!("{} columns are logged and {} described", table.columns.len(), description.columns.len())
    })?;
    let mut whole = table.clone();
    for (column, described) in whole.columns.iter_mut().zip(&description.columns) {
        if let Some(what) = difference(column, described, table.signedness_known) {
            return Err(format!("column {} is {what}", described.name));
        }
        column.name = Some(described.name.clone());
        column.unsigned = is_unsigned(&described.type_name);
        column.geometry_type = geometry_type(&described.type_name);
        // MariaDB's JSON is a LONGTEXT with this collation.
        if described.type_name == "JSON" && column.kind == ColumnType::BLOB {
            column.collation = Some(UTF8MB4_BIN);
        }
    }
    for (column, (name, is_unsigned)) in whole.columns.iter_mut().skip(description.columns.len()).zip(hidden) {
        column.name = Some(name);
        column.unsigned = is_unsigned;
    }
    (whole.names_known, whole.signedness_known) = (true, true);
    Ok(whole)
}

/// Returns the names of the columns that MariaDB hides behind the described ones, and whether they are UNSIGNED; `None`
/// if what lies there is none of them.
fn hidden_columns(table: &TableMap, description: &TableDescription) -> Option<Vec<(String, bool)>> {
    let mut rest = table.columns.get(description.columns.len()..)?;
    let mut hidden = Vec::new();
    if let [start, end, behind @ ..] = rest
        && has_form_of_a_period(start)
        && has_form_of_a_period(end)
    {
        hidden.extend([("row_start".to_owned(), false), ("row_end".to_owned(), false)]);
        rest = behind;
    }
    // A unique key over columns without a limit of length has a hash of them.
    let hashes = description.unique_keys.iter().filter(|key| key.iter().any(|name| is_long(description, name)));
    if !rest.is_empty() && (rest.len() != hashes.count() || rest.iter().any(|hash| hash.kind != ColumnType::LONGLONG)) {
        return None;
    }
    hidden.extend((1..=rest.len()).map(|number| (format!("DB_ROW_HASH_{number}"), true)));
    Some(hidden)
}

/// Returns whether a column may be too long for an index.
fn is_long(description: &TableDescription, name: &str) -> bool {
    description.column(name).is_some_and(|column| match base(&column.type_name) {
        "VARCHAR" | "VARBINARY" | "CHARACTER" | "NATIONAL" | "NVARCHAR" | "NCHAR" | "JSON" | "LONG" => true,
        base => base.ends_with("TEXT") || base.ends_with("BLOB"),
    })
}

/// Returns in what a logged column differs from its description, if in anything.
fn difference(column: &Column, described: &ColumnDescription, signedness_known: bool) -> Option<String> {
    let logged = || format!("logged as {} {}", column.kind.name().unwrap_or("?"), column.meta);
    if !is_form(column, described) {
        let parameters = match (described.length, described.scale) {
            (Some(length), Some(scale)) => format!("({length},{scale})"),
            (Some(length), None) => format!("({length})"),
            _ => String::new(),
        };
        return Some(format!("{}, described as {}{parameters}", logged(), described.type_name));
    }
    // A TIMESTAMP without NULL or NOT NULL is the one or the other by a setting of the server.
    let is_timestamp = matches!(column.kind, ColumnType::TIMESTAMP | ColumnType::TIMESTAMP2);
    if column.nullable != described.is_nullable && !is_timestamp {
        let allowed = |is_allowed: bool| if is_allowed { "with NULL" } else { "without NULL" };
        return Some(format!("logged {}, described {}", allowed(column.nullable), allowed(described.is_nullable)));
    }
    if signedness_known && column.kind.is_integer() && column.unsigned != is_unsigned(&described.type_name) {
        let sign = if column.unsigned { "UNSIGNED" } else { "signed" };
        return Some(format!("logged as {sign}, described as {}", described.type_name));
    }
    let charset = column.collation.filter(|_| is_character(column.kind)).and_then(charset_of_collation)?;
    let is_same = match described.charset.as_deref() {
        Some(described) => same_charset(charset, described),
        None => charset == "binary" || is_bytes(&described.type_name),
    };
    (!is_same).then(|| {
        format!("logged in {charset}, described in {}", described.charset.as_deref().unwrap_or("no character set"))
    })
}

/// Returns whether a column is logged as the type of its description is.
fn is_form(column: &Column, described: &ColumnDescription) -> bool {
    use ColumnType as T;
    let kind = column.kind;
    let (length, scale) = (described.length, described.scale);
    let digits = || u32::from(column.fractional_digits()) == length.unwrap_or(0);
    let bytes = |count: u32| u32::from(column.meta) == count;
    let characters = |count: u32| bytes(count.saturating_mul(character_bytes(described)));
    match base(&described.type_name) {
        "TINYINT" | "BOOL" | "BOOLEAN" | "INT1" => kind == T::TINY,
        "SMALLINT" | "INT2" => kind == T::SHORT,
        "MEDIUMINT" | "MIDDLEINT" | "INT3" => kind == T::INT24,
        "INT" | "INTEGER" | "INT4" => kind == T::LONG,
        "BIGINT" | "INT8" => kind == T::LONGLONG,
        // One parameter above 24 makes a DOUBLE of it.
        "FLOAT" => kind == if scale.is_none() && length > Some(24) { T::DOUBLE } else { T::FLOAT },
        "FLOAT4" => kind == T::FLOAT,
        "DOUBLE" | "FLOAT8" => kind == T::DOUBLE,
        // A FLOAT with the SQL mode REAL_AS_FLOAT.
        "REAL" => kind == T::DOUBLE || kind == T::FLOAT,
        "DECIMAL" | "DEC" | "NUMERIC" | "FIXED" => {
            let precision = length.filter(|length| *length > 0).unwrap_or(10);
            kind == T::NEWDECIMAL
                && u32::from(column.precision()) == precision
                && u32::from(column.scale()) == scale.unwrap_or(0)
        }
        "BIT" => kind == T::BIT && bytes(length.filter(|length| *length > 0).unwrap_or(1)),
        "YEAR" => kind == T::YEAR,
        "DATE" => kind == T::DATE || kind == T::NEWDATE,
        "TIME" => kind == T::TIME2 && digits() || kind == T::TIME && length.unwrap_or(0) == 0,
        "DATETIME" => kind == T::DATETIME2 && digits() || kind == T::DATETIME && length.unwrap_or(0) == 0,
        "TIMESTAMP" => kind == T::TIMESTAMP2 && digits() || kind == T::TIMESTAMP && length.unwrap_or(0) == 0,
        "ENUM" => kind == T::ENUM && bytes(enum_bytes(described.labels.len()).into()),
        "SET" => kind == T::SET && bytes(set_bytes(described.labels.len()).into()),
        "JSON" => kind == T::JSON || kind == T::BLOB && column.meta == 4,
        "VECTOR" => kind == T::VECTOR || kind == T::VARCHAR && bytes(length.unwrap_or(0).saturating_mul(4)),
        "UUID" | "INET6" => kind == T::STRING && bytes(16),
        "INET4" => kind == T::STRING && bytes(4),
        "BINARY" => kind == T::STRING && bytes(length.unwrap_or(1)),
        "VARBINARY" => is_varying(kind) && (bytes(length.unwrap_or(0)) || kind == T::VARCHAR_COMPRESSED),
        name if is_varying_name(&described.type_name) && name != "LONG" => {
            is_varying(kind) && (characters(length.unwrap_or(0)) || kind == T::VARCHAR_COMPRESSED)
        }
        "CHAR" | "CHARACTER" | "NCHAR" | "NATIONAL" => kind == T::STRING && characters(length.unwrap_or(1)),
        name => match blob_prefix(name, described) {
            Some(prefix) => is_blob(kind) && (u32::from(column.meta) == prefix || kind == T::BLOB_COMPRESSED),
            None => kind == T::GEOMETRY && geometry_type(&described.type_name).is_some(),
        },
    }
}

/// Returns the bytes of the length prefix of a TEXT or BLOB; `None` for other types.
fn blob_prefix(base: &str, described: &ColumnDescription) -> Option<u32> {
    match base {
        "TINYTEXT" | "TINYBLOB" => Some(1),
        // With a length it is the smallest type that holds so many characters.
        "TEXT" | "BLOB" => Some(match described.length {
            None | Some(0) => 2,
            Some(length) => {
                let unit = if base == "TEXT" { character_bytes(described) } else { 1 };
                match u64::from(length) * u64::from(unit) {
                    0..=0xff => 1,
                    0x100..=0xffff => 2,
                    0x1_0000..=0xff_ffff => 3,
                    _ => 4,
                }
            }
        }),
        "MEDIUMTEXT" | "MEDIUMBLOB" | "LONG" => Some(3),
        "LONGTEXT" | "LONGBLOB" | "XMLTYPE" => Some(4),
        _ => None,
    }
}

/// Returns the bytes that a character of a column takes at most.
fn character_bytes(described: &ColumnDescription) -> u32 {
    described.charset.as_deref().map_or(1, max_character_bytes)
}

fn base(type_name: &str) -> &str {
    type_name.split(' ').next().unwrap_or_default()
}

fn is_unsigned(type_name: &str) -> bool {
    type_name.split(' ').any(|word| word == "UNSIGNED" || word == "ZEROFILL")
}

fn is_varying(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::VARCHAR | ColumnType::VARCHAR_COMPRESSED | ColumnType::VAR_STRING)
}

/// Returns whether a type is one of the many names of VARCHAR.
fn is_varying_name(type_name: &str) -> bool {
    matches!(base(type_name), "VARCHAR" | "VARCHARACTER" | "NVARCHAR")
        || type_name.split(' ').skip(1).any(|word| matches!(word, "VARYING" | "VARCHAR" | "VARCHARACTER"))
}

fn is_blob(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::BLOB
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB_COMPRESSED
    )
}

fn is_character(kind: ColumnType) -> bool {
    kind == ColumnType::STRING || is_varying(kind) || is_blob(kind)
}

fn same_charset(a: &str, b: &str) -> bool {
    let plain = |name: &str| if name == "utf8" { "utf8mb3".to_owned() } else { name.to_owned() };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str, type_name: &str, length: Option<u32>) -> ColumnDescription {
        let charset = type_name.starts_with("VARCHAR").then(|| "utf8mb4".to_owned());
        ColumnDescription {
            name: name.into(),
            type_name: type_name.into(),
            length,
            charset,
            is_nullable: true,
            ..ColumnDescription::default()
        }
    }

    fn of(columns: Vec<ColumnDescription>) -> TableDescription {
        TableDescription { columns, ..TableDescription::default() }
    }

    fn logged(columns: Vec<Column>) -> TableMap {
        let mut map = TableMap::synthesize("d", "t", columns, Vec::new()).unwrap();
        (map.names_known, map.signedness_known) = (false, false);
        map
    }

    #[test]
    fn names_and_signs_come_from_a_description_that_fits() {
        let map = logged(vec![Column::new(ColumnType::LONG, 0), Column::new(ColumnType::VARCHAR, 80)]);
        let description = of(vec![described("a", "INT UNSIGNED", None), described("b", "VARCHAR", Some(20))]);
        let whole = completed(&map, &description).unwrap();
        assert!(whole.names_known && whole.signedness_known);
        assert_eq!(whole.columns[0].name.as_deref(), Some("a"));
        assert!(whole.columns[0].unsigned);
        assert_eq!(whole.columns[1].name.as_deref(), Some("b"));
        assert_eq!(whole.fingerprint, map.fingerprint, "a plan is found by what the log says");
    }

    #[test]
    fn each_part_of_the_fingerprint_counts() {
        let map = logged(vec![Column::new(ColumnType::LONG, 0), Column::new(ColumnType::VARCHAR, 80)]);
        let int = || described("a", "INT", None);
        for (columns, words) in [
            (vec![int()], "2 columns are logged and 1 described"),
            (vec![int(), int(), int()], "2 columns are logged and 3 described"),
            (vec![described("a", "BIGINT", None), described("b", "VARCHAR", Some(20))], "column a is logged as LONG 0"),
            (vec![int(), described("b", "VARCHAR", Some(21))], "logged as VARCHAR 80, described as VARCHAR(21)"),
            (
                vec![ColumnDescription { is_nullable: false, ..int() }, described("b", "VARCHAR", Some(20))],
                "column a is logged with NULL, described without NULL",
            ),
        ] {
            let refused = completed(&map, &of(columns)).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[test]
    fn signs_and_character_sets_count_where_the_log_has_them() {
        let mut map = logged(vec![
            Column { unsigned: true, ..Column::new(ColumnType::LONG, 0) },
            Column { collation: Some(8), ..Column::new(ColumnType::VARCHAR, 80) },
        ]);
        map.signedness_known = true;
        let description = |sign: &str, charset: &str, length| {
            let text = described("b", "VARCHAR", Some(length));
            of(vec![described("a", sign, None), ColumnDescription { charset: Some(charset.into()), ..text }])
        };
        assert!(completed(&map, &description("INT UNSIGNED", "latin1", 80)).is_ok());
        let refused = completed(&map, &description("INT", "latin1", 80)).unwrap_err();
        assert!(refused.contains("logged as UNSIGNED, described as INT"), "{refused}");
        let refused = completed(&map, &description("INT UNSIGNED", "cp1251", 80)).unwrap_err();
        assert!(refused.contains("logged in latin1, described in cp1251"), "{refused}");
    }

    /// MariaDB logs the hash of a long unique key and the period of a versioned table behind the columns.
    #[test]
    fn hidden_columns_have_the_names_that_mariadb_gives_them() {
        let period = || Column { nullable: false, ..Column::new(ColumnType::TIMESTAMP2, 6) };
        let mut description = of(vec![described("t", "TEXT", None)]);
        let text = || Column::new(ColumnType::BLOB, 2);
        let hash = || Column::new(ColumnType::LONGLONG, 0);
        let all = logged(vec![text(), period(), period(), hash()]);
        assert!(completed(&all, &description).is_err(), "no key is that long");
        description.unique_keys = vec![vec!["t".into()]];
        let whole = completed(&all, &description).unwrap();
        let names: Vec<_> = whole.columns.iter().map(|column| column.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["t", "row_start", "row_end", "DB_ROW_HASH_1"]);
    }
}
