//! Texts with `${column}` in them, from which topics and fields of records are made.
//!
//! `${name}` is a column; `${payload}` is the payload as JSON and `${payload.a.b}` a member of it; `${event.time_ms}`,
//! `${event.commit_ms}` and `${event.now_ms}` are the event's time, the commit's and the clock's, in milliseconds since
//! 1970. A template of one such part alone has that part's type; anything else is text.

use serde_json::Value;

/// A text with parts that come from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Source(Source),
}

/// Where a part comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A column of the row.
    Column(String),
    /// The payload, or a member of it by its path.
    Payload(Vec<String>),
    /// The event's time.
    Time,
    /// When the transaction was committed.
    Commit,
    /// When the row is read.
    Now,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A `${` without `}`, or with nothing or an unknown `event.` name in it; the error is the reason.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once("${") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((name, after)) = inside.split_once('}') else {
                return Err(format!("{text:?} has a ${{ without its }}; close it"));
            };
            parts.push(Part::Source(Source::parse(name)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Template { parts })
    }

    /// Returns the columns that the template names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Source(Source::Column(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the value, with its type if the template is one part alone.
    ///
    /// # Errors
    /// `look_up` fails, or a part of a text is NULL, an object or an array; the error is the reason.
    pub(super) fn value(&self, mut look_up: impl FnMut(&Source) -> Result<Value, String>) -> Result<Value, String> {
        match self.parts.as_slice() {
            [Part::Source(source)] => look_up(source),
            parts => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(piece) => text.push_str(piece),
                        Part::Source(source) => match look_up(source)? {
                            Value::String(piece) => text.push_str(&piece),
                            plain @ (Value::Number(_) | Value::Bool(_)) => text.push_str(&plain.to_string()),
                            Value::Null => return Err(format!("{source} is NULL")),
                            _ => return Err(format!("{source} is no text")),
                        },
                    }
                }
                Ok(Value::String(text))
            }
        }
    }
}

impl Source {
    fn parse(name: &str) -> Result<Source, String> {
        match name.split_once('.') {
            None if name.is_empty() => Err("${} names nothing; write the name of a column into it".to_owned()),
            None if name == "payload" => Ok(Source::Payload(Vec::new())),
            Some(("payload", path)) => Ok(Source::Payload(path.split('.').map(str::to_owned).collect())),
            Some(("event", "time_ms")) => Ok(Source::Time),
            Some(("event", "commit_ms")) => Ok(Source::Commit),
            Some(("event", "now_ms")) => Ok(Source::Now),
            Some(("event", other)) => Err(format!(
                "${{event.{other}}} is not known; there are event.time_ms, event.commit_ms and event.now_ms"
            )),
            _ => Ok(Source::Column(name.to_owned())),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Column(name) => write!(f, "column {name}"),
            Source::Payload(path) if path.is_empty() => f.write_str("the payload"),
            Source::Payload(path) => write!(f, "the payload's {}", path.join(".")),
            Source::Time => f.write_str("the event's time"),
            Source::Commit => f.write_str("the commit's time"),
            Source::Now => f.write_str("the clock"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use serde_json::json;

    use super::*;

    fn check(template: &str, expected: Result<Value, &str>) {
        let row = |source: &Source| match source {
            Source::Column(name) if name == "n" => Ok(json!(7)),
            Source::Column(name) if name == "null" => Ok(Value::Null),
            Source::Column(name) => Ok(json!(format!("<{name}>"))),
            Source::Payload(path) if path.is_empty() => Ok(json!({"a": {"b": true}})),
            Source::Payload(path) => Ok(json!(path.join("/"))),
            Source::Time => Ok(json!(1)),
            Source::Commit => Ok(json!(2)),
            Source::Now => Ok(json!(3)),
        };
        let found = Template::parse(template).and_then(|template| template.value(row));
        assert_eq!(found, expected.map_err(str::to_owned), "{template}");
    }

    #[test]
    fn one_part_alone_keeps_its_type() {
        check("${n}", Ok(json!(7)));
        check("${payload}", Ok(json!({"a": {"b": true}})));
        check("${null}", Ok(Value::Null));
        check("${event.time_ms}", Ok(json!(1)));
        check("${event.commit_ms}", Ok(json!(2)));
        check("${event.now_ms}", Ok(json!(3)));
    }

    #[test]
    fn anything_else_is_text() {
        check("", Ok(json!("")));
        check("v$1", Ok(json!("v$1")));
        check("a-${n}-${x}.${payload.c.d}", Ok(json!("a-7-<x>.c/d")));
        check("a${null}", Err("column null is NULL"));
        check("a${payload}", Err("the payload is no text"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        check("a${b", Err("\"a${b\" has a ${ without its }; close it"));
        check("${}", Err("${} names nothing; write the name of a column into it"));
        check("${event.x}", Err("${event.x} is not known; there are event.time_ms, event.commit_ms and event.now_ms"));
    }
}
