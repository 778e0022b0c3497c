//! The Avro form: records, unions for optional values, and Connect's own facts under `connect.*`.
//!
//! A record is defined where it occurs first and only named afterwards; its namespace is omitted where it is the
//! enclosing one. Names that Avro does not allow (a table `a-b`) have their odd characters replaced by `_`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Field, Kind, Schema};

/// Namespace and name of a struct without a name.
const ANONYMOUS: (&str, &str) = ("io.confluent.connect.avro", "ConnectDefault");

/// Writes the Avro definition of a schema, compact.
pub fn avro_definition(schema: &Schema) -> String {
    Writer::default().schema(schema, "").to_string()
}

#[derive(Default)]
struct Writer {
    defined: HashSet<String>,
}

impl Writer {
    fn schema(&mut self, schema: &Schema, namespace: &str) -> Value {
        let written = self.required(schema, namespace);
        match (schema.is_optional, &schema.default) {
            (false, _) => written,
            (true, None) => json!(["null", written]),
            (true, Some(_)) => json!([written, "null"]),
        }
    }

    fn required(&mut self, schema: &Schema, namespace: &str) -> Value {
        let mut object = Map::new();
        match &schema.kind {
            Kind::Struct(fields) => {
                let (space, name) = match schema.name.as_deref() {
                    Some(full) => {
                        let (space, name) = full.rsplit_once('.').unwrap_or(("", full));
                        (avro_name(space, '.'), avro_name(name, '_'))
                    }
                    None => (ANONYMOUS.0.to_owned(), ANONYMOUS.1.to_owned()),
                };
                let full = format!("{space}.{name}");
                if !self.defined.insert(full.clone()) {
                    return if space == namespace { name.into() } else { full.into() };
                }
                object.insert("type".into(), "record".into());
                object.insert("name".into(), name.into());
                if space != namespace {
                    object.insert("namespace".into(), space.as_str().into());
                }
                let fields = fields.iter().map(|field| self.field(field, &space)).collect();
                object.insert("fields".into(), fields);
            }
            Kind::Array(items) => {
                object.insert("type".into(), "array".into());
                let items = self.schema(items, namespace);
                object.insert("items".into(), items);
            }
            kind => {
                object.insert("type".into(), primitive(kind).into());
            }
        }
        let decimal = schema.name.as_deref() == Some("org.apache.kafka.connect.data.Decimal");
        if decimal {
            for (property, parameter) in [("scale", "scale"), ("precision", "connect.decimal.precision")] {
                let value = schema.parameters.iter().find(|(name, _)| name == parameter);
                if let Some(value) = value.and_then(|(_, value)| value.parse::<i64>().ok()) {
                    object.insert(property.into(), value.into());
                }
            }
        }
        match schema.kind {
            Kind::Int8 => object.insert("connect.type".into(), "int8".into()),
            Kind::Int16 => object.insert("connect.type".into(), "int16".into()),
            _ => None,
        };
        if let Some(doc) = &schema.doc {
            object.insert("connect.doc".into(), doc.as_str().into());
        }
        if let Some(version) = schema.version {
            object.insert("connect.version".into(), version.into());
        }
        if !schema.parameters.is_empty() {
            let parameters = schema.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            object.insert("connect.parameters".into(), Value::Object(parameters.collect()));
        }
        if let Some(default) = &schema.default {
            object.insert("connect.default".into(), default.avro.clone());
        }
        if let Some(name) = &schema.name {
            object.insert("connect.name".into(), name.as_str().into());
        }
        if decimal {
            object.insert("logicalType".into(), "decimal".into());
        }
        if object.len() == 1 && !matches!(schema.kind, Kind::Struct(_) | Kind::Array(_)) {
            return object.remove("type").unwrap_or_default();
        }
        Value::Object(object)
    }

    fn field(&mut self, field: &Field, namespace: &str) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), avro_name(&field.name, '_').into());
        let schema = self.schema(&field.schema, namespace);
        object.insert("type".into(), schema);
        match &field.schema.default {
            Some(default) => {
                object.insert("default".into(), default.avro.clone());
            }
            None if field.schema.is_optional => {
                object.insert("default".into(), Value::Null);
            }
            None => {}
        }
        Value::Object(object)
    }
}

fn primitive(kind: &Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Int8 | Kind::Int16 | Kind::Int32 => "int",
        Kind::Int64 => "long",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::String => "string",
        _ => "bytes",
    }
}

/// Replaces what Avro does not allow in a name; `keep` is allowed besides letters, digits and `_`.
fn avro_name(name: &str, keep: char) -> String {
    let mut is_start = true;
    let mut clean = String::with_capacity(name.len());
    for character in name.chars() {
        let is_allowed = character == keep || character == '_' || character.is_ascii_alphanumeric();
        if is_start && character.is_ascii_digit() {
            clean.push('_');
        }
        clean.push(if is_allowed { character } else { '_' });
        is_start = character == '.';
    }
    clean
}
