//! Reads `CREATE TABLE`: columns, keys, options.

use super::column::{charset, column};
use super::cursor::Cursor;
use super::facts::{CreateTable, IfExisting, Key, KeyKind, Shape, TableDefinition, Temporary};
use super::scanner::Scanner;

/// Reads a `CREATE TABLE`; the cursor is before `IF NOT EXISTS` or the table's name. Returns `None` for a sequence,
/// and if the statement cannot be read.
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
    // The primary key comes first; the sort is stable, so unique keys stay in the order of the text.
    definition.keys.sort_by_key(|key| key.kind != KeyKind::Primary);
    made(if kind == Kind::Select { Shape::Select(definition) } else { Shape::Columns(definition) })
}

/// Reads a column or a key. Other constraints and `PERIOD FOR` are skipped.
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

/// Returns whether a key or a constraint is next. The keywords are reserved, so that no column can have their names
/// without quotes; `VECTOR` may be a column's name, and decides only with the word after it.
pub(super) fn is_key(cursor: Cursor<'_>) -> bool {
    ["PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK"]
        .iter()
        .any(|word| cursor.is(&[word]))
        || (cursor.is(&["VECTOR", "INDEX"]) || cursor.is(&["VECTOR", "KEY"]))
}

/// Reads a primary or unique key; `None` for other keys and constraints, and for keys over expressions.
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

/// Reads the columns of a key in parentheses; `None` if one of them is an expression.
pub(super) fn key_columns(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut inner = cursor.parenthesized()?;
    let mut columns = Vec::new();
    while !inner.at_end() {
        columns.push(inner.until_comma().name()?);
    }
    (!columns.is_empty()).then_some(columns)
}

/// What a `CREATE TABLE` creates, as its options tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A table with exactly the listed columns.
    Table,
    /// A table filled by a query, which may add columns.
    Select,
    /// A sequence of MariaDB, which `SHOW CREATE TABLE` prints like a table.
    Sequence,
}

/// Reads the table options up to a query, if there is one.
fn options(cursor: &mut Cursor<'_>, definition: &mut TableDefinition) -> Kind {
    let mut kind = Kind::Table;
    while !cursor.at_end() {
        if cursor.take(&["COMMENT"]) {
            cursor.take_symbol('=');
            definition.comment = cursor.string().or(definition.comment.take());
        } else if charset(cursor, &mut definition.charset) {
            // `charset` has taken the option.
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
            // The list of a MERGE table, not a UNION of queries.
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
