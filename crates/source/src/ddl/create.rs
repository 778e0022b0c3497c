//! `CREATE TABLE`: columns, keys, options.

use super::column::{charset, column};
use super::cursor::Cursor;
use super::facts::{CreateTable, IfExisting, Key, KeyKind, Shape, TableDefinition, Temporary};
use super::scanner::Scanner;

/// Reads a `CREATE TABLE` from the table's name on.
pub(super) fn create_table(
    scanner: &mut Scanner<'_>,
    mut cursor: Cursor<'_>,
    temporary: Temporary,
    or_replace: bool,
) -> Option<CreateTable> {
    let if_not_exists = cursor.take(&["IF", "NOT", "EXISTS"]);
    let existing = match (or_replace, if_not_exists) {
        (true, _) => IfExisting::Replace,
        (false, true) => IfExisting::Keep,
        (false, false) => IfExisting::Fail,
    };
    let name = scanner.table(&mut cursor)?;
    let made = |shape| Some(CreateTable { name: name.clone(), temporary, existing, shape });
    if cursor.take(&["LIKE"]) {
        let other = scanner.table(&mut cursor)?;
        return made(Shape::Like(other));
    }
    let mut definition = TableDefinition::default();
    if cursor.is_symbol('(') {
        let mut inner = cursor.parenthesized()?;
        let mut like = inner;
        if like.take(&["LIKE"])
            && let Some(other) = scanner.table(&mut like)
            && like.at_end()
        {
            return made(Shape::Like(other));
        }
        if inner.is(&["SELECT"]) || inner.is(&["WITH"]) || inner.is_symbol('(') {
            return made(Shape::Select(definition));
        }
        while !inner.at_end() {
            element(scanner, inner.until_comma(), &mut definition);
        }
    }
    let kind = options(&mut cursor, &mut definition);
    if kind == Kind::Sequence {
        return None;
    }
    for column in &definition.columns {
        if let Some(kind) = column.key {
            definition.keys.push(Key { name: None, kind, columns: vec![column.name.clone()] });
        }
    }
    // The primary key first; unique ones stay in the order of the text.
    definition.keys.sort_by_key(|key| key.kind != KeyKind::Primary);
    made(if kind == Kind::Select { Shape::Select(definition) } else { Shape::Columns(definition) })
}

/// A column, a key, a constraint or `PERIOD FOR`.
fn element(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, definition: &mut TableDefinition) {
    if is_key(cursor) {
        definition.keys.extend(key(&mut cursor));
    } else if !cursor.is(&["PERIOD", "FOR"]) {
        let text = cursor.remaining_text();
        match column(&mut cursor, scanner.warnings) {
            Some(column) => definition.columns.push(column),
            None => scanner.warnings.push(format!("the element {text:?} of a table was not understood")),
        }
    }
}

/// Whether a key or a constraint is next. A column may be named like a keyword that is not reserved; all of these are
/// reserved.
pub(super) fn is_key(cursor: Cursor<'_>) -> bool {
    ["PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK"]
        .iter()
        .any(|word| cursor.is(&[word]))
        || (cursor.is(&["VECTOR", "INDEX"]) || cursor.is(&["VECTOR", "KEY"]))
}

/// Reads a key; `None` for kinds that do not matter, and for keys over expressions.
pub(super) fn key(cursor: &mut Cursor<'_>) -> Option<Key> {
    let mut name = None;
    if cursor.take(&["CONSTRAINT"]) && !["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"].iter().any(|word| cursor.is(&[word]))
    {
        name = cursor.name();
    }
    let kind = if cursor.take(&["PRIMARY"]) {
        cursor.take(&["KEY"]);
        KeyKind::Primary
    } else if cursor.take(&["UNIQUE"]) {
        cursor.take_any(&["KEY", "INDEX"]);
        KeyKind::Unique
    } else {
        return None;
    };
    cursor.take(&["IF", "NOT", "EXISTS"]);
    if !cursor.is(&["USING"])
        && let Some(own) = cursor.name()
    {
        name = Some(own);
    }
    if cursor.take(&["USING"]) || cursor.take(&["TYPE"]) {
        cursor.name();
    }
    let columns = key_columns(cursor)?;
    Some(Key { name: if kind == KeyKind::Primary { None } else { name }, kind, columns })
}

/// The columns in parentheses; `None` if one of them is an expression.
pub(super) fn key_columns(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut inner = cursor.parenthesized()?;
    let mut columns = Vec::new();
    while !inner.at_end() {
        columns.push(inner.until_comma().name()?);
    }
    (!columns.is_empty()).then_some(columns)
}

/// What the options of a `CREATE TABLE` make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A table with the columns that are written down.
    Table,
    /// A table that is filled by a query, which may add columns.
    Select,
    /// A sequence of MariaDB in the form of `SHOW CREATE TABLE`, which is no table.
    Sequence,
}

/// Reads table options up to a `SELECT`.
fn options(cursor: &mut Cursor<'_>, definition: &mut TableDefinition) -> Kind {
    let mut kind = Kind::Table;
    while !cursor.at_end() {
        if cursor.take(&["COMMENT"]) {
            cursor.take_symbol('=');
            definition.comment = cursor.string().or(definition.comment.take());
        } else if charset(cursor, &mut definition.charset) {
            // Taken.
        } else if cursor.take_any(&["DATA", "INDEX"]).is_some() {
            cursor.take(&["DIRECTORY"]);
            cursor.take_symbol('=');
            cursor.string();
        } else if cursor.is(&["SELECT"])
            || cursor.is(&["WITH"]) && !cursor.is(&["WITH", "SYSTEM"])
            || cursor.is(&["VALUES"])
        {
            return Kind::Select;
        } else if cursor.take(&["UNION"]) {
            // A MERGE table's list.
            cursor.take_symbol('=');
            cursor.parenthesized();
        } else if cursor.take(&["PARTITION"]) {
            while !cursor.at_end() && !cursor.is(&["SELECT"]) && !cursor.is(&["AS"]) {
                cursor.skip_one();
            }
        } else if cursor.take(&["AS"]) || cursor.take_any(&["IGNORE", "REPLACE"]).is_some() {
            if cursor.is_symbol('(') {
                return Kind::Select;
            }
        } else if cursor.is_symbol('(') {
            let inner = cursor.parenthesized();
            if inner.is_some_and(|inner| inner.is(&["SELECT"]) || inner.is_symbol('(')) {
                return Kind::Select;
            }
        } else if cursor.take(&["SEQUENCE"]) {
            cursor.take_symbol('=');
            if cursor.remaining_text().trim_start().starts_with(['1', 'Y', 'y']) {
                kind = Kind::Sequence;
            }
        } else {
            cursor.skip_one();
        }
    }
    kind
}
