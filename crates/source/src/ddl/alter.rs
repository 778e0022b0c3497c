//! Reads the clauses of `ALTER TABLE`, and `CREATE INDEX` and `DROP INDEX` as such clauses.

use super::column::{charset, column, default_value, definition};
use super::create::{is_key, key, key_columns};
use super::cursor::Cursor;
use super::facts::{AlterClause, AlterTable, CharsetChoice, ColumnPosition, Condition, Key, KeyKind};
use super::scanner::{Scanner, wait_clause};
use crate::TableName;

/// Reads an `ALTER TABLE`; the cursor is before the table's name.
pub(super) fn alter_table(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>) -> Option<AlterTable> {
    cursor.take(&["IF", "EXISTS"]);
    let name = scanner.table(&mut cursor)?;
    wait_clause(&mut cursor);
    let mut clauses = Vec::new();
    while !cursor.at_end() {
        clause(scanner, cursor.until_comma(), &mut clauses);
    }
    Some(AlterTable { name, clauses })
}

/// Reads a `CREATE INDEX`; the cursor is before the index's name.
pub(super) fn create_index(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, unique: bool) -> Option<AlterTable> {
    cursor.take(&["IF", "NOT", "EXISTS"]);
    let index = cursor.name()?;
    while !cursor.at_end() && !cursor.take(&["ON"]) {
        cursor.skip_one();
    }
    let name = scanner.table(&mut cursor)?;
    wait_clause(&mut cursor);
    let columns = key_columns(&mut cursor);
    let clauses = match (unique, columns) {
        (true, Some(columns)) => {
            vec![AlterClause::AddKey(Key { name: Some(index), kind: KeyKind::Unique, columns })]
        }
        _ => vec![AlterClause::Irrelevant("CREATE INDEX".into())],
    };
    Some(AlterTable { name, clauses })
}

/// Reads a `DROP INDEX`; the cursor is before the index's name.
pub(super) fn drop_index(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>) -> Option<AlterTable> {
    cursor.take(&["IF", "EXISTS"]);
    let index = cursor.name()?;
    cursor.take(&["ON"]);
    let name = scanner.table(&mut cursor)?;
    let clause = if index.eq_ignore_ascii_case("PRIMARY") {
        AlterClause::DropPrimaryKey
    } else {
        AlterClause::DropKey { name: index }
    };
    Some(AlterTable { name, clauses: vec![clause] })
}

fn clause(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, clauses: &mut Vec<AlterClause>) {
    let whole = cursor;
    let Some(first) = cursor.word().map(str::to_ascii_uppercase) else {
        scanner.warnings.push(format!("the clause {:?} was not understood", whole.remaining_text()));
        return;
    };
    let found = match first.as_str() {
        "ADD" => {
            cursor.next();
            return add(scanner, cursor, clauses);
        }
        "MODIFY" | "CHANGE" => {
            cursor.next();
            let changed = change(scanner, cursor, first == "CHANGE");
            if let Some(AlterClause::ChangeColumn { column, .. }) = &changed
                && let Some(kind) = column.key
            {
                let key = Key { name: None, kind, columns: vec![column.name.clone()] };
                clauses.extend(changed);
                clauses.push(AlterClause::AddKey(key));
                return;
            }
            changed
        }
        "DROP" => {
            cursor.next();
            drop(cursor)
        }
        "RENAME" => {
            cursor.next();
            rename(scanner, cursor)
        }
        "ALTER" => {
            cursor.next();
            alter_column(cursor)
        }
        "CONVERT" => {
            cursor.take(&["CONVERT", "TO"]);
            let mut choice = CharsetChoice::default();
            while charset(&mut cursor, &mut choice) {}
            Some(AlterClause::ConvertCharset(choice))
        }
        _ => return options(cursor, clauses),
    };
    match found {
        Some(found) => clauses.push(found),
        None => {
            scanner.warnings.push(format!("the clause {:?} was not understood", whole.remaining_text()));
            clauses.push(AlterClause::Irrelevant(first));
        }
    }
}

fn add(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, clauses: &mut Vec<AlterClause>) {
    if is_key(cursor) {
        clauses.push(key(&mut cursor).map_or_else(|| AlterClause::Irrelevant("ADD KEY".into()), AlterClause::AddKey));
        return;
    }
    if cursor.is(&["PARTITION"]) || cursor.is(&["PERIOD", "FOR"]) || cursor.is(&["SYSTEM", "VERSIONING"]) {
        clauses.push(AlterClause::Irrelevant("ADD PARTITION".into()));
        return;
    }
    cursor.take(&["COLUMN"]);
    let condition = if cursor.take(&["IF", "NOT", "EXISTS"]) { Condition::IfFits } else { Condition::Always };
    if cursor.is_symbol('(') {
        let Some(mut inner) = cursor.parenthesized() else { return };
        while !inner.at_end() {
            let mut one = inner.until_comma();
            if is_key(one) {
                clauses.extend(key(&mut one).map(AlterClause::AddKey));
            } else {
                add_column(scanner, one, condition, clauses);
            }
        }
        return;
    }
    add_column(scanner, cursor, condition, clauses);
}

fn add_column(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, condition: Condition, clauses: &mut Vec<AlterClause>) {
    let text = cursor.remaining_text();
    match column(&mut cursor, scanner.warnings) {
        Some(column) => {
            let position = position(&mut cursor);
            let own_key = column.key.map(|kind| Key { name: None, kind, columns: vec![column.name.clone()] });
            clauses.push(AlterClause::AddColumn { column: Box::new(column), position, condition });
            clauses.extend(own_key.map(AlterClause::AddKey));
        }
        None => scanner.warnings.push(format!("the column {text:?} was not understood")),
    }
}

fn change(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, renames: bool) -> Option<AlterClause> {
    cursor.take(&["COLUMN"]);
    cursor.take(&["IF", "EXISTS"]);
    let old = cursor.name()?;
    let name = if renames { cursor.name()? } else { old.clone() };
    let column = Box::new(definition(name, &mut cursor, scanner.warnings));
    let position = position(&mut cursor);
    Some(AlterClause::ChangeColumn { old, column, position })
}

fn position(cursor: &mut Cursor<'_>) -> ColumnPosition {
    if cursor.take(&["FIRST"]) {
        ColumnPosition::First
    } else if cursor.take(&["AFTER"]) {
        cursor.name().map_or(ColumnPosition::Unsaid, ColumnPosition::After)
    } else {
        ColumnPosition::Unsaid
    }
}

fn drop(mut cursor: Cursor<'_>) -> Option<AlterClause> {
    if cursor.take(&["PRIMARY"]) {
        return Some(AlterClause::DropPrimaryKey);
    }
    if cursor.take_any(&["INDEX", "KEY"]).is_some() {
        cursor.take(&["IF", "EXISTS"]);
        return cursor.name().map(|name| AlterClause::DropKey { name });
    }
    if cursor.take(&["CONSTRAINT"]) {
        // A constraint's name may be that of a unique key. If it is not, dropping the key changes nothing.
        cursor.take(&["IF", "EXISTS"]);
        return cursor.name().map(|name| AlterClause::DropKey { name });
    }
    if ["FOREIGN", "CHECK", "PARTITION", "PERIOD", "SYSTEM"].iter().any(|word| cursor.is(&[word])) {
        return Some(AlterClause::Irrelevant("DROP CONSTRAINT".into()));
    }
    cursor.take(&["COLUMN"]);
    cursor.take(&["IF", "EXISTS"]);
    cursor.name().map(|name| AlterClause::DropColumn { name })
}

fn rename(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>) -> Option<AlterClause> {
    if cursor.take(&["COLUMN"]) {
        cursor.take(&["IF", "EXISTS"]);
        let from = cursor.name()?;
        cursor.take(&["TO"]);
        return cursor.name().map(|to| AlterClause::RenameColumn { from, to });
    }
    if cursor.take_any(&["INDEX", "KEY"]).is_some() {
        cursor.take(&["IF", "EXISTS"]);
        let from = cursor.name()?;
        cursor.take(&["TO"]);
        return cursor.name().map(|to| AlterClause::RenameKey { from, to });
    }
    if cursor.take_any(&["TO", "AS"]).is_none() {
        cursor.take_symbol('=');
    }
    scanner.table(&mut cursor).map(|name: TableName| AlterClause::RenameTo(name))
}

fn alter_column(mut cursor: Cursor<'_>) -> Option<AlterClause> {
    if ["INDEX", "CHECK", "CONSTRAINT", "KEY"].iter().any(|word| cursor.is(&[word])) {
        return Some(AlterClause::Irrelevant("ALTER INDEX".into()));
    }
    cursor.take(&["COLUMN"]);
    cursor.take(&["IF", "EXISTS"]);
    let column = cursor.name()?;
    if cursor.take(&["SET", "DEFAULT"]) {
        return Some(AlterClause::SetDefault { column, default: Some(default_value(&mut cursor)) });
    }
    if cursor.take(&["DROP", "DEFAULT"]) {
        return Some(AlterClause::SetDefault { column, default: None });
    }
    if cursor.take(&["SET", "INVISIBLE"]) {
        return Some(AlterClause::SetVisibility { column, invisible: true });
    }
    if cursor.take(&["SET", "VISIBLE"]) {
        return Some(AlterClause::SetVisibility { column, invisible: false });
    }
    None
}

/// Reads table options, several of which may follow each other without a comma.
fn options(mut cursor: Cursor<'_>, clauses: &mut Vec<AlterClause>) {
    let first = cursor.word().unwrap_or_default().to_ascii_uppercase();
    let mut choice = CharsetChoice::default();
    let mut comment = None;
    while !cursor.at_end() {
        if cursor.take(&["COMMENT"]) {
            cursor.take_symbol('=');
            comment = cursor.string();
        } else if !charset(&mut cursor, &mut choice) {
            cursor.skip_one();
        }
    }
    let before = clauses.len();
    clauses.extend(comment.map(AlterClause::Comment));
    if choice != CharsetChoice::default() {
        clauses.push(AlterClause::DefaultCharset(choice));
    }
    if clauses.len() == before {
        clauses.push(AlterClause::Irrelevant(first));
    }
}
