//! JSON payloads that become a part of the value instead of a string in it, as `table.expand.json.payload` does.
//!
//! Debezium infers a schema from each document and prints the document through it. What that changes is done here on the
//! document itself: null members and empty arrays are left out unless told otherwise, and numbers beyond 64 bits or with a
//! point are doubles. Where the inference fails, with arrays of several types, a top-level array or an integer beyond 64
//! bits, the document is printed as it is.

use serde_json::Value;

use crate::json::{write_double, write_integer, write_string};

/// How documents are expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expansion {
    /// `table.json.payload.null.behavior`.
    pub null_members: NullMembers,
    /// `table.json.payload.empty.array.behavior`.
    pub empty_arrays: EmptyArrays,
}

/// What a member without value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NullMembers {
    /// It is left out (`ignore`).
    #[default]
    Ignore,
    /// It is null (`optional_bytes`).
    Keep,
}

/// What a member becomes that is an empty array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyArrays {
    /// It is left out (`ignore`).
    #[default]
    Ignore,
    /// It stays (`optional_string`).
    Keep,
}

impl Expansion {
    /// Appends the value of a text payload.
    ///
    /// # Errors
    /// The text begins as an object or array and is no JSON.
    pub(super) fn write(self, text: &str, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        if !text.starts_with(['{', '[']) {
            write_string(text, out);
            return Ok(());
        }
        self.value(&serde_json::from_str(text)?, out);
        Ok(())
    }

    fn value(self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => write_integer(integer, out),
                None => write_double(number.as_f64().unwrap_or_default(), out),
            },
            Value::String(text) => write_string(text, out),
            Value::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.value(item, out);
                }
                out.push(b']');
            }
            Value::Object(members) => {
                out.push(b'{');
                let mut is_first = true;
                for (name, member) in members.iter().filter(|(_, member)| self.keeps(member)) {
                    if !std::mem::take(&mut is_first) {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    self.value(member, out);
                }
                out.push(b'}');
            }
        }
    }

    fn keeps(self, member: &Value) -> bool {
        match member {
            Value::Null => self.null_members == NullMembers::Keep,
            Value::Array(items) if items.is_empty() => self.empty_arrays == EmptyArrays::Keep,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn check(text: &str, expansion: Expansion, expected: &str) {
        let mut out = Vec::new();
        let written = match expansion.write(text, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(_) => "not JSON".to_owned(),
        };
        assert_eq!(written, expected, "{text}");
    }

    #[test]
    fn documents_lose_nulls_and_empty_arrays_unless_kept() {
        let text = r#"{"a": 1, "n": null, "e": [], "o": {"n": null, "f": 1.50, "x": [1, null, "é"]}}"#;
        let keep = Expansion { null_members: NullMembers::Keep, empty_arrays: EmptyArrays::Keep };
        check(text, Expansion::default(), r#"{"a":1,"o":{"f":1.5,"x":[1,null,"é"]}}"#);
        check(text, keep, r#"{"a":1,"n":null,"e":[],"o":{"n":null,"f":1.5,"x":[1,null,"é"]}}"#);
    }

    #[test]
    fn what_is_no_document_stays_a_string() {
        check("hola", Expansion::default(), "\"hola\"");
        check("7", Expansion::default(), "\"7\"");
        check("{\"a\":", Expansion::default(), "not JSON");
        check("[1,\"a\"]", Expansion::default(), "[1,\"a\"]");
        check("{\"a\":9223372036854775808}", Expansion::default(), "{\"a\":9.223372036854776E18}");
    }
}
