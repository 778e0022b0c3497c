//! Avro schemas, from their JSON definition.

use std::collections::HashMap;

use serde_json::{Map, Value};
use thiserror::Error;

/// Why a text cannot be used as an Avro schema.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the Avro schema cannot be used: {reason}")]
pub struct AvroSchemaError {
    reason: String,
}

/// A parsed schema and the text that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct AvroSchema {
    definition: String,
    pub(super) root: Type,
    /// Types with a name; [`Type::Named`] is an index here.
    pub(super) named: Vec<Type>,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed { bytes: usize },
    Enum(Vec<String>),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Record { name: String, fields: Vec<Field> },
    Named(usize),
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub name: String,
    pub kind: Type,
    pub default: Option<Value>,
}

impl AvroSchema {
    /// Parses a definition.
    ///
    /// # Errors
    /// The text is not JSON, does not describe a type, names a type that it does not define, or has a default that its
    /// field cannot hold.
    pub fn parse(definition: &str) -> Result<AvroSchema, AvroSchemaError> {
        let value: Value =
            serde_json::from_str(definition).map_err(|error| wrong(format!("it is no JSON ({error})")))?;
        let mut parser = Parser { named: Vec::new(), indexes: HashMap::new() };
        let root = parser.kind(&value, "")?;
        let schema = AvroSchema { definition: value.to_string(), root, named: parser.named };
        schema.check_defaults()?;
        Ok(schema)
    }

    /// Returns the definition, as compact JSON.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// Returns the name of the outermost record, without its namespace; empty if the schema is none.
    pub fn name(&self) -> &str {
        match self.resolve(&self.root) {
            Type::Record { name, .. } => name,
            _ => "",
        }
    }

    /// Returns the type, or the one that it names.
    pub(super) fn resolve<'a>(&'a self, kind: &'a Type) -> &'a Type {
        match kind {
            Type::Named(index) => self.named.get(*index).unwrap_or(&Type::Null),
            kind => kind,
        }
    }

    fn check_defaults(&self) -> Result<(), AvroSchemaError> {
        for kind in &self.named {
            let Type::Record { name, fields } = kind else { continue };
            for field in fields {
                if let Some(default) = &field.default {
                    self.encode_as(&field.kind, default, &mut Vec::new()).map_err(|error| {
                        wrong(format!("the default of {name}.{} does not fit: {error}", field.name))
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn wrong(reason: impl Into<String>) -> AvroSchemaError {
    AvroSchemaError { reason: reason.into() }
}

struct Parser {
    named: Vec<Type>,
    /// By full name.
    indexes: HashMap<String, usize>,
}

impl Parser {
    fn kind(&mut self, value: &Value, namespace: &str) -> Result<Type, AvroSchemaError> {
        match value {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => {
                let branches: Result<Vec<Type>, _> =
                    branches.iter().map(|branch| self.kind(branch, namespace)).collect();
                let branches = branches?;
                if branches.iter().any(|branch| matches!(branch, Type::Union(_))) {
                    return Err(wrong("a union stands directly in a union"));
                }
                Ok(Type::Union(branches))
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(name)) => self.complex(name, object, namespace),
                Some(inner) => self.kind(inner, namespace),
                None => Err(wrong("a type lacks its \"type\"")),
            },
            other => Err(wrong(format!("{other} is no type"))),
        }
    }

    fn by_name(&self, name: &str, namespace: &str) -> Result<Type, AvroSchemaError> {
        if let Some(kind) = primitive(name) {
            return Ok(kind);
        }
        match self.indexes.get(&full_name(name, namespace)).or_else(|| self.indexes.get(name)) {
            Some(index) => Ok(Type::Named(*index)),
            None => Err(wrong(format!("the type {name} is not defined"))),
        }
    }

    fn complex(&mut self, kind: &str, object: &Map<String, Value>, namespace: &str) -> Result<Type, AvroSchemaError> {
        let inner = |key: &str| object.get(key).ok_or_else(|| wrong(format!("a type {kind} lacks its {key:?}")));
        match kind {
            "array" => Ok(Type::Array(Box::new(self.kind(inner("items")?, namespace)?))),
            "map" => Ok(Type::Map(Box::new(self.kind(inner("values")?, namespace)?))),
            "record" | "error" => {
                let (index, full, namespace) = self.define(object, namespace)?;
                let list =
                    inner("fields")?.as_array().ok_or_else(|| wrong(format!("the fields of {full} are no list")))?;
                let mut fields = Vec::with_capacity(list.len());
                for field in list {
                    let Some(name) = field.get("name").and_then(Value::as_str) else {
                        return Err(wrong(format!("a field of {full} has no name")));
                    };
                    let Some(kind) = field.get("type") else {
                        return Err(wrong(format!("the field {full}.{name} has no type")));
                    };
                    if fields.iter().any(|known: &Field| known.name == name) {
                        return Err(wrong(format!("the field {full}.{name} is there twice")));
                    }
                    let kind = self.kind(kind, &namespace)?;
                    fields.push(Field { name: name.to_owned(), kind, default: field.get("default").cloned() });
                }
                let name = full.rsplit('.').next().unwrap_or_default().to_owned();
                Ok(self.complete(index, Type::Record { name, fields }))
            }
            "enum" => {
                let (index, full, _) = self.define(object, namespace)?;
                let symbols = inner("symbols")?.as_array().and_then(|symbols| {
                    symbols.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
                });
                let symbols = symbols.ok_or_else(|| wrong(format!("the symbols of {full} are no list of texts")))?;
                Ok(self.complete(index, Type::Enum(symbols)))
            }
            "fixed" => {
                let (index, full, _) = self.define(object, namespace)?;
                let bytes = inner("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                let bytes = bytes.ok_or_else(|| wrong(format!("the size of {full} is no number")))?;
                Ok(self.complete(index, Type::Fixed { bytes }))
            }
            name => self.by_name(name, namespace),
        }
    }

    /// Registers a named type before its fields are read, which may name it. Returns its index, full name and
    /// namespace.
    fn define(&mut self, object: &Map<String, Value>, outer: &str) -> Result<(usize, String, String), AvroSchemaError> {
        let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("name").ok_or_else(|| wrong("a record, enum or fixed has no name"))?;
        let full = full_name(name, text("namespace").unwrap_or(outer));
        let namespace = full.rsplit_once('.').map_or(String::new(), |(namespace, _)| namespace.to_owned());
        let index = self.named.len();
        if self.indexes.insert(full.clone(), index).is_some() {
            return Err(wrong(format!("the type {full} is defined twice")));
        }
        self.named.push(Type::Null);
        Ok((index, full, namespace))
    }

    fn complete(&mut self, index: usize, kind: Type) -> Type {
        if let Some(slot) = self.named.get_mut(index) {
            *slot = kind;
        }
        Type::Named(index)
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(definition: &str, expected: &str) {
        assert_eq!(
            AvroSchema::parse(definition).map_err(|error| error.reason),
            Err(expected.to_owned()),
            "{definition}"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("7", "7 is no type");
        check("\"text\"", "the type text is not defined");
        check(r#"{"type":"array"}"#, r#"a type array lacks its "items""#);
        check(r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#, "the field R.a has no type");
        check(
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
            "the field R.a is there twice",
        );
        check(
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#,
            "the default of R.a does not fit: an int is expected, not a text",
        );
        check(r#"["null",["int"]]"#, "a union stands directly in a union");
    }

    #[test]
    fn a_type_may_name_itself_and_types_of_its_namespace() {
        let definition = r#"{"type":"record","name":"a.b.R","fields":[
            {"name":"next","type":["null","R"],"default":null},
            {"name":"kind","type":{"type":"enum","name":"K","symbols":["X"]}},
            {"name":"again","type":"a.b.K"}]}"#;
        let schema = AvroSchema::parse(definition).map(|schema| (schema.name().to_owned(), schema.named.len()));
        assert_eq!(schema, Ok(("R".to_owned(), 2)));
    }
}
