//! Parses YAML into the tree. Only what configuration needs is supported: one document, no aliases, no merge keys, no
//! tags.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use super::tree::{Content, Entry, MAX_DEPTH, Node, SyntaxError};

/// Parses one YAML document; an empty file is an empty mapping.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), line: 1 };
    loop {
        match reader.next()? {
            Some((Event::StreamStart | Event::DocumentStart(..), _)) => {}
            Some((Event::StreamEnd | Event::DocumentEnd, _)) | None => {
                return Ok(Node { line: 1, content: Content::Mapping(Vec::new()) });
            }
            Some((event, span)) => {
                let node = reader.node(event, span, 0)?;
                reader.end()?;
                return Ok(node);
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    line: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, SyntaxError> {
        match self.parser.next() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(Some((event, span)))
            }
            Some(Err(error)) => Err(SyntaxError::new(error.marker().line(), error.to_string())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, SyntaxError> {
        let line = span.start.line();
        if depth > MAX_DEPTH {
            return Err(SyntaxError::new(line, format!("the file nests deeper than {MAX_DEPTH} levels")));
        }
        let content = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null" | "Null" | "NULL") => {
                Content::Null
            }
            Event::Scalar(text, ..) => Content::Scalar(text.into_owned()),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            Event::Alias(_) => {
                return Err(SyntaxError::new(line, "aliases (*name) are not supported; write the value out"));
            }
            other => return Err(SyntaxError::new(line, format!("a value was expected, not {other:?}"))),
        };
        Ok(Node { line, content })
    }

    fn list(&mut self, depth: usize) -> Result<Content, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Some((Event::SequenceEnd, _)) => return Ok(Content::List(items)),
                Some((event, span)) => items.push(self.node(event, span, depth + 1)?),
                None => return Err(SyntaxError::new(self.line, "the list does not end")),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Content, SyntaxError> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                Some((Event::MappingEnd, _)) => return Ok(Content::Mapping(entries)),
                Some((Event::Scalar(key, ..), span)) => {
                    let line = span.start.line();
                    let Some((event, span)) = self.next()? else {
                        return Err(SyntaxError::new(line, "the key has no value"));
                    };
                    let value = self.node(event, span, depth + 1)?;
                    entries.push(Entry { key: key.into_owned(), line, value });
                }
                Some((_, span)) => return Err(SyntaxError::new(span.start.line(), "a key must be plain text")),
                None => return Err(SyntaxError::new(self.line, "the mapping does not end")),
            }
        }
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::DocumentStart(..)) {
                return Err(SyntaxError::new(span.start.line(), "the file holds more than one document"));
            }
        }
        Ok(())
    }
}
