//! Seeded mutations of valid bytes against every reader of foreign bytes. The seed is fixed, so a failure repeats;
//! `BITACORA_FUZZ_ITERATIONS` sets the count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use bitacora_pulsar_wire::proto::{CommandProducer, CommandSend, Schema};
use bitacora_pulsar_wire::{
    BatchBuilder, Codec, EntryHeader, EntryPeek, EntryReader, Frame, FrameDecoder, MessageKey, OutgoingMessage,
    ReadLimits, encode, schema,
};
use bytes::{Bytes, BytesMut};

/// SplitMix64.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => bytes.insert(at.min(bytes.len()), self.next() as u8),
                _ if !bytes.is_empty() => bytes[at] = 0xff,
                _ => {}
            }
        }
    }
}

fn iterations() -> u64 {
    std::env::var("BITACORA_FUZZ_ITERATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

fn entry(codec: Codec) -> Bytes {
    let mut builder = BatchBuilder::new();
    for sequence_id in 0..5 {
        let message = OutgoingMessage {
            key: MessageKey::Bytes(b"key"),
            value: Some(b"some value that repeats, some value that repeats"),
            sequence_id,
            properties: &[("a", "b")],
            ..Default::default()
        };
        builder.append(&message).unwrap();
    }
    let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: Some(&[0; 8]), codec };
    builder.finish(&header).unwrap().unwrap().entry
}

#[test]
fn mutated_frames_never_panic_and_never_grow_the_buffer_past_the_limit() {
    let mut random = Seeded(1);
    let decoder = FrameDecoder::with_max_message_bytes(64 * 1024);
    let schema = Schema { name: "s".into(), schema_data: Bytes::from_static(b"{}"), ..Default::default() };
    let seeds = [
        Frame::with_payload(CommandSend { num_messages: Some(5), ..Default::default() }, entry(Codec::Lz4)),
        CommandProducer { topic: "t".into(), schema: Some(schema), ..Default::default() }.into(),
    ]
    .map(|frame: Frame| {
        let mut out = BytesMut::new();
        encode(&frame, &mut out);
        out.to_vec()
    });
    for _ in 0..iterations() {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        random.mutate(&mut bytes);
        let mut stream = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = decoder.decode(&mut stream) {}
        assert!(stream.capacity() <= 2 * (64 + 10) * 1024 + 64);
    }
}

#[test]
fn mutated_entries_never_panic() {
    let mut random = Seeded(2);
    let limits = ReadLimits { max_uncompressed_bytes: 64 * 1024 };
    let seeds = [entry(Codec::None), entry(Codec::Lz4), entry(Codec::Zstd { level: 1 })];
    for _ in 0..iterations() {
        // Without magic and checksum, so that the mutation reaches the readers behind the verification.
        let mut bytes = seeds[random.below(seeds.len())][6..].to_vec();
        random.mutate(&mut bytes);
        let bytes = Bytes::from(bytes);
        let _ = EntryPeek::parse(&bytes);
        if let Ok(reader) = EntryReader::open(&bytes, limits) {
            let total: usize = reader.filter_map(Result::ok).map(|message| message.payload.len()).sum();
            assert!(total <= limits.max_uncompressed_bytes.max(bytes.len()));
        }
    }
}

/// The peek is a second parser of the same bytes: where prost accepts the metadata, both must agree.
#[test]
fn peek_agrees_with_the_full_decoder_on_mutated_metadata() {
    use prost::Message;
    let mut random = Seeded(3);
    let entry = entry(Codec::None);
    let metadata = bitacora_pulsar_wire::split_entry(&entry).unwrap().metadata;
    let mut agreed = 0;
    for _ in 0..iterations() {
        let mut bytes = metadata.to_vec();
        random.mutate(&mut bytes);
        let Ok(full) = bitacora_pulsar_wire::MessageMetadata::decode(&bytes[..]) else { continue };
        let peek = EntryPeek::parse_metadata(&bytes).unwrap();
        assert_eq!(peek.producer_name, full.producer_name);
        assert_eq!(peek.sequence_id, full.sequence_id);
        assert_eq!(peek.highest_sequence_id, full.highest_sequence_id);
        assert_eq!(peek.publish_time, full.publish_time);
        assert_eq!(peek.num_messages_in_batch, full.num_messages_in_batch);
        assert_eq!(peek.partition_key, full.partition_key.as_deref());
        assert_eq!(peek.schema_version, full.schema_version.as_deref());
        agreed += 1;
    }
    assert!(agreed > 0);
}

#[test]
fn mutated_key_value_data_never_panics() {
    let mut random = Seeded(4);
    let joined = schema::join_key_value(b"key schema", b"value schema");
    for _ in 0..iterations() {
        let mut bytes = joined.to_vec();
        random.mutate(&mut bytes);
        if let Ok((key, value)) = schema::split_key_value(&bytes) {
            assert!(key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len) + 8 == bytes.len());
        }
    }
}
