//! Values in Avro's binary encoding: whatever a schema allows comes back from an independent decoder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use bitacora_change::avro::AvroSchema;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Reads values by the JSON of their schema, as the specification says it; knows nothing of the encoder.
struct Decoder<'a> {
    bytes: &'a [u8],
}

impl Decoder<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        taken
    }

    fn long(&mut self) -> i64 {
        let (mut bits, mut shift) = (0u64, 0);
        loop {
            let byte = self.take(1)[0];
            bits |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (bits >> 1) as i64 ^ -((bits & 1) as i64);
            }
            shift += 7;
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let count = usize::try_from(self.long()).unwrap();
        self.take(count).to_vec()
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    fn value(&mut self, schema: &Value) -> Value {
        if let Value::Array(branches) = schema {
            let branch = usize::try_from(self.long()).unwrap();
            return self.value(&branches[branch]);
        }
        let kind = schema.as_str().or_else(|| schema["type"].as_str()).unwrap_or_else(|| panic!("{schema}"));
        match kind {
            "null" => Value::Null,
            "boolean" => json!(self.take(1)[0] == 1),
            "int" => json!(i32::try_from(self.long()).unwrap()),
            "long" => json!(self.long()),
            "float" => json!(f32::from_le_bytes(self.take(4).try_into().unwrap())),
            "double" => json!(f64::from_le_bytes(self.take(8).try_into().unwrap())),
            "string" => json!(self.text()),
            "bytes" => json!(base64(&self.bytes())),
            "fixed" => json!(base64(self.take(schema["size"].as_u64().unwrap() as usize))),
            "enum" => schema["symbols"][usize::try_from(self.long()).unwrap()].clone(),
            "array" => {
                let mut items = Vec::new();
                loop {
                    match self.long() {
                        0 => return Value::Array(items),
                        count => (0..count).for_each(|_| items.push(self.value(&schema["items"]))),
                    }
                }
            }
            "map" => {
                let mut members = Map::new();
                loop {
                    match self.long() {
                        0 => return Value::Object(members),
                        count => (0..count).for_each(|_| {
                            let name = self.text();
                            members.insert(name, self.value(&schema["values"]));
                        }),
                    }
                }
            }
            "record" => {
                let fields = schema["fields"].as_array().unwrap();
                let read = |field: &Value| (field["name"].as_str().unwrap().to_owned(), self.value(&field["type"]));
                Value::Object(fields.iter().map(read).collect())
            }
            other => panic!("{other}"),
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    bitacora_change::json::write_base64(bytes, &mut text);
    String::from_utf8(text).unwrap()
}

/// A schema and a value that it allows. `name` makes the names of types unique.
fn schema_and_value(depth: u32, name: String) -> BoxedStrategy<(Value, Value)> {
    let plain = prop_oneof![
        Just((json!("null"), Value::Null)),
        any::<bool>().prop_map(|value| (json!("boolean"), json!(value))),
        any::<i32>().prop_map(|value| (json!("int"), json!(value))),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), -70i64..70]
            .prop_map(|value| (json!({"type": "long", "logicalType": "timestamp-millis"}), json!(value))),
        any::<f32>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| (json!("float"), json!(value))),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| (json!("double"), json!(value))),
        ".{0,40}".prop_map(|value| (json!("string"), json!(value))),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|value| (json!("bytes"), json!(base64(&value)))),
        proptest::collection::vec(any::<u8>(), 1..9).prop_map({
            let name = name.clone();
            move |value| {
                let size = value.len();
                (json!({"type": "fixed", "name": format!("{name}F"), "size": size}), json!(base64(&value)))
            }
        }),
        (0usize..3).prop_map({
            let name = name.clone();
            move |index| {
                let symbols = ["A", "B", "C"];
                (json!({"type": "enum", "name": format!("{name}E"), "symbols": symbols}), json!(symbols[index]))
            }
        }),
    ];
    if depth == 0 {
        return plain.boxed();
    }
    let inner = |suffix: &str| schema_and_value(depth - 1, format!("{name}{suffix}"));
    let optional = inner("o").prop_flat_map(|(schema, value)| {
        let is_plain = !schema.is_array() && schema != json!("null");
        let union = if is_plain { json!(["null", schema]) } else { schema };
        let null = if is_plain { Value::Null } else { value.clone() };
        prop_oneof![Just((union.clone(), value)), Just((union, null))]
    });
    let list = (inner("i"), 0usize..4)
        .prop_map(|((schema, value), count)| (json!({"type": "array", "items": schema}), json!(vec![value; count])));
    let map =
        (inner("m"), proptest::collection::btree_set("[a-zé]{0,6}", 0..4)).prop_map(|((schema, value), names)| {
            let members: Map<String, Value> = names.into_iter().map(|name| (name, value.clone())).collect();
            (json!({"type": "map", "values": schema}), Value::Object(members))
        });
    let record = (inner("x"), inner("y"), inner("z")).prop_map({
        let name = name.clone();
        move |fields| {
            let (x, y, z) = fields;
            let names = ["x", "y", "z"];
            let pairs = [x, y, z];
            let fields: Vec<Value> =
                names.iter().zip(&pairs).map(|(field, (schema, _))| json!({"name": field, "type": schema})).collect();
            let members: Map<String, Value> =
                names.iter().zip(pairs).map(|(field, (_, value))| ((*field).to_owned(), value)).collect();
            (json!({"type": "record", "name": format!("{name}R"), "fields": fields}), Value::Object(members))
        }
    });
    prop_oneof![2 => plain, 1 => optional, 1 => list, 1 => map, 3 => record].boxed()
}

proptest! {
    #[test]
    fn what_was_encoded_is_read_back((schema, value) in schema_and_value(3, "T".to_owned())) {
        let parsed = AvroSchema::parse(&schema.to_string()).unwrap();
        let mut bytes = Vec::new();
        parsed.encode(&value, &mut bytes).map_err(|error| TestCaseError::fail(format!("{error}: {schema} {value}")))?;
        let mut decoder = Decoder { bytes: &bytes };
        prop_assert_eq!(decoder.value(&schema), value);
        prop_assert!(decoder.bytes.is_empty());
    }

    /// Text of any kind may stand where a schema or a value is expected.
    #[test]
    fn any_json_is_refused_or_encoded(
        schema in ".{0,60}",
        (_, value) in schema_and_value(2, "T".to_owned()),
        (other, _) in schema_and_value(2, "T".to_owned()),
    ) {
        let _ = AvroSchema::parse(&schema);
        let parsed = AvroSchema::parse(&other.to_string()).unwrap();
        let mut bytes = Vec::new();
        if parsed.encode(&value, &mut bytes).is_ok() {
            let mut decoder = Decoder { bytes: &bytes };
            decoder.value(&other);
            prop_assert!(decoder.bytes.is_empty());
        }
    }
}

fn check(schema: &Value, value: &Value, expected: Result<&[u8], &str>) {
    let mut bytes = Vec::new();
    let encoded = AvroSchema::parse(&schema.to_string()).unwrap().encode(value, &mut bytes);
    assert_eq!(encoded.map(|()| bytes.as_slice()).map_err(|error| error.to_string()), expected.map_err(str::to_owned));
}

/// The examples of the specification's chapter "Binary encoding".
#[test]
fn bytes_of_the_specification() {
    for (number, expected) in
        [(0, &[0x00][..]), (-1, &[0x01]), (1, &[0x02]), (-2, &[0x03]), (-64, &[0x7f]), (64, &[0x80, 0x01])]
    {
        check(&json!("long"), &json!(number), Ok(expected));
    }
    check(&json!("string"), &json!("foo"), Ok(&[0x06, 0x66, 0x6f, 0x6f]));
    check(&json!({"type": "array", "items": "long"}), &json!([3, 27]), Ok(&[0x04, 0x06, 0x36, 0x00]));
    check(&json!(["null", "string"]), &json!("a"), Ok(&[0x02, 0x02, 0x61]));
    check(&json!(["null", "string"]), &Value::Null, Ok(&[0x00]));
}

#[test]
fn a_missing_member_takes_its_default_and_a_record_may_hold_itself() {
    let list = json!({"type": "record", "name": "List", "fields": [
        {"name": "n", "type": "int", "default": 7},
        {"name": "next", "type": ["null", "List"], "default": null}]});
    check(&list, &json!({"next": {"n": 1}}), Ok(&[0x0e, 0x02, 0x02, 0x00]));
}

#[test]
fn reasons_have_their_place() {
    let items =
        json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "array", "items": "int"}}]});
    check(&items, &json!({"a": [1, 2_147_483_648_i64]}), Err("a.1: the number is no int of 32 bits"));
    check(&json!(["null", "int", "string"]), &json!(true), Err("a boolean fits none of: null, an int, a string"));
    check(
        &json!({"type": "enum", "name": "E", "symbols": ["A"]}),
        &json!("B"),
        Err("the text is none of the symbols A"),
    );
    check(&json!({"type": "fixed", "name": "F", "size": 2}), &json!("AAAA"), Err("3 bytes are given for a fixed of 2"));
    check(&json!("bytes"), &json!("?"), Err("the text is no Base64, in which bytes are given"));
}
