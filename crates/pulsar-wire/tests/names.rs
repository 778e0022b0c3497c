//! Topic names, message ids, schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use bitacora_pulsar_wire::proto::{MessageIdData, SchemaType};
use bitacora_pulsar_wire::schema::{self, KeyValueEncoding, SchemaHalf};
use bitacora_pulsar_wire::{Domain, MessageId, TopicName};
use bytes::Bytes;

fn check_topic(text: &str, canonical: &str) {
    let topic = TopicName::parse(text).unwrap();
    assert_eq!(topic.to_string(), canonical);
    assert_eq!(TopicName::parse(canonical).unwrap(), topic);
}

#[test]
fn short_and_long_topic_names_mean_the_same() {
    check_topic("orders", "persistent://public/default/orders");
    check_topic("a/b/c", "persistent://a/b/c");
    check_topic("persistent://a/b/c.d e", "persistent://a/b/c.d e");
    check_topic("non-persistent://a/b/c", "non-persistent://a/b/c");
    assert_eq!(TopicName::parse("non-persistent://a/b/c").unwrap().domain(), Domain::NonPersistent);
}

#[test]
fn wrong_topic_names_are_refused_with_the_text() {
    for text in ["", "a/b", "http://a/b/c", "persistent://t", "persistent://a/b/", "a//c", "a/b/c/d", "a b/c/d", "x\ny"]
    {
        let error = TopicName::parse(text).unwrap_err();
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn partitions_are_found_and_named() {
    let topic = TopicName::parse("orders").unwrap();
    let partition = topic.with_partition(3);
    assert_eq!(partition.local_name(), "orders-partition-3");
    assert_eq!(partition.partition(), Some(3));
    assert_eq!(partition.without_partition(), topic);
    assert_eq!(TopicName::parse("orders-partition-03").unwrap().partition(), None);
    assert_eq!(TopicName::parse("orders-partition-x").unwrap().partition(), None);
}

#[test]
fn minus_one_is_all_ones_on_the_wire() {
    let data = MessageIdData::from(MessageId::EARLIEST);
    assert_eq!((data.ledger_id, data.entry_id), (u64::MAX, u64::MAX));
    assert_eq!(MessageId::from(&data), MessageId::EARLIEST);
    assert!(MessageId::EARLIEST < MessageId::new(0, 0) && MessageId::new(9, 9) < MessageId::LATEST);
    assert!(MessageId::from(&data).is_none());
}

#[test]
fn message_ids_are_printed_and_read() {
    for text in ["3:4:-1", "3:4:-1:7", "3:4:0", "-1:-1:-1"] {
        assert_eq!(text.parse::<MessageId>().unwrap().to_string(), text);
    }
    assert_eq!("3:4".parse::<MessageId>().unwrap(), MessageId::new(3, 4));
    assert_eq!("latest".parse::<MessageId>().unwrap(), MessageId::LATEST);
    for text in ["", "1", "1:x", "1:2:3:4:5", "1:2:99999999999"] {
        assert!(text.parse::<MessageId>().is_err(), "{text}");
    }
}

#[test]
fn key_value_schema_has_pulsars_data_and_properties() {
    let half = |name: &str, data: &'static str| SchemaHalf {
        name: name.into(),
        schema_type: SchemaType::Json as i32,
        data: Bytes::from_static(data.as_bytes()),
        properties: "{}".into(),
    };
    let schema = schema::key_value("kv", &half("k", "KK"), &half("v", "VVV"), KeyValueEncoding::Separated);
    assert_eq!(&schema.schema_data[..], b"\0\0\0\x02KK\0\0\0\x03VVV");
    let property = |key: &str| schema.properties.iter().find(|p| p.key == key).unwrap().value.as_str();
    assert_eq!(property("kv.encoding.type"), "SEPARATED");
    assert_eq!(property("value.schema.type"), "JSON");
    let (key, value) = schema::split_key_value(&schema.schema_data).unwrap();
    assert_eq!((key, value), (Some(&b"KK"[..]), Some(&b"VVV"[..])));
    assert_eq!(schema::split_key_value(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]).unwrap(), (None, Some(&b""[..])));
    assert!(schema::split_key_value(&[0, 0, 0, 9, 1]).is_err());
}

#[test]
fn schema_versions_are_eight_bytes() {
    assert_eq!(schema::version_number(&schema::version_bytes(7)), Some(7));
    assert_eq!(schema::version_number(b""), None);
    assert_eq!(schema::type_of_name("KEY_VALUE"), Some(SchemaType::KeyValue));
    assert_eq!(schema::type_of_name("BYTES"), Some(SchemaType::None));
    assert_eq!(schema::type_of_name("X"), None);
}
