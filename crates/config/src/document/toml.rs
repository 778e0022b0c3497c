//! Parses TOML into the tree.

use serde::de::Error as _;
use toml::de::{DeTable, DeValue};

use super::tree::{Content, Entry, MAX_DEPTH, Node, SyntaxError};

/// Parses a TOML document.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let lines = Lines(text);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.line_of(span.start));
        SyntaxError::new(line, error.message().to_owned())
    })?;
    let content = mapping(table.get_ref(), lines, 0).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.line_of(span.start));
        SyntaxError::new(line, error.message().to_owned())
    })?;
    Ok(Node { line: 1, content })
}

#[derive(Clone, Copy)]
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn line_of(self, offset: usize) -> usize {
        1 + self.0.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
    }
}

fn mapping(table: &DeTable<'_>, lines: Lines<'_>, depth: usize) -> Result<Content, toml::de::Error> {
    if depth > MAX_DEPTH {
        return Err(toml::de::Error::custom(format!("the file nests deeper than {MAX_DEPTH} levels")));
    }
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        entries.push(Entry {
            key: key.get_ref().clone().into_owned(),
            line: lines.line_of(key.span().start),
            value: node(value.get_ref(), lines.line_of(value.span().start), lines, depth + 1)?,
        });
    }
    Ok(Content::Mapping(entries))
}

fn node(value: &DeValue<'_>, line: usize, lines: Lines<'_>, depth: usize) -> Result<Node, toml::de::Error> {
    let content = match value {
        DeValue::String(text) => Content::Scalar(text.clone().into_owned()),
        DeValue::Integer(number) => Content::Scalar(number.to_string()),
        DeValue::Float(number) => Content::Scalar(number.to_string()),
        DeValue::Boolean(truth) => Content::Scalar(truth.to_string()),
        DeValue::Datetime(moment) => Content::Scalar(moment.to_string()),
        DeValue::Array(items) => {
            let mut nodes = Vec::with_capacity(items.len());
            for item in items {
                nodes.push(node(item.get_ref(), lines.line_of(item.span().start), lines, depth + 1)?);
            }
            Content::List(nodes)
        }
        DeValue::Table(table) => mapping(table, lines, depth)?,
    };
    Ok(Node { line, content })
}
