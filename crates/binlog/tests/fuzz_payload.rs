//! Fuzz target: compressed transactions: the payload's own fields, the compressed stream, and the events inside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;
mod mutate;

use bitacora_binlog::{ChecksumAlgorithm, Decoder, EventType, HEADER_BYTES, Limits, RowScratch};
use log::{LOGS, events, golden, walk};
use mutate::{fix_length, fuzz};

fn wrap(fields: &[(u8, u64)], payload: &[u8]) -> Vec<u8> {
    let mut event = vec![0u8; HEADER_BYTES];
    event[4] = EventType::TRANSACTION_PAYLOAD.0;
    for (field, value) in fields {
        event.extend_from_slice(&[*field, 9, 0xfe]);
        event.extend_from_slice(&value.to_le_bytes());
    }
    event.push(0);
    event.extend_from_slice(payload);
    fix_length(&mut event);
    event
}

/// The plain events of a transaction that the golden log holds, without checksums.
fn plain() -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = Decoder::new();
    let file = golden("mysql-9.7.4/binlog.000001");
    let all = events(&file);
    decoder.decode(all[0].1).unwrap();
    for (_, event) in all.iter().filter(|(_, event)| matches!(event[4], 19 | 30 | 31 | 32 | 2)).take(40) {
        let mut event = event[..event.len() - 4].to_vec();
        fix_length(&mut event);
        plain.extend_from_slice(&event);
    }
    plain
}

fn check(corpus: &[Vec<u8>]) {
    let (mut scratch, mut out) = (RowScratch::new(), Vec::new());
    let mut decoder = Decoder::with_limits(Limits { event_bytes: 1 << 20, payload_bytes: 1 << 24 });
    fuzz(corpus, |_, input| {
        decoder.set_checksum(ChecksumAlgorithm::None);
        let mut event = input.to_vec();
        fix_length(&mut event);
        walk(&mut decoder, &event, &mut scratch, &mut out).ok();
    });
}

#[test]
fn compressed() {
    let mut corpus: Vec<Vec<u8>> = Vec::new();
    for name in LOGS {
        let file = golden(name);
        let payloads = events(&file).into_iter().map(|(_, event)| event);
        corpus.extend(payloads.filter(|event| event[4] == EventType::TRANSACTION_PAYLOAD.0).map(<[u8]>::to_vec));
    }
    check(&corpus);
}

#[test]
fn plain_events() {
    let plain = plain();
    check(&[wrap(&[(2, 255), (1, plain.len() as u64), (3, plain.len() as u64)], &plain)]);
}

fn error_of(event: &[u8], limits: Limits) -> String {
    let mut decoder = Decoder::with_limits(limits);
    walk(&mut decoder, event, &mut RowScratch::new(), &mut Vec::new()).unwrap_err().to_string()
}

#[test]
fn a_payload_cannot_hold_a_payload() {
    let inner = wrap(&[(2, 255)], &[]);
    let outer = wrap(&[(2, 255)], &inner);
    assert!(error_of(&outer, Limits::default()).contains("holds a Transaction_payload event"));
}

#[test]
fn limits_hold_against_a_bomb() {
    let limits = Limits { event_bytes: 1 << 16, payload_bytes: 1 << 20 };
    let bomb = zstd::bulk::compress(&vec![0u8; 64 << 20], 3).unwrap();
    assert!(error_of(&wrap(&[(2, 0), (3, 64 << 20)], &bomb), limits).contains("limit is 1048576"));
    // An event of 32 MiB inside, behind an honest header.
    let mut event = vec![0u8; 32 << 20];
    fix_length(&mut event);
    let bomb = zstd::bulk::compress(&event, 3).unwrap();
    assert!(error_of(&wrap(&[(2, 0)], &bomb), limits).contains("limit is 65536"));
    // A lie about the plain length.
    let plain = plain();
    let honest = zstd::bulk::compress(&plain, 3).unwrap();
    for lie in [plain.len() as u64 - 1, plain.len() as u64 + 1] {
        assert!(error_of(&wrap(&[(2, 0), (3, lie)], &honest), limits).contains("plain length"));
    }
}
