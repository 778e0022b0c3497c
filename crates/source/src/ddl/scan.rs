//! Turns the text of statements into facts: the kind of each statement, and the objects that it changes.

use bitacora_binlog::event::Query;

use super::alter::{alter_table, create_index, drop_index};
use super::column::charset;
use super::create::create_table;
use super::cursor::Cursor;
use super::facts::{CharsetChoice, Facts, Rename, Statement, Temporary};
use super::rows::targets;
use super::scanner::{Scanner, wait_clause};
use super::text::statement_text;
use super::token::{SqlMode, Token, TokenKind, tokenize};

/// A query event, read.
#[derive(Debug)]
pub struct ScannedQuery {
    /// The statement as text.
    pub sql: String,
    /// The session's default database.
    pub database: String,
    /// What the statement does.
    pub facts: Facts,
}

/// Reads a query event in the character set and the SQL mode that it names.
pub fn scan_query(query: &Query<'_>) -> ScannedQuery {
    let sql = statement_text(query.sql, query.status.client_collation());
    // The server's own names are in UTF-8.
    let database = String::from_utf8_lossy(query.database).into_owned();
    let mode = query.status.sql_mode().map(SqlMode::from_bits).unwrap_or_default();
    let facts = scan(&sql, &database, mode);
    ScannedQuery { sql, database, facts }
}

/// Scans the text of a query event. `database` is the session's default database, empty if the session had none.
///
/// Never fails: a part that is not understood becomes a warning, and the scan continues after it.
pub fn scan(sql: &str, database: &str, mode: SqlMode) -> Facts {
    let tokens = tokenize(sql, mode);
    let mut facts = Facts::default();
    let mut rest = tokens.as_slice();
    while !rest.is_empty() {
        // A routine's body holds semicolons of its own, and no second statement follows it in an event.
        let end = if has_body(sql, rest) { rest.len() } else { semicolon(rest) };
        let (statement, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if !statement.is_empty() {
            let mut scanner = Scanner { database, warnings: &mut facts.warnings };
            let found = scanner.statement(Cursor::new(sql, statement));
            facts.statements.push(found);
        }
    }
    if facts.statements.is_empty() {
        facts.statements.push(Statement::Empty);
    }
    facts
}

fn semicolon(tokens: &[Token]) -> usize {
    tokens.iter().position(|token| token.kind == TokenKind::Symbol(';')).unwrap_or(tokens.len())
}

fn has_body(sql: &str, tokens: &[Token]) -> bool {
    let cursor = Cursor::new(sql, tokens);
    (cursor.is(&["CREATE"]) || cursor.is(&["ALTER"]))
        && tokens.iter().take(40).any(|token| {
            let text = sql.get(token.span.clone()).unwrap_or_default();
            token.kind == TokenKind::Word
                && ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]
                    .iter()
                    .any(|word| text.eq_ignore_ascii_case(word))
        })
}

impl Scanner<'_> {
    fn statement(&mut self, mut cursor: Cursor<'_>) -> Statement {
        // Skip MariaDB's prefix SET STATEMENT variable = value, … FOR.
        if cursor.take(&["SET", "STATEMENT"]) {
            while !cursor.at_end() && !cursor.take(&["FOR"]) {
                cursor.skip_one();
            }
        }
        let start = cursor;
        let Some(first) = cursor.word().map(str::to_ascii_uppercase) else {
            return Statement::Other { what: String::new() };
        };
        cursor.next();
        match first.as_str() {
            "CREATE" => self.create(cursor, start),
            "ALTER" => self.alter(cursor, start),
            "DROP" => self.drop(cursor, start),
            "RENAME" => self.rename(cursor, start),
            "TRUNCATE" => {
                cursor.take(&["TABLE"]);
                self.table(&mut cursor).map_or_else(|| self.other(start), Statement::TruncateTable)
            }
            "USE" => cursor.name().map_or_else(|| self.other(start), |name| Statement::Use { name }),
            "SET" if cursor.is(&["PASSWORD"]) || cursor.is(&["DEFAULT", "ROLE"]) || cursor.is(&["ROLE"]) => {
                Statement::Account
            }
            "SET" => Statement::Set,
            "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "XA" | "START" | "RELEASE" => Statement::Transaction,
            "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "LOAD" | "CALL" | "SELECT" | "WITH" | "DO" | "HANDLER"
            | "TABLE" | "VALUES" => Statement::Rows { targets: targets(self, start) },
            "GRANT" | "REVOKE" => Statement::Account,
            "ANALYZE" | "OPTIMIZE" | "REPAIR" | "CHECK" | "CHECKSUM" => Statement::Maintenance,
            _ => self.other(start),
        }
    }

    /// Returns a statement that is known only by its first two keywords, for counters and logs.
    #[allow(clippy::unused_self)]
    fn other(&self, mut cursor: Cursor<'_>) -> Statement {
        let mut words = Vec::new();
        while words.len() < 2
            && let Some(word) = cursor.word()
        {
            words.push(word.to_ascii_uppercase());
            cursor.next();
        }
        Statement::Other { what: words.join(" ") }
    }

    fn create(&mut self, mut cursor: Cursor<'_>, start: Cursor<'_>) -> Statement {
        let or_replace = cursor.take(&["OR", "REPLACE"]);
        let temporary = if cursor.take(&["TEMPORARY"]) { Temporary::Yes } else { Temporary::No };
        if cursor.take(&["TABLE"]) {
            return create_table(self, cursor, temporary, or_replace)
                .map_or_else(|| self.other(start), Statement::CreateTable);
        }
        if cursor.take_any(&["DATABASE", "SCHEMA"]).is_some() {
            cursor.take(&["IF", "NOT", "EXISTS"]);
            let name = cursor.name();
            let charset = database_charset(&mut cursor);
            return name.map_or_else(|| self.other(start), |name| Statement::CreateDatabase { name, charset });
        }
        if cursor.take_any(&["USER", "ROLE"]).is_some() {
            return Statement::Account;
        }
        let before = cursor;
        cursor.take_any(&["ONLINE", "OFFLINE"]);
        if let Some(kind) = cursor.take_any(&["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"]) {
            if cursor.take_any(&["INDEX", "KEY"]).is_some()
                && let Some(statement) = create_index(self, cursor, kind == "UNIQUE")
            {
                return Statement::AlterTable(statement);
            }
        } else if cursor.take(&["INDEX"])
            && let Some(statement) = create_index(self, cursor, false)
        {
            return Statement::AlterTable(statement);
        }
        self.named("CREATE", before)
    }

    /// Reads `CREATE VIEW` and similar statements, whose kind of object follows options such as `DEFINER = …`.
    fn named(&self, verb: &str, mut cursor: Cursor<'_>) -> Statement {
        const KINDS: [&str; 15] = [
            "VIEW",
            "TRIGGER",
            "PROCEDURE",
            "FUNCTION",
            "EVENT",
            "SEQUENCE",
            "SERVER",
            "TABLESPACE",
            "LOGFILE",
            "RESOURCE",
            "UNDO",
            "PACKAGE",
            "LIBRARY",
            "SPATIAL",
            "INSTANCE",
        ];
        for _ in 0..16 {
            if let Some(kind) = cursor.take_any(&KINDS) {
                return Statement::Other { what: format!("{verb} {kind}") };
            }
            if cursor.at_end() {
                break;
            }
            cursor.skip_one();
        }
        Statement::Other { what: verb.to_owned() }
    }

    fn alter(&mut self, mut cursor: Cursor<'_>, start: Cursor<'_>) -> Statement {
        let before = cursor;
        while cursor.take_any(&["ONLINE", "OFFLINE", "IGNORE"]).is_some() {}
        if cursor.take(&["TABLE"]) {
            return alter_table(self, cursor).map_or_else(|| self.other(start), Statement::AlterTable);
        }
        if cursor.take_any(&["DATABASE", "SCHEMA"]).is_some() {
            // Without a name the statement changes the default database.
            let named = !["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "READ", "ENCRYPTION", "UPGRADE", "COMMENT"]
                .iter()
                .any(|word| cursor.is(&[word]));
            let name = if named { cursor.name() } else { Some(self.database.to_owned()) };
            let charset = database_charset(&mut cursor);
            return name.map_or_else(|| self.other(start), |name| Statement::AlterDatabase { name, charset });
        }
        if cursor.take_any(&["USER", "ROLE"]).is_some() {
            return Statement::Account;
        }
        self.named("ALTER", before)
    }

    fn drop(&mut self, mut cursor: Cursor<'_>, start: Cursor<'_>) -> Statement {
        let temporary = if cursor.take(&["TEMPORARY"]) { Temporary::Yes } else { Temporary::No };
        if cursor.take_any(&["TABLE", "TABLES"]).is_some() {
            cursor.take(&["IF", "EXISTS"]);
            let prefix = cursor.slice(start.offset()..cursor.offset()).to_owned();
            let mut tables = Vec::new();
            while let Some(table) = self.table(&mut cursor) {
                tables.push(table);
                if !cursor.take_symbol(',') {
                    break;
                }
            }
            return if tables.is_empty() {
                self.other(start)
            } else {
                Statement::DropTable { tables, temporary, prefix }
            };
        }
        if cursor.take_any(&["DATABASE", "SCHEMA"]).is_some() {
            cursor.take(&["IF", "EXISTS"]);
            return cursor.name().map_or_else(|| self.other(start), |name| Statement::DropDatabase { name });
        }
        if cursor.take_any(&["USER", "ROLE"]).is_some() {
            return Statement::Account;
        }
        let before = cursor;
        cursor.take_any(&["ONLINE", "OFFLINE"]);
        if cursor.take(&["INDEX"])
            && let Some(statement) = drop_index(self, cursor)
        {
            return Statement::AlterTable(statement);
        }
        self.named("DROP", before)
    }

    fn rename(&mut self, mut cursor: Cursor<'_>, start: Cursor<'_>) -> Statement {
        if cursor.take(&["USER"]) {
            return Statement::Account;
        }
        if cursor.take_any(&["TABLE", "TABLES"]).is_none() {
            return self.other(start);
        }
        cursor.take(&["IF", "EXISTS"]);
        let prefix = cursor.slice(start.offset()..cursor.offset()).to_owned();
        let mut renames = Vec::new();
        loop {
            let mut pair = cursor.until_comma();
            let text = pair.remaining_text().to_owned();
            let from = self.table(&mut pair);
            wait_clause(&mut pair);
            pair.take(&["TO"]);
            match (from, self.table(&mut pair)) {
                (Some(from), Some(to)) => renames.push(Rename { from, to, text }),
                _ => self.warnings.push(format!("the rename {text:?} was not understood")),
            }
            if cursor.at_end() {
                break;
            }
        }
        if renames.is_empty() { self.other(start) } else { Statement::RenameTable { renames, prefix } }
    }
}

fn database_charset(cursor: &mut Cursor<'_>) -> CharsetChoice {
    let mut choice = CharsetChoice::default();
    while !cursor.at_end() {
        if !charset(cursor, &mut choice) {
            cursor.skip_one();
        }
    }
    choice
}
