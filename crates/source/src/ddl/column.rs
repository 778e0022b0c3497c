//! Reads the definition of a column: name, type, attributes.

use bitacora_change::charset::Charset;

use super::cursor::Cursor;
use super::facts::{CharsetChoice, ColumnDefinition, DefaultValue, KeyKind};
use super::token::TokenKind;

/// Reads a column's name, type and attributes; `None` if there is no name. Skips what it does not know, and stops where
/// the attributes end (`FIRST`, `AFTER`, a comma).
pub(super) fn column(cursor: &mut Cursor<'_>, warnings: &mut Vec<String>) -> Option<ColumnDefinition> {
    let name = cursor.name()?;
    Some(definition(name, cursor, warnings))
}

/// Reads type and attributes of the column `name`.
pub(super) fn definition(name: String, cursor: &mut Cursor<'_>, warnings: &mut Vec<String>) -> ColumnDefinition {
    let mut column = ColumnDefinition { name, ..ColumnDefinition::default() };
    data_type(&mut column, cursor);
    attributes(&mut column, cursor, warnings);
    column
}

fn data_type(column: &mut ColumnDefinition, cursor: &mut Cursor<'_>) {
    let Some(first) = cursor.word() else {
        return;
    };
    let mut name = first.to_ascii_uppercase();
    cursor.next();
    let more: &[&str] = match name.as_str() {
        "DOUBLE" => &["PRECISION"],
        "LONG" => &["VARCHAR", "VARCHARACTER", "VARBINARY", "CHAR", "CHARACTER"],
        "NATIONAL" => &["VARCHAR", "VARCHARACTER", "CHAR", "CHARACTER"],
        "CHAR" | "CHARACTER" | "NCHAR" => &["VARYING", "VARCHAR", "VARCHARACTER"],
        _ => &[],
    };
    for second in more {
        if cursor.take(&[second]) {
            name = format!("{name} {second}");
            break;
        }
    }
    if (name.ends_with(" CHAR") || name.ends_with(" CHARACTER")) && cursor.take(&["VARYING"]) {
        name.push_str(" VARYING");
    }
    if let Some(inner) = cursor.parenthesized() {
        dimensions(column, inner);
    }
    if name == "SERIAL" {
        name = "BIGINT UNSIGNED".to_owned();
        column.nullable = Some(false);
        column.auto_increment = true;
        column.key = Some(KeyKind::Unique);
    }
    while let Some(suffix) = cursor.take_any(&["UNSIGNED", "ZEROFILL", "SIGNED"]) {
        if suffix != "SIGNED" {
            name = format!("{name} {suffix}");
        }
    }
    // The server makes every ZEROFILL column UNSIGNED, and prints both words in this order.
    if let Some(base) = name.strip_suffix(" ZEROFILL").or_else(|| name.strip_suffix(" ZEROFILL UNSIGNED")) {
        name = format!("{} UNSIGNED ZEROFILL", base.strip_suffix(" UNSIGNED").unwrap_or(base));
    }
    match name.split(' ').next().unwrap_or_default() {
        "DECIMAL" | "DEC" | "NUMERIC" | "FIXED" => {
            column.length.get_or_insert(10);
            column.scale.get_or_insert(0);
        }
        "BIT" => {
            column.length.get_or_insert(1);
        }
        "NATIONAL" | "NCHAR" | "NVARCHAR" => column.charset.charset = Some("utf8".to_owned()),
        _ => {}
    }
    column.type_name = name;
}

/// Reads the parentheses of a type: length and scale, or the labels of ENUM or SET.
fn dimensions(column: &mut ColumnDefinition, mut inner: Cursor<'_>) {
    column.length = inner.integer().and_then(|number| u32::try_from(number).ok());
    if column.length.is_some() {
        if inner.take_symbol(',') {
            column.scale = inner.integer().and_then(|number| u32::try_from(number).ok());
        }
        return;
    }
    while !inner.at_end() {
        let mut label = inner.until_comma();
        match label.peek().map(|token| &token.kind) {
            Some(TokenKind::Hex(digits)) => column.labels.push(text_of_hex(digits, "")),
            // A character set introducer may come before the label.
            Some(TokenKind::Word) => {
                let introducer = label.word().unwrap_or_default();
                label.next();
                match label.peek().map(|token| &token.kind) {
                    Some(TokenKind::Hex(digits)) => column.labels.push(text_of_hex(digits, introducer)),
                    _ => column.labels.extend(label.string()),
                }
            }
            _ => column.labels.extend(label.string()),
        }
    }
}

/// Returns whether a character set introducer (`_latin1`) names a set of characters; `_binary` does not.
fn is_text(introducer: &str) -> bool {
    introducer.strip_prefix('_').and_then(|name| Charset::by_name(&name.to_ascii_lowercase())).is_some()
}

/// Decodes a hexadecimal literal in the character set of its introducer, without one as UTF-8.
fn text_of_hex(digits: &str, introducer: &str) -> String {
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect();
    let charset = introducer.strip_prefix('_').and_then(|name| Charset::by_name(&name.to_ascii_lowercase()));
    charset.unwrap_or(Charset::Utf8).decode_to_string(&bytes)
}

/// Reads the attributes after a column's type.
fn attributes(column: &mut ColumnDefinition, cursor: &mut Cursor<'_>, warnings: &mut Vec<String>) {
    while !is_end_of_attributes(cursor) {
        let is_known = value_or_key(column, cursor) || description(column, cursor) || irrelevant(cursor);
        if !is_known {
            if let Some(token) = cursor.peek() {
                warnings.push(format!("column {}: {} was skipped", column.name, cursor.text(token)));
            }
            cursor.skip_one();
        }
    }
}

fn is_end_of_attributes(cursor: &Cursor<'_>) -> bool {
    cursor.at_end() || cursor.is_symbol(',') || cursor.is(&["FIRST"]) || cursor.is(&["AFTER"])
}

/// Takes an attribute about the column's values or its key, and returns whether there was one.
fn value_or_key(column: &mut ColumnDefinition, cursor: &mut Cursor<'_>) -> bool {
    if cursor.take(&["NOT", "NULL"]) {
        column.nullable = Some(false);
    } else if cursor.take(&["NULL"]) {
        column.nullable = Some(true);
    } else if cursor.take(&["DEFAULT"]) {
        column.default = Some(default_value(cursor));
    } else if cursor.take(&["ON", "UPDATE"]) {
        column.on_update_now |= now(cursor);
    } else if cursor.take(&["AUTO_INCREMENT"]) {
        column.auto_increment = true;
        column.nullable = Some(false);
    } else if cursor.take(&["SERIAL", "DEFAULT", "VALUE"]) {
        column.auto_increment = true;
        column.nullable = Some(false);
        column.key = Some(KeyKind::Unique);
    } else if cursor.take(&["PRIMARY"]) {
        cursor.take(&["KEY"]);
        column.key = Some(KeyKind::Primary);
    } else if cursor.take(&["UNIQUE"]) {
        cursor.take(&["KEY"]);
        // `PRIMARY KEY UNIQUE` stays a primary key.
        column.key.get_or_insert(KeyKind::Unique);
    } else if cursor.take(&["KEY"]) {
        column.key = Some(KeyKind::Primary);
    } else {
        return false;
    }
    true
}

/// Takes an attribute that describes the column (comment, expression, visibility, character set), and returns whether
/// there was one.
fn description(column: &mut ColumnDefinition, cursor: &mut Cursor<'_>) -> bool {
    if cursor.take(&["COMMENT"]) {
        cursor.take_symbol('=');
        column.comment = cursor.string();
    } else if cursor.take(&["GENERATED", "ALWAYS", "AS", "ROW"]) {
        // The start and end columns of MariaDB's system versioning have no expression.
        cursor.take_any(&["START", "END"]);
    } else if cursor.take(&["GENERATED", "ALWAYS", "AS"]) || cursor.take(&["AS"]) {
        if let Some(inner) = cursor.parenthesized() {
            column.generated = Some(inner.remaining_text().to_owned());
        }
    } else if cursor.take(&["INVISIBLE"]) {
        column.invisible = true;
    } else if cursor.take(&["VISIBLE"]) {
        column.invisible = false;
    } else if let Some(short) = cursor.take_any(&["ASCII", "UNICODE", "BYTE"]) {
        let charset = match short {
            "ASCII" => "latin1",
            "UNICODE" => "ucs2",
            _ => "binary",
        };
        column.charset = CharsetChoice { charset: Some(charset.to_owned()), collation: None };
    } else {
        return charset(cursor, &mut column.charset);
    }
    true
}

/// Takes an attribute that no event depends on, and returns whether there was one.
fn irrelevant(cursor: &mut Cursor<'_>) -> bool {
    const WITH_VALUE: [&str; 6] =
        ["COLUMN_FORMAT", "STORAGE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "SRID", "REF_SYSTEM_ID"];
    if cursor.take(&["REFERENCES"]) {
        // No event depends on a foreign key, so everything up to the column's end is skipped.
        while !is_end_of_attributes(cursor) {
            cursor.skip_one();
        }
    } else if cursor.take(&["CONSTRAINT"]) {
        if !cursor.is(&["CHECK"]) {
            cursor.name();
        }
    } else if cursor.take(&["CHECK"]) {
        cursor.parenthesized();
        let _ = cursor.take(&["NOT", "ENFORCED"]) || cursor.take(&["ENFORCED"]);
    } else if cursor.take_any(&["BINARY", "STORED", "VIRTUAL", "PERSISTENT", "COMPRESSED", "ENCRYPTED"]).is_some() {
        // BINARY chooses the binary collation of the character set, which events do not show.
        if cursor.take_symbol('=') {
            cursor.skip_one();
        }
    } else if cursor.take_any(&WITH_VALUE).is_some() {
        cursor.take_symbol('=');
        cursor.skip_one();
    } else {
        return cursor.take(&["WITH", "SYSTEM", "VERSIONING"]) || cursor.take(&["WITHOUT", "SYSTEM", "VERSIONING"]);
    }
    true
}

/// Takes a character set (`[DEFAULT] CHARACTER SET [=] x`, `CHARSET [=] x`, `CHAR SET x`) or a collation
/// (`[DEFAULT] COLLATE [=] y`), and returns whether there was one.
pub(super) fn charset(cursor: &mut Cursor<'_>, choice: &mut CharsetChoice) -> bool {
    let before = *cursor;
    cursor.take(&["DEFAULT"]);
    if cursor.take(&["CHARACTER", "SET"]) || cursor.take(&["CHARSET"]) || cursor.take(&["CHAR", "SET"]) {
        cursor.take_symbol('=');
        let name = cursor.name_or_string().map(|name| name.to_ascii_lowercase());
        // The value `DEFAULT` means the character set of the database or the server.
        choice.charset = name.filter(|name| name != "default");
        choice.collation = None;
        true
    } else if cursor.take(&["COLLATE"]) {
        cursor.take_symbol('=');
        let name = cursor.name_or_string().map(|name| name.to_ascii_lowercase());
        choice.collation = name.filter(|name| name != "default");
        true
    } else {
        *cursor = before;
        false
    }
}

/// Reads the value after `DEFAULT`.
pub(super) fn default_value(cursor: &mut Cursor<'_>) -> DefaultValue {
    let start = cursor.offset();
    if cursor.take(&["NULL"]) {
        return DefaultValue::Null;
    }
    if cursor.take(&["TRUE"]) {
        return DefaultValue::Number("1".into());
    }
    if cursor.take(&["FALSE"]) {
        return DefaultValue::Number("0".into());
    }
    if now(cursor) {
        return DefaultValue::Now;
    }
    if let Some(inner) = cursor.parenthesized() {
        return DefaultValue::Expression(inner.remaining_text().to_owned());
    }
    let sign = if cursor.take_symbol('-') {
        "-"
    } else {
        cursor.take_symbol('+');
        ""
    };
    if let Some(text) = cursor.string() {
        return DefaultValue::Text(text);
    }
    let Some(token) = cursor.next() else { return DefaultValue::Null };
    match &token.kind {
        TokenKind::Number => DefaultValue::Number(format!("{sign}{}", cursor.text(token))),
        TokenKind::Bits(digits) => DefaultValue::Bits(digits.clone()),
        TokenKind::Hex(digits) => DefaultValue::Hex(digits.clone()),
        _ => {
            // A character set introducer or a literal's type may come before a text: `_utf8mb4'x'`,
            // `DATE'2024-01-01'`.
            let word = cursor.text(token);
            let is_prefix = ["DATE", "TIME", "TIMESTAMP"].iter().any(|kind| word.eq_ignore_ascii_case(kind));
            if is_prefix || word.starts_with('_') {
                if let Some(text) = cursor.string() {
                    return DefaultValue::Text(text);
                }
                match cursor.peek().map(|token| &token.kind) {
                    Some(TokenKind::Hex(digits)) if is_text(word) => {
                        cursor.next();
                        return DefaultValue::Text(text_of_hex(digits, word));
                    }
                    Some(TokenKind::Hex(digits)) => {
                        cursor.next();
                        return DefaultValue::Hex(digits.clone());
                    }
                    Some(TokenKind::Bits(digits)) => {
                        cursor.next();
                        return DefaultValue::Bits(digits.clone());
                    }
                    _ => {}
                }
            }
            cursor.parenthesized();
            DefaultValue::Expression(cursor.slice(start..cursor.end_offset()).to_owned())
        }
    }
}

/// Takes `CURRENT_TIMESTAMP` or a synonym with its precision, and returns whether there was one.
fn now(cursor: &mut Cursor<'_>) -> bool {
    let found = cursor.take_any(&["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"]).is_some();
    if found {
        cursor.parenthesized();
    }
    found
}

/// Returns whether columns of this type have a character set.
pub(super) fn has_charset(type_name: &str) -> bool {
    let first = type_name.split(' ').next().unwrap_or_default();
    match first {
        "LONG" => type_name != "LONG VARBINARY",
        _ => matches!(
            first,
            "CHAR"
                | "CHARACTER"
                | "VARCHAR"
                | "VARCHARACTER"
                | "NCHAR"
                | "NVARCHAR"
                | "NATIONAL"
                | "TINYTEXT"
                | "TEXT"
                | "MEDIUMTEXT"
                | "LONGTEXT"
                | "ENUM"
                | "SET"
        ),
    }
}
