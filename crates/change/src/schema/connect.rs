//! The form that JSON messages carry: `{"type":…,"optional":…,"name":…,"version":…,"field":…}`.

use serde_json::{Map, Value};

use super::{Field, Kind, Schema};

/// Writes a schema as Kafka Connect's `JsonConverter` does.
pub fn connect_json(schema: &Schema) -> Value {
    Value::Object(object(schema))
}

fn object(schema: &Schema) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("type".into(), type_name(&schema.kind).into());
    match &schema.kind {
        Kind::Array(items) => {
            object.insert("items".into(), connect_json(items));
        }
        Kind::Struct(fields) => {
            object.insert("fields".into(), fields.iter().map(field).collect());
        }
        _ => {}
    }
    object.insert("optional".into(), schema.is_optional.into());
    if let Some(name) = &schema.name {
        object.insert("name".into(), name.as_str().into());
    }
    if let Some(version) = schema.version {
        object.insert("version".into(), version.into());
    }
    if let Some(doc) = &schema.doc {
        object.insert("doc".into(), doc.as_str().into());
    }
    if !schema.parameters.is_empty() {
        let parameters = schema.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        object.insert("parameters".into(), Value::Object(parameters.collect()));
    }
    if let Some(default) = &schema.default {
        object.insert("default".into(), default.json.clone());
    }
    object
}

fn field(field: &Field) -> Value {
    let mut object = object(&field.schema);
    object.insert("field".into(), field.name.as_str().into());
    Value::Object(object)
}

fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Int8 => "int8",
        Kind::Int16 => "int16",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Array(_) => "array",
        Kind::Struct(_) => "struct",
    }
}
