//! JSON values into Avro's binary encoding.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::schema::{AvroSchema, Field, Type};

/// Why a value does not fit its schema, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvroError {
    /// Names of the fields and indexes of the items from the outside to the place.
    path: Vec<String>,
    reason: String,
}

impl AvroError {
    fn new(reason: impl Into<String>) -> Self {
        AvroError { path: Vec::new(), reason: reason.into() }
    }

    fn within(mut self, step: &str) -> Self {
        self.path.insert(0, step.to_owned());
        self
    }
}

impl fmt::Display for AvroError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path.join("."))?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AvroError {}

impl AvroSchema {
    /// Appends the encoding of a value. A member that is missing takes the default of its field.
    ///
    /// # Errors
    /// The value does not fit; `out` then holds a part of it.
    pub fn encode(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), AvroError> {
        self.encode_as(&self.root, value, out)
    }

    pub(super) fn encode_as(&self, kind: &Type, value: &Value, out: &mut Vec<u8>) -> Result<(), AvroError> {
        match (self.resolve(kind), value) {
            (Type::Union(branches), value) => self.union(branches, value, out),
            (Type::Null, Value::Null) => Ok(()),
            (Type::Boolean, Value::Bool(truth)) => {
                out.push(u8::from(*truth));
                Ok(())
            }
            (kind, Value::Number(number)) => encode_number(kind, number, out),
            (kind, Value::String(text)) => encode_text(kind, text, out),
            (Type::Array(items), Value::Array(values)) => self.array(items, values, out),
            (Type::Map(values), Value::Object(members)) => self.map(values, members, out),
            (Type::Record { name, fields }, Value::Object(members)) => self.record(name, fields, members, out),
            (kind, value) => Err(mismatch(kind, shown(value))),
        }
    }

    fn array(&self, items: &Type, values: &[Value], out: &mut Vec<u8>) -> Result<(), AvroError> {
        if !values.is_empty() {
            write_count(values.len(), out);
        }
        for (index, value) in values.iter().enumerate() {
            self.encode_as(items, value, out).map_err(|error| error.within(&index.to_string()))?;
        }
        out.push(0);
        Ok(())
    }

    fn map(&self, values: &Type, members: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), AvroError> {
        if !members.is_empty() {
            write_count(members.len(), out);
        }
        for (name, value) in members {
            write_bytes(name.as_bytes(), out);
            self.encode_as(values, value, out).map_err(|error| error.within(name))?;
        }
        out.push(0);
        Ok(())
    }

    fn record(
        &self,
        name: &str,
        fields: &[Field],
        members: &Map<String, Value>,
        out: &mut Vec<u8>,
    ) -> Result<(), AvroError> {
        for field in fields {
            let Some(value) = members.get(&field.name).or(field.default.as_ref()) else {
                let error = AvroError::new(format!("the field is missing and {name} has no default for it"));
                return Err(error.within(&field.name));
            };
            self.encode_as(&field.kind, value, out).map_err(|error| error.within(&field.name))?;
        }
        match members.keys().find(|member| !fields.iter().any(|field| field.name == **member)) {
            Some(member) => Err(AvroError::new(format!("{name} has no such field")).within(member)),
            None => Ok(()),
        }
    }

    /// Appends the value as the first branch that it fits. If only one branch besides null comes into question, its
    /// error is returned.
    fn union(&self, branches: &[Type], value: &Value, out: &mut Vec<u8>) -> Result<(), AvroError> {
        let start = out.len();
        let mut failures = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if matches!(branch, Type::Null) != value.is_null() {
                continue;
            }
            out.truncate(start);
            write_count(index, out);
            match self.encode_as(branch, value, out) {
                Ok(()) => return Ok(()),
                Err(error) => failures.push(error),
            }
        }
        if failures.len() == 1
            && let Some(failure) = failures.pop()
        {
            return Err(failure);
        }
        let names: Vec<&str> = branches.iter().map(|branch| describe(self.resolve(branch))).collect();
        Err(AvroError::new(format!("{} fits none of: {}", shown(value), names.join(", "))))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float of Avro has the precision of 32 bits")]
fn encode_number(kind: &Type, number: &Number, out: &mut Vec<u8>) -> Result<(), AvroError> {
    match kind {
        Type::Int => match number.as_i64().and_then(|number| i32::try_from(number).ok()) {
            Some(number) => write_long(i64::from(number), out),
            None => return Err(AvroError::new("the number is no int of 32 bits")),
        },
        Type::Long => match number.as_i64() {
            Some(number) => write_long(number, out),
            None => return Err(AvroError::new("the number is no long of 64 bits")),
        },
        Type::Float => {
            let number = number.as_f64().unwrap_or_default() as f32;
            if number.is_infinite() {
                return Err(AvroError::new("the number is too large for a float"));
            }
            out.extend_from_slice(&number.to_le_bytes());
        }
        Type::Double => out.extend_from_slice(&number.as_f64().unwrap_or_default().to_le_bytes()),
        kind => return Err(mismatch(kind, "a number")),
    }
    Ok(())
}

fn encode_text(kind: &Type, text: &str, out: &mut Vec<u8>) -> Result<(), AvroError> {
    match kind {
        Type::String => write_bytes(text.as_bytes(), out),
        Type::Bytes => write_bytes(&from_base64(text)?, out),
        Type::Fixed { bytes } => {
            let decoded = from_base64(text)?;
            if decoded.len() != *bytes {
                return Err(AvroError::new(format!("{} bytes are given for a fixed of {bytes}", decoded.len())));
            }
            out.extend_from_slice(&decoded);
        }
        Type::Enum(symbols) => match symbols.iter().position(|symbol| symbol == text) {
            Some(index) => write_count(index, out),
            None => {
                return Err(AvroError::new(format!("the text is none of the symbols {}", symbols.join(", "))));
            }
        },
        kind => return Err(mismatch(kind, "a text")),
    }
    Ok(())
}

fn mismatch(kind: &Type, found: &str) -> AvroError {
    AvroError::new(format!("{} is expected, not {found}", describe(kind)))
}

/// Writes a number as zigzag, seven bits a byte, the lowest first.
#[expect(clippy::cast_possible_truncation, reason = "the low seven bits are meant")]
fn write_long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn write_count(count: usize, out: &mut Vec<u8>) {
    write_long(i64::try_from(count).unwrap_or(i64::MAX), out);
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn from_base64(text: &str) -> Result<Vec<u8>, AvroError> {
    STANDARD.decode(text).map_err(|_| AvroError::new("the text is no Base64, in which bytes are given"))
}

fn describe(kind: &Type) -> &'static str {
    match kind {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Int => "an int",
        Type::Long => "a long",
        Type::Float => "a float",
        Type::Double => "a double",
        Type::Bytes => "Base64 of bytes",
        Type::String => "a string",
        Type::Fixed { .. } => "Base64 of a fixed",
        Type::Enum(_) => "a symbol",
        Type::Array(_) => "an array",
        Type::Map(_) => "a map",
        Type::Union(_) => "a union",
        Type::Record { .. } | Type::Named(_) => "a record",
    }
}

/// Names the kind of a value. The value itself is not shown, because errors are logged and rows may hold secrets.
fn shown(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
