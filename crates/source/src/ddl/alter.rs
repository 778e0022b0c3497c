//! Reads the clauses of `ALTER TABLE`, and `CREATE INDEX` and `DROP INDEX` as such clauses.

use super::column::{charset, column, default_value, definition};
use super::create::{is_key, key, key_columns};
use super::cursor::Cursor;
use super::facts::{AlterClause, AlterTable, CharsetChoice, ColumnPosition, Condition, Key, KeyKind};
use super::scanner::{Scanner, wait_clause};

/// Reads an `ALTER TABLE`; the cursor is before the table's name.
pub(super) fn alter_table(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>) -> Option<AlterTable> {
    cursor.take(&["IF", "EXISTS"]);
    let name = scanner.table(&mut cursor)?;
    wait_clause(&mut cursor);
    let mut clauses = Vec::new();
    let mut is_sorted = false;
    while !cursor.at_end() {
        let next = cursor.until_comma();
        // What is done to partitions stands last, and its lists have commas of their own.
        if is_of_partitions(next) {
            clauses.push(AlterClause::Irrelevant("PARTITION".into()));
            break;
        }
        // So has the list of ORDER BY.
        is_sorted = next.is(&["ORDER", "BY"]) || is_sorted && !CLAUSES.iter().any(|word| next.is(&[word]));
        if !is_sorted {
            clause(scanner, next, &mut clauses);
        }
    }
    Some(AlterTable { name, clauses })
}

/// First words of clauses that change what events look like.
const CLAUSES: [&str; 8] = ["ADD", "DROP", "MODIFY", "CHANGE", "RENAME", "ALTER", "CONVERT", "COMMENT"];

/// First words of the other clauses, and of table options, without an equals sign behind them.
const OPTIONS: [&str; 47] = [
    "ALGORITHM",
    "AUTOEXTEND_SIZE",
    "AUTO_INCREMENT",
    "AVG_ROW_LENGTH",
    "CHARACTER",
    "CHARSET",
    "CHECKSUM",
    "COLLATE",
    "COMMENT",
    "COMPRESSION",
    "CONNECTION",
    "DATA",
    "DEFAULT",
    "DELAY_KEY_WRITE",
    "DISABLE",
    "DISCARD",
    "ENABLE",
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE",
    "ENGINE_ATTRIBUTE",
    "FORCE",
    "IMPORT",
    "INDEX",
    "INSERT_METHOD",
    "KEY_BLOCK_SIZE",
    "LOCK",
    "MAX_ROWS",
    "MIN_ROWS",
    "NODEGROUP",
    "NOWAIT",
    "PACK_KEYS",
    "PAGE_CHECKSUM",
    "PASSWORD",
    "ROW_FORMAT",
    "SECONDARY_ENGINE",
    "SECONDARY_LOAD",
    "SECONDARY_UNLOAD",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "STORAGE",
    "TABLESPACE",
    "TRANSACTIONAL",
    "UNION",
    "WAIT",
];

/// Returns whether a clause does something to partitions; no column changes by it.
fn is_of_partitions(cursor: Cursor<'_>) -> bool {
    const FIRST: [&str; 14] = [
        "ADD",
        "ANALYZE",
        "CHECK",
        "COALESCE",
        "CONVERT",
        "DISCARD",
        "DROP",
        "EXCHANGE",
        "IMPORT",
        "OPTIMIZE",
        "REBUILD",
        "REORGANIZE",
        "REPAIR",
        "TRUNCATE",
    ];
    cursor.is(&["PARTITION"])
        || cursor.is(&["PARTITIONS"])
        || cursor.is(&["CONVERT", "TABLE"])
        || cursor.is(&["REMOVE", "PARTITIONING"])
        || cursor.is(&["UPGRADE", "PARTITIONING"])
        || FIRST.iter().any(|word| cursor.is(&[word, "PARTITION"]))
}

/// Reads a `CREATE INDEX` from the index's name on.
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
            let changed = change(scanner, &mut cursor, first == "CHANGE");
            ends(scanner, cursor, whole, changed.is_some());
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
            let dropped = drop(&mut cursor);
            cursor.take_any(&["RESTRICT", "CASCADE"]);
            ends(scanner, cursor, whole, dropped.is_some());
            dropped
        }
        "RENAME" => {
            cursor.next();
            let renamed = rename(scanner, &mut cursor);
            ends(scanner, cursor, whole, renamed.is_some());
            renamed
        }
        "ALTER" => {
            cursor.next();
            let altered = alter_column(&mut cursor);
            ends(scanner, cursor, whole, altered.is_some());
            altered
        }
        "CONVERT" => {
            cursor.take(&["CONVERT", "TO"]);
            let mut choice = CharsetChoice::default();
            while charset(&mut cursor, &mut choice) {}
            ends(scanner, cursor, whole, true);
            Some(AlterClause::ConvertCharset(choice))
        }
        _ if OPTIONS.contains(&first.as_str()) || is_assignment(cursor) => return options(cursor, clauses),
        "WITH" | "WITHOUT" => Some(AlterClause::Irrelevant(first.clone())),
        _ => None,
    };
    match found {
        Some(found) => clauses.push(found),
        None => {
            scanner.warnings.push(format!("the clause {:?} was not understood", whole.remaining_text()));
            clauses.push(AlterClause::Irrelevant(first));
        }
    }
}

/// Warns of what was not read of a clause that was understood so far.
fn ends(scanner: &mut Scanner<'_>, cursor: Cursor<'_>, whole: Cursor<'_>, is_understood: bool) {
    if is_understood && !cursor.at_end() {
        scanner.warnings.push(format!("the clause {:?} was not understood", whole.remaining_text()));
    }
}

/// Returns whether a table option of an engine is next: any name with a value.
fn is_assignment(mut cursor: Cursor<'_>) -> bool {
    cursor.next();
    cursor.is_symbol('=')
}

fn add(scanner: &mut Scanner<'_>, mut cursor: Cursor<'_>, clauses: &mut Vec<AlterClause>) {
    if is_key(cursor) {
        clauses.push(key(&mut cursor).map_or_else(|| AlterClause::Irrelevant("ADD KEY".into()), AlterClause::AddKey));
        return;
    }
    if cursor.is(&["PERIOD", "FOR"]) || cursor.is(&["SYSTEM", "VERSIONING"]) {
        clauses.push(AlterClause::Irrelevant("ADD PERIOD".into()));
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
            if !cursor.at_end() {
                scanner.warnings.push(format!("the column {text:?} was not understood"));
            }
            let own_key = column.key.map(|kind| Key { name: None, kind, columns: vec![column.name.clone()] });
            clauses.push(AlterClause::AddColumn { column: Box::new(column), position, condition });
            clauses.extend(own_key.map(AlterClause::AddKey));
        }
        None => scanner.warnings.push(format!("the column {text:?} was not understood")),
    }
}

fn change(scanner: &mut Scanner<'_>, cursor: &mut Cursor<'_>, renames: bool) -> Option<AlterClause> {
    cursor.take(&["COLUMN"]);
    cursor.take(&["IF", "EXISTS"]);
    let old = cursor.name()?;
    let name = if renames { cursor.name()? } else { old.clone() };
    let column = Box::new(definition(name, cursor, scanner.warnings));
    let position = position(cursor);
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

fn drop(cursor: &mut Cursor<'_>) -> Option<AlterClause> {
    if cursor.take(&["PRIMARY"]) {
        cursor.take(&["KEY"]);
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
    if ["FOREIGN", "CHECK", "PERIOD", "SYSTEM"].iter().any(|word| cursor.is(&[word])) {
        cursor.skip_all();
        return Some(AlterClause::Irrelevant("DROP CONSTRAINT".into()));
    }
    cursor.take(&["COLUMN"]);
    cursor.take(&["IF", "EXISTS"]);
    cursor.name().map(|name| AlterClause::DropColumn { name })
}

fn rename(scanner: &mut Scanner<'_>, cursor: &mut Cursor<'_>) -> Option<AlterClause> {
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
    scanner.table(cursor).map(AlterClause::RenameTo)
}

fn alter_column(cursor: &mut Cursor<'_>) -> Option<AlterClause> {
    if ["INDEX", "CHECK", "CONSTRAINT", "KEY"].iter().any(|word| cursor.is(&[word])) {
        cursor.skip_all();
        return Some(AlterClause::Irrelevant("ALTER INDEX".into()));
    }
    cursor.take(&["COLUMN"]);
    cursor.take(&["IF", "EXISTS"]);
    let column = cursor.name()?;
    if cursor.take(&["SET", "DEFAULT"]) {
        return Some(AlterClause::SetDefault { column, default: Some(default_value(cursor)) });
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
