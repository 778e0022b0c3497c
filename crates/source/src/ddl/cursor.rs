//! A cursor over the tokens of one statement, with the steps that the scanner needs.

use std::ops::Range;

use super::token::{Token, TokenKind};

/// Reads tokens forward. At the end there is no token, and every question returns false.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(sql: &'a str, tokens: &'a [Token]) -> Self {
        Cursor { sql, tokens, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().is_none()
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Returns the text of a token as written.
    pub(super) fn text(&self, token: &Token) -> &'a str {
        self.sql.get(token.span.clone()).unwrap_or_default()
    }

    /// Returns a part of the statement's text; the range counts bytes.
    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.sql.get(range).unwrap_or_default()
    }

    /// Returns the byte offset at which the next token starts; the end of the text if there is none.
    pub(super) fn offset(&self) -> usize {
        self.peek().map_or(self.sql.len(), |token| token.span.start)
    }

    /// Returns the byte offset at which the previous token ends.
    pub(super) fn end_offset(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    fn word_at(&self, ahead: usize) -> Option<&'a str> {
        let token = self.tokens.get(self.at + ahead)?;
        (token.kind == TokenKind::Word).then(|| self.text(token))
    }

    /// Returns the next token if it is a keyword or a name without quotes.
    pub(super) fn word(&self) -> Option<&'a str> {
        self.word_at(0)
    }

    /// Returns whether the next tokens are these keywords, in any case.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.word_at(ahead).is_some_and(|w| w.eq_ignore_ascii_case(word)))
    }

    /// Takes these keywords if they are next, and returns whether they were.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Takes the next token if it is one of these keywords, and returns which.
    pub(super) fn take_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        let found = words.iter().find(|word| self.is(&[word])).copied()?;
        self.at += 1;
        Some(found)
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        self.peek().is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    }

    pub(super) fn take_symbol(&mut self, symbol: char) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    /// Takes a name, quoted or not.
    pub(super) fn name(&mut self) -> Option<String> {
        let token = self.peek()?;
        let name = match &token.kind {
            TokenKind::Word => self.text(token).to_owned(),
            TokenKind::Name(name) => name.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// Takes a string. Adjacent strings count as one, as in SQL.
    pub(super) fn string(&mut self) -> Option<String> {
        let mut value: Option<String> = None;
        while let Some(Token { kind: TokenKind::Text(text), .. }) = self.peek() {
            value.get_or_insert_default().push_str(text);
            self.at += 1;
        }
        value
    }

    /// Takes a whole number.
    pub(super) fn integer(&mut self) -> Option<u64> {
        let token = self.peek().filter(|token| token.kind == TokenKind::Number)?;
        let number = self.text(token).parse().ok()?;
        self.at += 1;
        Some(number)
    }

    /// Takes a name or a string; both may follow `CHARACTER SET`.
    pub(super) fn name_or_string(&mut self) -> Option<String> {
        self.string().or_else(|| self.name())
    }

    /// Takes the parentheses that come next and returns the tokens inside; `None` if no parenthesis opens here. Without
    /// a closing parenthesis the tokens up to the end are inside.
    pub(super) fn parenthesized(&mut self) -> Option<Cursor<'a>> {
        if !self.take_symbol('(') {
            return None;
        }
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inner = self.tokens.get(start..self.at - 1).unwrap_or_default();
                return Some(Cursor { sql: self.sql, tokens: inner, at: 0 });
            }
        }
        Some(Cursor { sql: self.sql, tokens: self.tokens.get(start..).unwrap_or_default(), at: 0 })
    }

    /// Skips one token, or parentheses with everything inside.
    pub(super) fn skip_one(&mut self) {
        if self.parenthesized().is_none() {
            self.next();
        }
    }

    /// Skips everything that is left.
    pub(super) fn skip_all(&mut self) {
        self.at = self.tokens.len();
    }

    /// Takes and returns the tokens up to the next comma outside parentheses, and skips the comma.
    pub(super) fn until_comma(&mut self) -> Cursor<'a> {
        let start = self.at;
        while !self.at_end() && !self.is_symbol(',') {
            self.skip_one();
        }
        let part = self.tokens.get(start..self.at).unwrap_or_default();
        self.take_symbol(',');
        Cursor { sql: self.sql, tokens: part, at: 0 }
    }

    /// Returns the text of all remaining tokens as written.
    pub(super) fn remaining_text(&self) -> &'a str {
        let (Some(first), Some(last)) = (self.peek(), self.tokens.last()) else { return "" };
        self.slice(first.span.start..last.span.end)
    }
}
