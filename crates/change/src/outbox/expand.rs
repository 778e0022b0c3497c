//! Expands JSON payloads into a part of the value, instead of a string in it (`table.expand.json.payload`).
//!
//! Debezium infers a schema from each document and prints the document through it. Here the document itself gets the
//! same changes: null members and empty arrays are left out by default, and numbers with a point or exponent become
//! doubles. Where Debezium's inference fails (arrays of several types, a top-level array, an integer beyond 64 bits)
//! the document is printed as it is; such an integer keeps all its digits.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{write_double, write_string};

/// Deepest nesting of objects and arrays; a deeper document is an error, as for other readers of JSON.
const DEPTH_MAX: u32 = 128;

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
    /// The text begins as an object or array and is not JSON.
    pub(super) fn write(self, text: &str, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        if !text.starts_with(['{', '[']) {
            write_string(text, out);
            return Ok(());
        }
        let start = out.len();
        let written = serde_json::from_str(text).and_then(|document| self.value(document, 0, out));
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn value(self, value: &RawValue, depth: u32, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'{' | b'[') if depth == DEPTH_MAX => {
                return Err(de::Error::custom("the document is nested too deeply"));
            }
            Some(b'{') => {
                out.push(b'{');
                let mut is_first = true;
                let members: Members<'_> = serde_json::from_str(text)?;
                for (name, member) in members.0.into_iter().filter(|(_, member)| self.keeps(member)) {
                    if !std::mem::take(&mut is_first) {
                        out.push(b',');
                    }
                    write_string(&name, out);
                    out.push(b':');
                    self.value(member, depth + 1, out)?;
                }
                out.push(b'}');
            }
            Some(b'[') => {
                out.push(b'[');
                for (index, item) in serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.value(item, depth + 1, out)?;
                }
                out.push(b']');
            }
            Some(b'"') => write_string(&serde_json::from_str::<String>(text)?, out),
            Some(b'-' | b'0'..=b'9') if text.contains(['.', 'e', 'E']) => {
                write_double(serde_json::from_str(text)?, out);
            }
            // Integers, true, false and null.
            _ => out.extend_from_slice(text.as_bytes()),
        }
        Ok(())
    }

    fn keeps(self, member: &RawValue) -> bool {
        let text = member.get();
        match text.as_bytes() {
            b"null" => self.null_members == NullMembers::Keep,
            [b'[', inside @ .., b']'] if inside.trim_ascii().is_empty() => self.empty_arrays == EmptyArrays::Keep,
            _ => true,
        }
    }
}

/// The members of an object in their order. Of several members with one name, the last value stands at the first one's
/// place.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                let mut places: HashMap<String, usize> = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    match places.get(&name).and_then(|place| members.get_mut(*place)) {
                        Some(member) => member.1 = value,
                        None => {
                            places.insert(name.clone(), members.len());
                            members.push((name, value));
                        }
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
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
    }

    /// Identifiers of 20 digits once arrived rounded to a double.
    #[test]
    fn integers_beyond_64_bits_keep_their_digits() {
        for digits in ["9223372036854775808", "18446744073709551616", "-123456789012345678901234567890", "0", "-7"] {
            check(&format!("{{\"a\": {digits} }}"), Expansion::default(), &format!("{{\"a\":{digits}}}"));
            check(&format!("[1, {digits}]"), Expansion::default(), &format!("[1,{digits}]"));
        }
        check("{\"a\":1e400}", Expansion::default(), "not JSON");
        check("{\"a\":12345678901234567890.5}", Expansion::default(), "{\"a\":1.2345678901234567E19}");
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        check("{\"a\":1,\"b\":[ ],\"a\":{\"c\":2}}", Expansion::default(), "{\"a\":{\"c\":2}}");
    }

    #[test]
    fn a_document_that_is_nested_too_deeply_is_an_error() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        check(&nested(128), Expansion::default(), &nested(128));
        check(&nested(100_000), Expansion::default(), "not JSON");
    }
}
