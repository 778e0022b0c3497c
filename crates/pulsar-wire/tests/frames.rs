//! Frames and commands: inverse, limits, foreign bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use bitacora_pulsar_wire::proto::*;
use bitacora_pulsar_wire::{Command, Error, Frame, FrameDecoder, UnknownCommand, encode};
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

fn wire(frame: &Frame) -> BytesMut {
    let mut out = BytesMut::new();
    encode(frame, &mut out);
    out
}

fn check_round_trip(frame: Frame) {
    let mut bytes = wire(&frame);
    assert_eq!(bytes.len(), frame.encoded_bytes());
    let decoded = FrameDecoder::default().decode(&mut bytes).unwrap().unwrap();
    assert_eq!(decoded, frame);
    assert!(bytes.is_empty());
}

/// Bytes put together by hand from the field numbers of PulsarApi.proto, so that a wrong number cannot hide in the
/// inverse.
#[test]
fn a_hand_made_connect_is_read() {
    let bytes = [
        0, 0, 0, 31, 0, 0, 0, 27, 8, 2, 18, 23, 10, 13, b'P', b'u', b'l', b's', b'a', b'r', b'-', b'C', b'P', b'P',
        b'-', b'v', b'3', 32, 19, 82, 4, 8, 1, 16, 1,
    ];
    let mut stream = BytesMut::from(&bytes[..]);
    let frame = FrameDecoder::default().decode(&mut stream).unwrap().unwrap();
    let Command::Connect(connect) = frame.command else { panic!("not a CONNECT") };
    assert_eq!(connect.client_version, "Pulsar-CPP-v3");
    assert_eq!(connect.protocol_version(), 19);
    assert!(connect.feature_flags.unwrap().supports_auth_refresh());
}

#[test]
fn every_kind_of_frame_survives_the_wire() {
    check_round_trip(CommandPing {}.into());
    check_round_trip(CommandError { request_id: u64::MAX, error: 3, message: "no".into() }.into());
    check_round_trip(Frame::with_payload(
        CommandSend { producer_id: 1, sequence_id: 2, highest_sequence_id: Some(9), ..Default::default() },
        Bytes::from_static(&[0, 0, 0, 0]),
    ));
    check_round_trip(
        CommandSubscribe {
            topic: "t".into(),
            subscription: "s".into(),
            sub_type: SubType::KeyShared as i32,
            key_shared_meta: Some(KeySharedMeta {
                key_shared_mode: KeySharedMode::Sticky as i32,
                hash_ranges: vec![IntRange { start: 0, end: 65535 }],
                allow_out_of_order_delivery: Some(true),
            }),
            start_message_id: Some(MessageIdData { ledger_id: u64::MAX, entry_id: u64::MAX, ..Default::default() }),
            ..Default::default()
        }
        .into(),
    );
}

#[test]
fn a_command_without_content_is_the_empty_one() {
    assert_eq!(Command::read(&[8, 18]).unwrap(), Command::Ping(CommandPing {}));
}

#[test]
fn defaults_are_those_of_the_protocol() {
    let subscribe = CommandSubscribe::default();
    assert!(subscribe.durable() && subscribe.force_topic_creation());
    assert_eq!(CommandProducerSuccess::default().last_sequence_id(), -1);
    assert!(CommandProducerSuccess::default().producer_ready());
    assert_eq!(MessageIdData::default().partition(), -1);
    assert!(CommandPartitionedTopicMetadata::default().metadata_auto_creation_enabled());
}

#[test]
fn an_unknown_command_keeps_its_number_and_request_id() {
    // Type 72, field 72 { field 1: 5 }.
    let bytes = [8, 72, 0xc2, 4, 2, 8, 5];
    assert_eq!(Command::read(&bytes).unwrap(), Command::Unknown(UnknownCommand { kind: 72, request_id: Some(5) }));
}

#[test]
fn a_type_that_is_not_the_contents_is_refused() {
    let bytes = [8, 18, 0x9a, 1, 0];
    assert!(matches!(Command::read(&bytes), Err(Error::MalformedFrame { .. })));
}

fn check_refused(bytes: &[u8]) {
    let mut stream = BytesMut::from(bytes);
    assert!(FrameDecoder::default().decode(&mut stream).is_err(), "{bytes:?} was accepted");
}

#[test]
fn malformed_frames_are_refused() {
    check_refused(&[0, 0, 0, 0]);
    check_refused(&[0, 0, 0, 3, 1, 2, 3]);
    check_refused(&[0, 0, 0, 4, 0, 0, 0, 0]);
    check_refused(&[0, 0, 0, 5, 0, 0, 0, 2, 8]);
    check_refused(&[0, 0, 0, 8, 0, 0, 0, 4, 8, 18, 0xff, 0xff]);
    // A ping with bytes behind it, and a SEND with none.
    check_refused(&[0, 0, 0, 9, 0, 0, 0, 4, 8, 18, 0x92, 1, 0, 7]);
    check_refused(&[0, 0, 0, 12, 0, 0, 0, 8, 8, 6, 50, 4, 8, 1, 16, 1]);
    // HTTP on the binary port.
    check_refused(b"GET / HTTP/1.1\r\n\r\n");
}

#[test]
fn an_oversize_frame_is_refused_before_it_is_allocated() {
    let decoder = FrameDecoder::with_max_message_bytes(1000);
    let mut stream = BytesMut::from(&(1000u32 + 10 * 1024 + 1).to_be_bytes()[..]);
    let capacity = stream.capacity();
    assert!(matches!(decoder.decode(&mut stream), Err(Error::FrameTooLarge { .. })));
    assert_eq!(stream.capacity(), capacity);
    let mut stream = BytesMut::from(&(1000u32 + 10 * 1024).to_be_bytes()[..]);
    assert!(decoder.decode(&mut stream).unwrap().is_none());
}

proptest! {
    #[test]
    fn frames_survive_any_cut_of_the_stream(
        ids in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 1..300)), 1..8),
        cut in 1usize..64,
    ) {
        let frames: Vec<Frame> = ids
            .into_iter()
            .map(|(id, body)| Frame::with_payload(
                CommandSend { producer_id: id, sequence_id: !id, num_messages: Some(3), ..Default::default() },
                body.into(),
            ))
            .collect();
        let mut all = BytesMut::new();
        for frame in &frames {
            encode(frame, &mut all);
        }
        let decoder = FrameDecoder::default();
        let mut stream = BytesMut::new();
        let mut decoded = Vec::new();
        for piece in all.chunks(cut) {
            stream.put_slice(piece);
            while let Some(frame) = decoder.decode(&mut stream).unwrap() {
                decoded.push(frame);
            }
        }
        prop_assert_eq!(decoded, frames);
    }
}
