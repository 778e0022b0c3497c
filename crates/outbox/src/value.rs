//! What is bound to a placeholder.

/// A value for one column, in a form that every driver can bind.
///
/// Text is sent with the connection's character set and bytes as binary data; MySQL refuses binary data for a JSON
/// column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// Text; also dates, which both servers read as text.
    Text(String),
    /// Bytes without a character set.
    Bytes(Vec<u8>),
    /// A signed number.
    Integer(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Value::Integer(number.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Bytes(bytes)
    }
}
