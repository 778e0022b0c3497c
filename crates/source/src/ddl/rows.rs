//! Finds the tables whose rows a statement changes.
//!
//! The result may hold too many tables, because a join does not always tell which of its tables it changes. It never
//! holds too few: a statement that cannot be read gives `None`. Tables that triggers and functions change are not in
//! the text and not in the result.

use super::cursor::Cursor;
use super::name_case::is_same_in_lower_case as same;
use super::scanner::Scanner;
use crate::TableName;

/// Returns the target tables of a statement; the cursor is before its first word.
pub(super) fn targets(scanner: &Scanner<'_>, mut cursor: Cursor<'_>) -> Option<Vec<TableName>> {
    let common = common_tables(&mut cursor)?;
    let reader = Reader { database: scanner.database, common };
    let verb = cursor.take_any(&["INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD"])?;
    while cursor.take_any(&["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "IGNORE"]).is_some() {}
    match verb {
        "UPDATE" => reader.update(cursor),
        "DELETE" => reader.delete(cursor),
        "LOAD" => {
            while !cursor.at_end() {
                if cursor.take(&["INTO", "TABLE"]) {
                    return Some(vec![reader.table(&named(&mut cursor)?)]);
                }
                cursor.next();
            }
            None
        }
        _ => {
            cursor.take(&["INTO"]);
            Some(vec![reader.table(&named(&mut cursor)?)])
        }
    }
}

/// Takes the `WITH` clause before the statement, if there is one, and returns the names that it defines.
fn common_tables(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    if !cursor.take(&["WITH"]) {
        return Some(names);
    }
    cursor.take(&["RECURSIVE"]);
    loop {
        names.push(cursor.name()?);
        cursor.parenthesized();
        cursor.take(&["AS"]);
        cursor.parenthesized()?;
        if cursor.take(&["CYCLE"]) {
            while !cursor.at_end() && !cursor.take(&["RESTRICT"]) {
                cursor.next();
            }
        }
        if !cursor.take_symbol(',') {
            return Some(names);
        }
    }
}

/// A table's name as written, with or without a database.
struct Named {
    database: Option<String>,
    table: String,
}

/// Takes a name: `table`, `database.table` or `.table`, each with or without `.*`.
fn named(cursor: &mut Cursor<'_>) -> Option<Named> {
    cursor.take_symbol('.');
    let mut name = Named { database: None, table: cursor.name()? };
    while cursor.take_symbol('.') {
        if cursor.take_symbol('*') {
            break;
        }
        name = Named { database: Some(name.table), table: cursor.name()? };
    }
    Some(name)
}

/// A table of a join.
struct Joined {
    name: Named,
    alias: Option<String>,
}

impl Joined {
    /// Returns whether a name elsewhere in the statement may mean this table.
    fn is(&self, name: &Named) -> bool {
        let known_as = self.alias.as_ref().unwrap_or(&self.name.table);
        match (&name.database, &self.name.database) {
            (None, _) => same(known_as, &name.table),
            (Some(_), None) => same(&self.name.table, &name.table),
            (Some(database), Some(own)) => same(&self.name.table, &name.table) && same(own, database),
        }
    }
}

/// Deepest nesting of joins in parentheses that is read. The bound keeps the recursion from exhausting the stack.
const DEPTH_MAX: u32 = 32;

struct Reader<'a> {
    database: &'a str,
    /// Names that the `WITH` clause defines; they do not name tables.
    common: Vec<String>,
}

impl Reader<'_> {
    fn table(&self, name: &Named) -> TableName {
        TableName::new(name.database.as_deref().unwrap_or(self.database), &name.table)
    }

    /// Reads `UPDATE tables SET assignments …`; the verb is taken.
    fn update(&self, mut cursor: Cursor<'_>) -> Option<Vec<TableName>> {
        let mut joined = Vec::new();
        self.join(&mut cursor, &["SET"], 0, &mut joined)?;
        if !cursor.take(&["SET"]) || joined.is_empty() {
            return None;
        }
        let all = || joined.iter().map(|table| self.table(&table.name)).collect();
        if joined.len() == 1 {
            return Some(all());
        }
        Some(assigned(cursor).and_then(|names| self.resolved(&names, &joined)).unwrap_or_else(all))
    }

    /// Reads `DELETE FROM table …`, `DELETE FROM targets USING tables …`, `DELETE targets FROM tables …` and MariaDB's
    /// `DELETE HISTORY FROM table …`; the verb is taken.
    fn delete(&self, mut cursor: Cursor<'_>) -> Option<Vec<TableName>> {
        let from_first = cursor.take(&["FROM"]);
        let mut listed = vec![named(&mut cursor)?];
        while cursor.take_symbol(',') {
            listed.push(named(&mut cursor)?);
        }
        let between = if from_first { "USING" } else { "FROM" };
        if !cursor.take(&[between]) {
            return (from_first && listed.len() == 1).then(|| listed.iter().map(|name| self.table(name)).collect());
        }
        let mut joined = Vec::new();
        self.join(&mut cursor, &["WHERE", "ORDER", "LIMIT", "RETURNING"], 0, &mut joined)?;
        // A target that is not in the join may be the word HISTORY, so all names together are the answer.
        self.resolved(&listed, &joined).or_else(|| {
            let joined = joined.iter().map(|table| &table.name);
            Some(joined.chain(&listed).map(|name| self.table(name)).collect())
        })
    }

    /// Returns the joined tables that the names mean; `None` if a name is not in the join.
    fn resolved(&self, names: &[Named], joined: &[Joined]) -> Option<Vec<TableName>> {
        let mut tables = Vec::new();
        for name in names {
            let before = tables.len();
            tables.extend(joined.iter().filter(|table| table.is(name)).map(|table| self.table(&table.name)));
            if tables.len() == before {
                return None;
            }
        }
        tables.sort();
        tables.dedup();
        Some(tables)
    }

    /// Reads joined tables up to one of the keywords in `end`.
    fn join(&self, cursor: &mut Cursor<'_>, end: &[&str], depth: u32, joined: &mut Vec<Joined>) -> Option<()> {
        loop {
            self.joined_table(cursor, depth, joined)?;
            // Skip conditions and hints up to the next table.
            loop {
                if cursor.at_end() || end.iter().any(|word| cursor.is(&[word])) {
                    return Some(());
                }
                if cursor.take_symbol(',') || cursor.take_any(&["JOIN", "STRAIGHT_JOIN"]).is_some() {
                    break;
                }
                // After a dot every word is a name, and FOR JOIN belongs to an index hint: neither ends the conditions.
                if cursor.take_symbol('.') {
                    cursor.next();
                } else if !cursor.take(&["FOR", "JOIN"]) {
                    cursor.skip_one();
                }
            }
        }
    }

    fn joined_table(&self, cursor: &mut Cursor<'_>, depth: u32, joined: &mut Vec<Joined>) -> Option<()> {
        // ODBC's { OJ … }.
        if cursor.take_symbol('{') {
            cursor.next();
        }
        cursor.take(&["LATERAL"]);
        if let Some(mut inner) = cursor.parenthesized() {
            return if depth < DEPTH_MAX { self.join(&mut inner, &[], depth + 1, joined) } else { None };
        }
        if ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| cursor.is(&[word])) {
            while cursor.next().is_some() {}
            return Some(());
        }
        let name = named(cursor)?;
        // JSON_TABLE(…).
        if cursor.parenthesized().is_some() {
            return Some(());
        }
        if cursor.take(&["PARTITION"]) {
            cursor.parenthesized();
        }
        let alias = alias(cursor);
        let is_common = name.database.is_none() && self.common.iter().any(|common| same(common, &name.table));
        if !is_common {
            joined.push(Joined { name, alias });
        }
        Some(())
    }
}

fn alias(cursor: &mut Cursor<'_>) -> Option<String> {
    /// Keywords that may follow a table without an alias.
    const FOLLOWING: [&str; 19] = [
        "JOIN",
        "STRAIGHT_JOIN",
        "INNER",
        "CROSS",
        "LEFT",
        "RIGHT",
        "OUTER",
        "NATURAL",
        "ON",
        "USING",
        "SET",
        "WHERE",
        "ORDER",
        "LIMIT",
        "RETURNING",
        "USE",
        "FORCE",
        "IGNORE",
        "FOR",
    ];
    if !cursor.take(&["AS"]) && FOLLOWING.iter().any(|word| cursor.is(&[word])) {
        return None;
    }
    cursor.name()
}

/// Returns the tables whose columns are assigned; `None` if an assignment does not name its table.
fn assigned(mut cursor: Cursor<'_>) -> Option<Vec<Named>> {
    let mut names = Vec::new();
    while !cursor.at_end() {
        let mut assignment = cursor.until_comma();
        let column = named(&mut assignment)?;
        let table = column.database?;
        // `named` has put the last part, the column, into `table` and the part before it into `database`. Of
        // `database.table.column` only the table is kept, which is enough to find it in the join.
        assignment.take_symbol(':');
        if !assignment.take_symbol('=') {
            return None;
        }
        names.push(Named { database: None, table });
    }
    Some(names)
}
