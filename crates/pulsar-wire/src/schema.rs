//! Schemas: versions and the KeyValue form.
//!
//! A KeyValue schema's data is `i32` size · key schema data · `i32` size · value schema data, big-endian; its
//! properties name the encoding and describe the halves (source: Pulsar's "Understand schema", KeyValue schema).

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::Error;
use crate::proto::{KeyValue, Schema, SchemaType};

/// Where the key of a KeyValue message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyValueEncoding {
    /// Key and value both in the payload, each behind an `i32` size.
    Inline,
    /// Key in the message's key, payload the value.
    Separated,
}

impl KeyValueEncoding {
    /// Returns the value of the property `kv.encoding.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "INLINE",
            Self::Separated => "SEPARATED",
        }
    }
}

/// One half of a KeyValue schema.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SchemaHalf {
    /// Name.
    pub name: String,
    /// Type.
    pub schema_type: i32,
    /// Definition, such as Avro schema text.
    pub data: Bytes,
    /// Properties as JSON text, `{}` when there are none.
    pub properties: String,
}

/// Builds a KeyValue schema.
pub fn key_value(name: &str, key: &SchemaHalf, value: &SchemaHalf, encoding: KeyValueEncoding) -> Schema {
    let mut properties = Vec::with_capacity(7);
    for (prefix, half) in [("key", key), ("value", value)] {
        for (suffix, text) in [
            ("name", half.name.clone()),
            ("properties", half.properties.clone()),
            ("type", type_name(half.schema_type).to_owned()),
        ] {
            properties.push(KeyValue { key: format!("{prefix}.schema.{suffix}"), value: text });
        }
    }
    properties.push(KeyValue { key: "kv.encoding.type".to_owned(), value: encoding.as_str().to_owned() });
    Schema {
        name: name.to_owned(),
        schema_data: join_key_value(&key.data, &value.data),
        schema_type: SchemaType::KeyValue as i32,
        properties,
    }
}

/// Joins two halves, each behind its size: the data of a KeyValue schema, and the payload of an INLINE message.
pub fn join_key_value(key: &[u8], value: &[u8]) -> Bytes {
    let mut data = BytesMut::with_capacity(8 + key.len() + value.len());
    data.put_i32(i32::try_from(key.len()).unwrap_or(i32::MAX));
    data.put_slice(key);
    data.put_i32(i32::try_from(value.len()).unwrap_or(i32::MAX));
    data.put_slice(value);
    data.freeze()
}

/// Key and value of split KeyValue data; `None` is a null half.
pub type Halves<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Splits what [`join_key_value`] joins. A size of −1 is a null half.
///
/// # Errors
/// [`Error::KeyValueSchema`] when the sizes do not fit the data.
pub fn split_key_value(data: &[u8]) -> Result<Halves<'_>, Error> {
    let (key, rest) = take_half(data)?;
    let (value, rest) = take_half(rest)?;
    if rest.is_empty() { Ok((key, value)) } else { Err(Error::KeyValueSchema { reason: "bytes follow the value" }) }
}

fn take_half(data: &[u8]) -> Result<(Option<&[u8]>, &[u8]), Error> {
    let (size, rest) =
        data.split_first_chunk::<4>().ok_or(Error::KeyValueSchema { reason: "it ends inside a size" })?;
    let size = i32::from_be_bytes(*size);
    if size == -1 {
        return Ok((None, rest));
    }
    usize::try_from(size)
        .ok()
        .and_then(|size| rest.split_at_checked(size))
        .map(|(half, rest)| (Some(half), rest))
        .ok_or(Error::KeyValueSchema { reason: "a size does not fit the data" })
}

/// Returns Pulsar's REST name of a schema type, such as `KEY_VALUE`; `NONE` for a number that is not known.
pub fn type_name(schema_type: i32) -> &'static str {
    match SchemaType::try_from(schema_type) {
        Ok(SchemaType::None) | Err(_) => "NONE",
        Ok(SchemaType::String) => "STRING",
        Ok(SchemaType::Json) => "JSON",
        Ok(SchemaType::Protobuf) => "PROTOBUF",
        Ok(SchemaType::Avro) => "AVRO",
        Ok(SchemaType::Bool) => "BOOLEAN",
        Ok(SchemaType::Int8) => "INT8",
        Ok(SchemaType::Int16) => "INT16",
        Ok(SchemaType::Int32) => "INT32",
        Ok(SchemaType::Int64) => "INT64",
        Ok(SchemaType::Float) => "FLOAT",
        Ok(SchemaType::Double) => "DOUBLE",
        Ok(SchemaType::Date) => "DATE",
        Ok(SchemaType::Time) => "TIME",
        Ok(SchemaType::Timestamp) => "TIMESTAMP",
        Ok(SchemaType::KeyValue) => "KEY_VALUE",
        Ok(SchemaType::Instant) => "INSTANT",
        Ok(SchemaType::LocalDate) => "LOCAL_DATE",
        Ok(SchemaType::LocalTime) => "LOCAL_TIME",
        Ok(SchemaType::LocalDateTime) => "LOCAL_DATE_TIME",
        Ok(SchemaType::ProtobufNative) => "PROTOBUF_NATIVE",
        Ok(SchemaType::AutoConsume) => "AUTO_CONSUME",
    }
}

/// Returns the type of a REST name, or `None`; `BYTES` is type 0, as the wire has no other.
pub fn type_of_name(name: &str) -> Option<SchemaType> {
    if name == "BYTES" {
        return Some(SchemaType::None);
    }
    (0..=21).filter_map(|number| SchemaType::try_from(number).ok()).find(|known| type_name(*known as i32) == name)
}

/// Returns the wire form of a version: eight bytes, big-endian.
pub fn version_bytes(version: u64) -> Bytes {
    Bytes::copy_from_slice(&version.to_be_bytes())
}

/// Returns the version of eight big-endian bytes, or `None` for any other length.
pub fn version_number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
