//! Entries: what the builder writes, the reader and the peek read; damage is told from data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use bitacora_pulsar_wire::{
    Batch, BatchBuilder, ChunkCutter, Codec, EntryHeader, EntryPeek, EntryReader, Error, MessageKey, OutgoingMessage,
    ReadLimits, split_entry,
};
use bytes::Bytes;
use proptest::prelude::*;

const VERSION: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 7];

fn header(codec: Codec) -> EntryHeader<'static> {
    EntryHeader {
        producer_name: "bitacora-1",
        publish_time_ms: 1_700_000_000_123,
        schema_version: Some(&VERSION),
        codec,
    }
}

fn build(messages: &[OutgoingMessage<'_>], codec: Codec) -> Batch {
    let mut builder = BatchBuilder::new();
    for message in messages {
        builder.append(message).unwrap();
    }
    builder.finish(&header(codec)).unwrap().unwrap()
}

fn message(sequence_id: u64, key: &'static [u8], value: &'static [u8]) -> OutgoingMessage<'static> {
    OutgoingMessage { key: MessageKey::Bytes(key), value: Some(value), sequence_id, ..Default::default() }
}

#[test]
fn one_message_becomes_a_plain_entry_like_the_real_connectors() {
    let batch = build(&[message(3, br#"{"id":1}"#, br#"{"op":"c"}"#)], Codec::None);
    let peek = EntryPeek::parse(&batch.entry).unwrap();
    assert_eq!(peek.num_messages_in_batch, None);
    assert_eq!(peek.partition_key, Some("eyJpZCI6MX0="));
    assert!(peek.partition_key_b64_encoded);
    assert_eq!(peek.schema_version, Some(&VERSION[..]));
    assert_eq!((peek.sequence_id, peek.highest_sequence_id), (3, None));
    let parts = split_entry(&batch.entry).unwrap();
    parts.verify().unwrap();
    assert_eq!(parts.body, br#"{"op":"c"}"#);
}

#[test]
fn a_batch_carries_lowest_and_highest_sequence_id_and_the_first_key() {
    let batch = build(&[message(5, b"a", b"1"), message(9, b"b", b"2")], Codec::Lz4);
    assert_eq!((batch.lowest_sequence_id, batch.highest_sequence_id, batch.message_count), (5, 9, 2));
    let peek = EntryPeek::parse(&batch.entry).unwrap();
    assert_eq!((peek.sequence_id, peek.highest_sequence_id, peek.message_count()), (5, Some(9), 2));
    assert_eq!(peek.partition_key, Some("YQ=="));
    let messages: Vec<_> =
        EntryReader::open(&batch.entry, ReadLimits::default()).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(messages[1].metadata.partition_key.as_deref(), Some("Yg=="));
    assert_eq!(messages[1].metadata.sequence_id, Some(9));
    assert_eq!(&messages[1].payload[..], b"2");
}

#[test]
fn null_key_and_null_value_are_flags_of_the_message() {
    let tombstone = OutgoingMessage { key: MessageKey::Null, value: None, sequence_id: 1, ..Default::default() };
    let single = build(&[tombstone], Codec::Lz4);
    let peek = EntryPeek::parse(&single.entry).unwrap();
    assert!(peek.null_value && peek.null_partition_key);
    let batch = build(&[tombstone, message(2, b"k", b"v")], Codec::Lz4);
    assert!(!EntryPeek::parse(&batch.entry).unwrap().null_value);
    let messages: Vec<_> =
        EntryReader::open(&batch.entry, ReadLimits::default()).unwrap().collect::<Result<_, _>>().unwrap();
    assert!(messages[0].metadata.null_value() && messages[0].metadata.null_partition_key());
    assert!(!messages[1].metadata.null_value());
}

#[test]
fn a_builder_is_empty_and_usable_after_each_batch() {
    let mut builder = BatchBuilder::new();
    assert!(builder.finish(&header(Codec::Lz4)).unwrap().is_none());
    builder.append(&message(1, b"k", b"first")).unwrap();
    builder.append(&message(2, b"k", b"second")).unwrap();
    let first = builder.finish(&header(Codec::Lz4)).unwrap().unwrap();
    builder.append(&message(1, b"k", b"first")).unwrap();
    builder.append(&message(2, b"k", b"second")).unwrap();
    assert_eq!(builder.finish(&header(Codec::Lz4)).unwrap().unwrap(), first);
    assert!(builder.is_empty());
}

#[test]
fn every_flipped_bit_under_the_checksum_is_noticed() {
    let batch = build(&[message(1, b"key", b"value"), message(2, b"key", b"other")], Codec::Lz4);
    for bit in 2 * 8..batch.entry.len() * 8 {
        let mut damaged = batch.entry.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(EntryReader::open(&damaged.into(), ReadLimits::default()).is_err(), "bit {bit}");
    }
}

#[test]
fn the_announced_size_is_checked_before_anything_is_allocated() {
    let value = vec![b'x'; 100_000];
    let batch = build(
        &[OutgoingMessage { value: Some(&value), sequence_id: 1, ..Default::default() }],
        Codec::Zstd { level: 3 },
    );
    let limits = ReadLimits { max_uncompressed_bytes: 99_999 };
    assert!(matches!(EntryReader::open(&batch.entry, limits), Err(Error::UncompressedTooLarge { .. })));
    let limits = ReadLimits { max_uncompressed_bytes: 100_000 };
    assert_eq!(EntryReader::open(&batch.entry, limits).unwrap().next().unwrap().unwrap().payload.len(), 100_000);
}

/// Metadata with a codec number, an announced size and nothing to verify.
fn entry_of(metadata: &[u8], body: &[u8]) -> Bytes {
    let mut entry = (metadata.len() as u32).to_be_bytes().to_vec();
    entry.extend_from_slice(metadata);
    entry.extend_from_slice(body);
    entry.into()
}

#[test]
fn codecs_that_cannot_be_read_are_named() {
    for (number, name) in [(2, "ZLIB"), (4, "SNAPPY"), (9, "number 9")] {
        let error = EntryReader::open(&entry_of(&[64, number, 72, 4], b"body"), ReadLimits::default()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn an_lz4_body_cannot_announce_more_than_it_can_hold() {
    let entry = entry_of(&[64, 1, 72, 0xff, 0xff, 0xff, 0x0f], b"tiny");
    assert!(matches!(EntryReader::open(&entry, ReadLimits::default()), Err(Error::Decompress { .. })));
}

#[test]
fn a_batch_whose_count_is_not_that_of_its_messages_is_no_batch() {
    let whole = [0, 0, 0, 2, 24, 3, b'a', b'b', b'c'];
    let early = [0, 0, 0, 2, 24, 3, b'a', b'b', b'c', 0, 0, 0, 99];
    let check = |count: &[u8], body: &[u8]| EntryReader::open(&entry_of(count, body), ReadLimits::default()).is_ok();
    assert!(check(&[88, 1], &whole));
    for (count, body) in [(&[88, 2][..], &early[..]), (&[88, 5], &early), (&[88, 0], &whole), (&[88, 1], &early)] {
        assert!(!check(count, body), "{count:?}");
    }
    // Minus one, and a thousand million: no room is made for as many.
    assert!(!check(&[88, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], &whole));
    assert!(!check(&[88, 0x80, 0x94, 0xeb, 0xdc, 3], &whole));
}

#[test]
fn the_brokers_own_metadata_in_front_is_skipped() {
    let batch = build(&[message(1, b"k", b"v")], Codec::Lz4);
    let mut entry = vec![0x0e, 0x02, 0, 0, 0, 2, 8, 1];
    entry.extend_from_slice(&batch.entry);
    let mut reader = EntryReader::open(&entry.into(), ReadLimits::default()).unwrap();
    assert_eq!(&reader.next().unwrap().unwrap().payload[..], b"v");
}

type Drawn = (Option<Vec<u8>>, Option<Vec<u8>>, u64, Option<u64>, Vec<(String, String)>);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    prop::collection::vec(
        (
            prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
            prop::option::of(prop::collection::vec(any::<u8>(), 0..400)),
            any::<u64>(),
            prop::option::of(any::<u64>()),
            prop::collection::vec((".{0,8}", ".{0,8}"), 0..3),
        ),
        1..20,
    )
}

proptest! {
    #[test]
    fn what_is_built_is_read(
        drawn in drawn(),
        codec in prop::sample::select(vec![Codec::None, Codec::Lz4, Codec::Zstd { level: 1 }]),
        landmarks in prop::collection::vec((0u16..4, 0u32..9), 0..3),
    ) {
        let properties: Vec<Vec<(&str, &str)>> =
            drawn.iter().map(|m| m.4.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()).collect();
        let messages: Vec<OutgoingMessage<'_>> = drawn
            .iter()
            .zip(&properties)
            .map(|((key, value, sequence_id, event_time_ms, _), properties)| OutgoingMessage {
                key: key.as_deref().map_or(MessageKey::Null, MessageKey::Bytes),
                value: value.as_deref(),
                sequence_id: *sequence_id,
                event_time_ms: *event_time_ms,
                ordering_key: key.as_deref(),
                properties,
                landmarks: &landmarks,
            })
            .collect();
        let batch = build(&messages, codec);
        prop_assert_eq!(EntryPeek::parse(&batch.entry).unwrap().message_count() as usize, messages.len());
        let reader = EntryReader::open(&batch.entry, ReadLimits::default()).unwrap();
        let read: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read.len(), messages.len());
        for (read, sent) in read.iter().zip(&messages) {
            prop_assert_eq!(&read.payload[..], sent.value.unwrap_or_default());
            prop_assert_eq!(read.metadata.null_value(), sent.value.is_none());
            prop_assert_eq!(read.metadata.null_partition_key(), sent.key == MessageKey::Null);
            prop_assert_eq!(read.metadata.sequence_id, Some(sent.sequence_id));
            prop_assert_eq!(read.metadata.event_time, sent.event_time_ms);
            prop_assert_eq!(read.metadata.ordering_key.as_deref(), sent.ordering_key);
            let pairs: Vec<_> = read.metadata.properties.iter().map(|p| (p.key.as_str(), p.value.as_str())).collect();
            prop_assert_eq!(&pairs[..], sent.properties);
        }
    }
}

/// The bodies of all chunks are the body of the message, none is above the limit, and only the last one has the
/// message's id: a Pulsar that opens a topic again takes the id of every entry for that of a whole message.
#[test]
fn chunks_make_up_the_message_again() {
    let value: Vec<u8> = (0..20_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut builder = BatchBuilder::new();
    let message = OutgoingMessage {
        key: MessageKey::Text("k"),
        value: Some(&value),
        sequence_id: 70,
        properties: &[("a", "b")],
        ..Default::default()
    };
    builder.append(&message).unwrap();
    let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: Some(b"v"), codec: Codec::Lz4 };
    let whole = builder.finish(&header).unwrap().unwrap();
    let cutter = ChunkCutter::new(&whole.entry, "p-70-x".into(), 1_000).unwrap();
    let (mut joined, mut last) = (Vec::new(), None);
    for index in 0..cutter.count() {
        let entry = cutter.chunk(index).unwrap();
        assert!(entry.len() <= 1_000);
        let (metadata, body) = EntryReader::parts(&entry).unwrap();
        let is_last = index + 1 == cutter.count();
        assert_eq!((metadata.chunk_id(), metadata.num_chunks_from_msg()), (index as i32, cutter.count() as i32));
        assert_eq!((metadata.uuid(), metadata.sequence_id), ("p-70-x", if is_last { 70 } else { 69 }));
        joined.extend_from_slice(&body);
        assert_eq!(metadata.total_chunk_msg_size() as usize, split_entry(&whole.entry).unwrap().body.len());
        last = Some(metadata);
    }
    assert!(cutter.chunk(cutter.count()).is_none());
    let mut reader = EntryReader::of_parts(last.unwrap(), joined.into(), ReadLimits::default()).unwrap();
    let read = reader.next().unwrap().unwrap();
    assert_eq!((&read.payload[..], read.metadata.partition_key.as_deref()), (&value[..], Some("k")));
    assert!(matches!(ChunkCutter::new(&whole.entry, "x".repeat(600), 1_000), Err(Error::NotChunkable { .. })));
}
