//! Splits the text of statements into tokens.
//!
//! The lexical rules are those of both servers: names in backticks, strings in either quote, `ANSI_QUOTES` (double
//! quotes hold names) and `NO_BACKSLASH_ESCAPES`, hexadecimal and bit literals, comments (`#`, `-- `, `/* */`), and
//! comments whose content is executed (`/*!40101 … */`, MariaDB's `/*M!100100 … */`). The tokenizer never fails: an
//! unterminated string, name or comment ends at the end of the text.

use std::ops::Range;

/// The two flags of `sql_mode` that change the tokens of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SqlMode {
    /// Double quotes hold names, not strings.
    pub ansi_quotes: bool,
    /// A backslash in a string is an ordinary character.
    pub no_backslash_escapes: bool,
}

impl SqlMode {
    /// Returns the flags of the number in a query event's status variables (`Q_SQL_MODE_CODE`).
    pub fn from_bits(sql_mode: u64) -> SqlMode {
        const ANSI_QUOTES: u64 = 1 << 2;
        const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;
        SqlMode { ansi_quotes: sql_mode & ANSI_QUOTES != 0, no_backslash_escapes: sql_mode & NO_BACKSLASH_ESCAPES != 0 }
    }
}

/// Kind of a token, with the value of a quoted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A quoted name, without its quotes.
    Name(String),
    /// The value of a string, with escapes resolved.
    Text(String),
    /// The digits of `b'01'` or `0b01`.
    Bits(String),
    /// The digits of `x'ff'` or `0xff`.
    Hex(String),
    /// A number without sign.
    Number,
    /// One character of punctuation.
    Symbol(char),
}

/// A token and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Range of bytes in the statement's text.
    pub(super) span: Range<usize>,
}

/// Splits a text into tokens.
pub(super) fn tokenize(sql: &str, mode: SqlMode) -> Vec<Token> {
    let mut tokenizer = Tokenizer { sql, at: 0, mode, executed_comments: 0, tokens: Vec::new() };
    while tokenizer.step() {}
    tokenizer.tokens
}

struct Tokenizer<'a> {
    sql: &'a str,
    at: usize,
    mode: SqlMode,
    /// Number of open executed comments, whose `*/` must not become tokens.
    executed_comments: usize,
    tokens: Vec<Token>,
}

impl Tokenizer<'_> {
    fn rest(&self) -> &str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.as_bytes().get(self.at + ahead).copied()
    }

    /// Reads one token, one comment or one blank; returns false at the end. Every call moves forward, so the caller's
    /// loop ends.
    fn step(&mut self) -> bool {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return false };
        match first {
            c if c.is_whitespace() || c == '\0' => self.at += c.len_utf8(),
            '#' => self.skip_line(),
            '-' if self.peek(1) == Some(b'-') && self.peek(2).is_none_or(|b| b.is_ascii_whitespace() || b == 0) => {
                self.skip_line();
            }
            '/' if self.peek(1) == Some(b'*') => self.comment(),
            '*' if self.peek(1) == Some(b'/') && self.executed_comments > 0 => {
                self.executed_comments -= 1;
                self.at += 2;
            }
            '`' => self.quoted('`', start),
            '\'' | '"' => self.quoted(first, start),
            c if c.is_ascii_digit() => self.number(start),
            '.' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) && !self.after_name(start) => self.number(start),
            c if is_word(c) => self.word(start),
            c => {
                self.at += c.len_utf8();
                self.push(TokenKind::Symbol(c), start);
            }
        }
        true
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: start..self.at });
    }

    /// Returns whether a name ends right before `start`, so that a dot there qualifies what follows (`db.1st`).
    fn after_name(&self, start: usize) -> bool {
        self.tokens
            .last()
            .is_some_and(|token| token.span.end == start && matches!(token.kind, TokenKind::Word | TokenKind::Name(_)))
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
    }

    fn comment(&mut self) {
        let rest = self.rest();
        let executed = if rest.starts_with("/*!") {
            3
        } else if rest.starts_with("/*M!") {
            4
        } else {
            self.at += rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |end| end + 4);
            return;
        };
        let digits = rest.bytes().skip(executed).take(6).take_while(u8::is_ascii_digit).count();
        self.at += executed + digits;
        self.executed_comments += 1;
    }

    /// Reads a string or a quoted name, in which a doubled quote stands for one quote.
    fn quoted(&mut self, quote: char, start: usize) {
        let is_name = quote == '`' || (quote == '"' && self.mode.ansi_quotes);
        let escapes = !is_name && !self.mode.no_backslash_escapes;
        let value = self.quoted_value(quote, escapes);
        self.push(if is_name { TokenKind::Name(value) } else { TokenKind::Text(value) }, start);
    }

    fn quoted_value(&mut self, quote: char, escapes: bool) -> String {
        let mut value = String::new();
        let mut length = quote.len_utf8();
        let mut characters = self.rest().chars().skip(1).peekable();
        while let Some(c) = characters.next() {
            length += c.len_utf8();
            if c == quote {
                if characters.peek() != Some(&quote) {
                    break;
                }
                characters.next();
                length += quote.len_utf8();
                value.push(quote);
            } else if c == '\\' && escapes {
                let Some(escaped) = characters.next() else { break };
                length += escaped.len_utf8();
                push_escaped(escaped, &mut value);
            } else {
                value.push(c);
            }
        }
        self.at += length;
        value
    }

    fn number(&mut self, start: usize) {
        let (prefix, radix) = (self.peek(0), self.peek(1));
        if prefix == Some(b'0') && matches!(radix, Some(b'x' | b'b')) {
            let hex = radix == Some(b'x');
            let digits: String = self
                .rest()
                .chars()
                .skip(2)
                .take_while(|c| if hex { c.is_ascii_hexdigit() } else { matches!(c, '0' | '1') })
                .collect();
            let after = self.rest().get(2 + digits.len()..).and_then(|rest| rest.chars().next());
            if !digits.is_empty() && !after.is_some_and(is_word) {
                self.at += 2 + digits.len();
                self.push(if hex { TokenKind::Hex(digits) } else { TokenKind::Bits(digits) }, start);
                return;
            }
        }
        let after_dot =
            self.tokens.last().is_some_and(|token| token.kind == TokenKind::Symbol('.') && token.span.end == start);
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let next = self.rest().get(digits..).and_then(|rest| rest.chars().next());
        let exponent =
            next.is_some_and(|c| c.eq_ignore_ascii_case(&'e')) && digits > 0 && self.exponent(digits).is_some();
        if (next.is_some_and(|c| is_word(c) && !c.is_ascii_digit()) && !exponent) || (after_dot && digits > 0) {
            // A name may begin with digits (`1st`), and after a dot it may be all digits (`db.2024`).
            self.word(start);
            return;
        }
        self.at += digits;
        if self.peek(0) == Some(b'.') {
            self.at += 1 + self.rest().bytes().skip(1).take_while(u8::is_ascii_digit).count();
        }
        if let Some(length) = self.exponent(0) {
            self.at += length;
        }
        self.push(TokenKind::Number, start);
    }

    /// Returns the length of the exponent that starts `ahead` bytes from here, if there is one.
    fn exponent(&self, ahead: usize) -> Option<usize> {
        let rest = self.rest().as_bytes().get(ahead..)?;
        let sign = usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
        let digits = rest.iter().skip(1 + sign).take_while(|b| b.is_ascii_digit()).count();
        (matches!(rest.first(), Some(b'e' | b'E')) && digits > 0).then_some(1 + sign + digits)
    }

    fn word(&mut self, start: usize) {
        let length: usize = self.rest().chars().take_while(|c| is_word(*c)).map(char::len_utf8).sum();
        let word = self.rest().get(..length).unwrap_or_default().to_ascii_lowercase();
        self.at += length.max(1);
        match (word.as_str(), self.peek(0)) {
            ("x", Some(b'\'')) => {
                let digits = self.quoted_value('\'', false);
                self.push(TokenKind::Hex(digits), start);
            }
            ("b", Some(b'\'')) => {
                let digits = self.quoted_value('\'', false);
                self.push(TokenKind::Bits(digits), start);
            }
            ("n", Some(b'\'')) => {
                let value = self.quoted_value('\'', !self.mode.no_backslash_escapes);
                self.push(TokenKind::Text(value), start);
            }
            _ => self.push(TokenKind::Word, start),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii() && !c.is_whitespace()
}

/// Appends the character that an escape sequence means (MySQL manual, "String Literals"). Any other character stands
/// for itself.
fn push_escaped(escaped: char, value: &mut String) {
    match escaped {
        '0' => value.push('\0'),
        'b' => value.push('\u{8}'),
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        'Z' => value.push('\u{1a}'),
        // The backslash stays, as on the server: these two sequences have a meaning only in LIKE patterns.
        '%' | '_' => value.extend(['\\', escaped]),
        other => value.push(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn check(sql: &str, mode: SqlMode, expected: &[&str]) {
        let shown: Vec<String> = tokenize(sql, mode)
            .into_iter()
            .map(|token| match token.kind {
                TokenKind::Word => sql[token.span].to_owned(),
                TokenKind::Name(name) => format!("`{name}`"),
                TokenKind::Text(text) => format!("'{text}'"),
                TokenKind::Bits(digits) => format!("b:{digits}"),
                TokenKind::Hex(digits) => format!("x:{digits}"),
                TokenKind::Number => format!("n:{}", &sql[token.span]),
                TokenKind::Symbol(c) => c.to_string(),
            })
            .collect();
        assert_eq!(shown, expected, "{sql}");
    }

    #[test]
    fn tokens() {
        let plain = SqlMode::default();
        check("a `b``c` 'd''e\\'f\\n' \"g\"\"h\"", plain, &["a", "`b`c`", "'d'e'f\n'", "'g\"h'"]);
        check(
            "1 1.5 .5 1e3 -2 1.e-2 0xAf 0b01 x'0f' B'10' N'ñ'",
            plain,
            &["n:1", "n:1.5", "n:.5", "n:1e3", "-", "n:2", "n:1.e-2", "x:Af", "b:01", "x:0f", "b:10", "'ñ'"],
        );
        check(
            "db.1st db.2024 1st 0xyz t.e1",
            plain,
            &["db", ".", "1st", "db", ".", "2024", "1st", "0xyz", "t", ".", "e1"],
        );
        check("a -- c\nb # d\nc /* e */ d --x", plain, &["a", "b", "c", "d", "-", "-", "x"]);
        check("a /*!40101 b /* c */ d */ e /*M!100100 f*/ /*! g */*", plain, &["a", "b", "d", "e", "f", "g", "*"]);
        check("テーブル ünï $a", plain, &["テーブル", "ünï", "$a"]);
        check("'open", plain, &["'open'"]);
        check("`open", plain, &["`open`"]);
        check("a /* open", plain, &["a"]);
        check("'a\\", plain, &["'a'"]);
    }

    #[test]
    fn sql_mode_decides_on_quotes_and_backslashes() {
        let ansi = SqlMode { ansi_quotes: true, ..SqlMode::default() };
        check("\"a\"\"b\" 'c'", ansi, &["`a\"b`", "'c'"]);
        let plain_backslash = SqlMode { no_backslash_escapes: true, ..SqlMode::default() };
        check("'a\\' b 'c\\n'", plain_backslash, &["'a\\'", "b", "'c\\n'"]);
        assert_eq!(SqlMode::from_bits(4), ansi);
        assert_eq!(SqlMode::from_bits(1 << 20), plain_backslash);
    }
}
