//! Avro schema resolution: can a reader's schema read data of a writer's schema?
//!
//! Source of the rules: "Schema Resolution" in the Apache Avro specification 1.11. Logical types and the names of
//! records are ignored: readers match records by structure, and so do brokers, because clients rename their classes.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// Deepest nesting that is accepted, so that a client's definition cannot exhaust the stack.
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 50_000;

/// Why a definition is not an Avro schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AvroError {
    /// The definition is not JSON.
    #[error("the schema definition is not JSON: {0}")]
    Json(String),
    /// The JSON does not describe an Avro type.
    #[error("the schema definition is not an Avro schema: {0}")]
    Shape(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Primitive {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
}

type NodeId = usize;

#[derive(Debug, Clone)]
enum Node {
    /// A named type whose definition has not ended yet, but is referred to already.
    Open,
    Primitive(Primitive),
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
    Record {
        fields: Vec<Field>,
    },
    Enum {
        name: String,
        aliases: Vec<String>,
        symbols: Vec<String>,
        has_default: bool,
    },
    Fixed {
        name: String,
        aliases: Vec<String>,
        bytes: u64,
    },
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    aliases: Vec<String>,
    node: NodeId,
    has_default: bool,
}

/// A parsed Avro schema.
#[derive(Debug, Clone)]
pub(crate) struct AvroSchema {
    nodes: Vec<Node>,
    root: NodeId,
}

impl AvroSchema {
    /// Parses a definition.
    ///
    /// # Errors
    /// The text is not JSON or does not describe an Avro type.
    pub(crate) fn parse(definition: &[u8]) -> Result<Self, AvroError> {
        let value: Value = serde_json::from_slice(definition).map_err(|e| AvroError::Json(e.to_string()))?;
        let mut parser = Parser { nodes: Vec::new(), names: HashMap::new() };
        let root = parser.node(&value, "", 0)?;
        Ok(Self { nodes: parser.nodes, root })
    }

    /// Checks that this schema can read data of the schema `writer`.
    ///
    /// # Errors
    /// A sentence that names the place in this schema that cannot, and the reason.
    pub(crate) fn can_read(&self, writer: &AvroSchema) -> Result<(), String> {
        let mut seen = HashSet::new();
        Resolver { reader: self, writer }.resolve(self.root, writer.root, &mut seen, "")
    }
}

struct Parser {
    nodes: Vec<Node>,
    names: HashMap<String, NodeId>,
}

impl Parser {
    fn push(&mut self, node: Node) -> Result<NodeId, AvroError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(AvroError::Shape("it has too many types".to_owned()));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn node(&mut self, value: &Value, namespace: &str, depth: usize) -> Result<NodeId, AvroError> {
        if depth > MAX_DEPTH {
            return Err(AvroError::Shape("it is nested too deeply".to_owned()));
        }
        match value {
            Value::String(name) => self.reference(name, namespace),
            Value::Array(branches) => {
                let branches =
                    branches.iter().map(|b| self.node(b, namespace, depth + 1)).collect::<Result<Vec<_>, _>>()?;
                self.push(Node::Union(branches))
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => self.complex(kind, value, namespace, depth),
                Some(inner) => self.node(inner, namespace, depth + 1),
                None => Err(AvroError::Shape("an object has no \"type\"".to_owned())),
            },
            _ => Err(AvroError::Shape(format!("{value} is no type"))),
        }
    }

    fn reference(&mut self, name: &str, namespace: &str) -> Result<NodeId, AvroError> {
        if let Some(primitive) = primitive(name) {
            return self.push(Node::Primitive(primitive));
        }
        let full = full_name(name, namespace);
        let known = self.names.get(&full).or_else(|| self.names.get(name)).copied();
        known.ok_or_else(|| AvroError::Shape(format!("type \"{name}\" is not defined")))
    }

    fn complex(&mut self, kind: &str, value: &Value, namespace: &str, depth: usize) -> Result<NodeId, AvroError> {
        let part = |key: &str| {
            value.get(key).ok_or_else(|| AvroError::Shape(format!("type \"{kind}\" lacks the member \"{key}\"")))
        };
        match kind {
            "array" => {
                let items = self.node(part("items")?, namespace, depth + 1)?;
                self.push(Node::Array(items))
            }
            "map" => {
                let values = self.node(part("values")?, namespace, depth + 1)?;
                self.push(Node::Map(values))
            }
            "record" | "error" | "enum" | "fixed" => {
                let name = part("name")?.as_str().unwrap_or_default();
                let own = value.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
                let full = full_name(name, own);
                let inner = full.rsplit_once('.').map_or("", |(ns, _)| ns).to_owned();
                let id = self.push(Node::Open)?;
                self.names.insert(full, id);
                let node = self.named(kind, value, short_name(name), &inner, depth)?;
                if let Some(slot) = self.nodes.get_mut(id) {
                    *slot = node;
                }
                Ok(id)
            }
            _ => self.reference(kind, namespace),
        }
    }

    fn named(&mut self, kind: &str, value: &Value, name: &str, ns: &str, depth: usize) -> Result<Node, AvroError> {
        let (name, aliases) = (name.to_owned(), strings(value.get("aliases")));
        match kind {
            "enum" => Ok(Node::Enum {
                name,
                aliases,
                symbols: strings(value.get("symbols")),
                has_default: value.get("default").is_some(),
            }),
            "fixed" => {
                Ok(Node::Fixed { name, aliases, bytes: value.get("size").and_then(Value::as_u64).unwrap_or_default() })
            }
            _ => {
                let empty = Vec::new();
                let list = value.get("fields").and_then(Value::as_array).unwrap_or(&empty);
                let mut fields = Vec::with_capacity(list.len());
                for field in list {
                    let field_name = field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                    let kind = field
                        .get("type")
                        .ok_or_else(|| AvroError::Shape(format!("field \"{field_name}\" has no type")))?;
                    fields.push(Field {
                        node: self.node(kind, ns, depth + 1)?,
                        aliases: strings(field.get("aliases")),
                        has_default: field.get("default").is_some(),
                        name: field_name,
                    });
                }
                Ok(Node::Record { fields })
            }
        }
    }
}

struct Resolver<'a> {
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
}

impl Resolver<'_> {
    fn resolve(
        &self,
        reader: NodeId,
        writer: NodeId,
        seen: &mut HashSet<(NodeId, NodeId)>,
        place: &str,
    ) -> Result<(), String> {
        if !seen.insert((reader, writer)) {
            return Ok(());
        }
        let (Some(r), Some(w)) = (self.reader.nodes.get(reader), self.writer.nodes.get(writer)) else {
            return Err(format!("{} refers to nothing", at(place)));
        };
        match (r, w) {
            (_, Node::Union(branches)) => branches.iter().try_for_each(|b| self.resolve(reader, *b, seen, place)),
            (Node::Union(branches), _) => {
                let taken = branches.iter().any(|b| self.resolve(*b, writer, &mut seen.clone(), place).is_ok());
                if taken {
                    Ok(())
                } else {
                    Err(format!("{}: no branch of the union reads what was written", at(place)))
                }
            }
            (Node::Primitive(r), Node::Primitive(w)) if promotes(*w, *r) => Ok(()),
            (Node::Array(r), Node::Array(w)) | (Node::Map(r), Node::Map(w)) => self.resolve(*r, *w, seen, place),
            (Node::Fixed { name, aliases, bytes }, Node::Fixed { name: written, bytes: w, .. })
                if bytes == w && named(name, aliases, written) =>
            {
                Ok(())
            }
            (Node::Enum { name, aliases, symbols, has_default }, Node::Enum { name: written, symbols: from, .. })
                if named(name, aliases, written) =>
            {
                match from.iter().find(|s| !symbols.contains(s)) {
                    Some(missing) if !has_default => {
                        Err(format!("{}: enum symbol \"{missing}\" is missing", at(place)))
                    }
                    _ => Ok(()),
                }
            }
            (Node::Record { fields }, Node::Record { fields: from }) => {
                for field in fields {
                    let inner = if place.is_empty() { field.name.clone() } else { format!("{place}.{}", field.name) };
                    match from.iter().find(|f| f.name == field.name || field.aliases.contains(&f.name)) {
                        Some(source) => self.resolve(field.node, source.node, seen, &inner)?,
                        None if field.has_default => {}
                        None => return Err(format!("{} is missing on the other side and has no default", at(&inner))),
                    }
                }
                Ok(())
            }
            _ => Err(format!("{} has another type", at(place))),
        }
    }
}

fn at(place: &str) -> String {
    if place.is_empty() { "the schema".to_owned() } else { format!("field \"{place}\"") }
}

fn named(reader: &str, aliases: &[String], writer: &str) -> bool {
    reader == writer || aliases.iter().any(|a| short_name(a) == writer)
}

fn promotes(from: Primitive, to: Primitive) -> bool {
    use Primitive::{Bytes, Double, Float, Int, Long, String};
    from == to
        || matches!(
            (from, to),
            (Int, Long | Float | Double) | (Long, Float | Double) | (Float, Double) | (Bytes, String) | (String, Bytes)
        )
}

fn primitive(name: &str) -> Option<Primitive> {
    Some(match name {
        "null" => Primitive::Null,
        "boolean" => Primitive::Boolean,
        "int" => Primitive::Int,
        "long" => Primitive::Long,
        "float" => Primitive::Float,
        "double" => Primitive::Double,
        "bytes" => Primitive::Bytes,
        "string" => Primitive::String,
        _ => return None,
    })
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn short_name(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, short)| short)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    fn check(reader: &str, writer: &str, expected: Result<(), &str>) {
        let (r, w) = (AvroSchema::parse(reader.as_bytes()).unwrap(), AvroSchema::parse(writer.as_bytes()).unwrap());
        assert_eq!(r.can_read(&w), expected.map_err(str::to_owned), "reader {reader}, writer {writer}");
    }

    fn record(fields: &str) -> String {
        format!(r#"{{"type":"record","name":"Value","namespace":"a.b","fields":[{fields}]}}"#)
    }

    const ID: &str = r#"{"name":"id","type":"int"}"#;

    #[test]
    fn a_new_field_needs_a_default() {
        let nullable = record(&format!(r#"{ID},{{"name":"x","type":["null","string"],"default":null}}"#));
        let required = record(&format!(r#"{ID},{{"name":"x","type":"string"}}"#));
        check(&nullable, &record(ID), Ok(()));
        check(&record(ID), &nullable, Ok(()));
        let reason = "field \"x\" is missing on the other side and has no default";
        check(&required, &record(ID), Err(reason));
        check(&required, &nullable, Err("field \"x\" has another type"));
    }

    #[test]
    fn numbers_widen_and_never_narrow() {
        check(r#""long""#, r#""int""#, Ok(()));
        check(r#""int""#, r#""long""#, Err("the schema has another type"));
        check(r#"["null","double"]"#, r#""float""#, Ok(()));
    }

    #[test]
    fn a_type_may_refer_to_itself_and_to_its_namespace() {
        let list = r#"{"type":"record","name":"Node","namespace":"x","fields":[
            {"name":"value","type":{"type":"record","name":"Inner","fields":[{"name":"n","type":"int"}]}},
            {"name":"again","type":["null","Inner"]},
            {"name":"next","type":["null","x.Node"]}]}"#;
        check(list, list, Ok(()));
    }

    #[test]
    fn enums_and_fixed_compare_by_content() {
        let full = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
        let part = r#"{"type":"enum","name":"E","symbols":["A"]}"#;
        check(full, part, Ok(()));
        check(part, full, Err("the schema: enum symbol \"B\" is missing"));
        check(r#"{"type":"fixed","name":"F","size":4}"#, r#"{"type":"fixed","name":"F","size":4}"#, Ok(()));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "{", "7", r#"{"type":"record"}"#, r#""unknown""#, &"[".repeat(500)] {
            assert!(AvroSchema::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
