//! Events that no server writes on demand, built byte by byte as the servers' sources lay them out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use bitacora_binlog::event::{AlterPhase, Heartbeat, Incident, MariadbGtid};
use bitacora_binlog::{
    Body, Cell, ChecksumAlgorithm, Decoder, Error, Event, EventHeader, EventType, HEADER_BYTES, RowScratch, value,
};
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

/// An event to build.
#[derive(Clone)]
struct Built {
    kind: EventType,
    flags: u16,
    next_position: u32,
    body: Vec<u8>,
}

impl Built {
    fn new(kind: EventType, body: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags: 0, next_position: 1234, body: body.into() }
    }

    /// The event's bytes.
    fn bytes(&self, checksum: ChecksumAlgorithm) -> Vec<u8> {
        let checksum_bytes = if checksum == ChecksumAlgorithm::Crc32 { 4 } else { 0 };
        let length = (HEADER_BYTES + self.body.len() + checksum_bytes) as u32;
        let mut bytes = 1_700_000_000u32.to_le_bytes().to_vec();
        bytes.push(self.kind.0);
        bytes.extend(77u32.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(self.next_position.to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(&self.body);
        if checksum == ChecksumAlgorithm::Crc32 {
            bytes.extend(crc32(&bytes).to_le_bytes());
        }
        bytes
    }
}

/// CRC-32 as zlib has it; `flate2` has one too.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Decodes events in order, with and without checksum, and shows the last one.
fn check(events: &[Built], see: impl Fn(Event<'_>)) {
    for checksum in [ChecksumAlgorithm::None, ChecksumAlgorithm::Crc32] {
        let mut decoder = Decoder::new();
        decoder.set_checksum(checksum);
        let (last, before) = events.split_last().unwrap();
        for event in before {
            decoder.decode(&event.bytes(checksum)).unwrap();
        }
        let bytes = last.bytes(checksum);
        let event = decoder.decode(&bytes).unwrap();
        assert_eq!((event.header.kind, event.header.server_id), (last.kind, 77));
        see(event);
    }
}

/// The error that an event gives, and its place.
fn refused(event: &Built) -> (Error, usize) {
    match Decoder::new().decode(&event.bytes(ChecksumAlgorithm::None)) {
        Err(Error::Event { cause, offset, kind, .. }) => {
            assert_eq!(kind, event.kind);
            (*cause, offset)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_heartbeat_says_file_and_position() {
    let event = Built { next_position: 4567, ..Built::new(EventType::HEARTBEAT, "binlog.000042") };
    check(&[event], |event| match event.body {
        Body::Heartbeat(heartbeat) => {
            assert_eq!(heartbeat, Heartbeat { file: b"binlog.000042", position: 4567 });
        }
        other => panic!("{other:?}"),
    });
}

/// Version 2 exists because the header's position has 32 bits only.
#[test]
fn a_heartbeat_of_version_2_has_positions_beyond_4_gib() {
    let position = 5_000_000_000u64;
    let mut body = b"\x01\x0dbinlog.000042".to_vec();
    body.extend([2, 9, 0xfe]);
    body.extend(position.to_le_bytes());
    body.push(0);
    let event = Built { next_position: 0, ..Built::new(EventType::HEARTBEAT_V2, body) };
    check(std::slice::from_ref(&event), |event| match event.body {
        Body::Heartbeat(heartbeat) => assert_eq!(heartbeat, Heartbeat { file: b"binlog.000042", position }),
        other => panic!("{other:?}"),
    });
    // A field of a later version is skipped; a field that is cut off is an error.
    let later = Built { body: [b"\x07\x03abc".as_slice(), &event.body].concat(), ..event.clone() };
    check(&[later], |event| assert!(matches!(event.body, Body::Heartbeat(Heartbeat { position: 5_000_000_000, .. }))));
    let cut = Built { body: event.body[..20].to_vec(), ..event };
    assert!(matches!(refused(&cut), (Error::Truncated { .. }, offset) if offset >= HEADER_BYTES));
}

#[test]
fn an_incident_has_number_and_message() {
    let event = Built::new(EventType::INCIDENT, *b"\x01\x00\x0bevents lost");
    check(std::slice::from_ref(&event), |event| match event.body {
        Body::Incident(incident) => assert_eq!(incident, Incident { number: 1, message: b"events lost" }),
        other => panic!("{other:?}"),
    });
    let bare = Built { body: vec![1, 0], ..event.clone() };
    check(&[bare], |event| assert!(matches!(event.body, Body::Incident(Incident { number: 1, message: b"" }))));
    let cut = Built { body: event.body[..8].to_vec(), ..event };
    assert!(matches!(refused(&cut), (Error::Truncated { needed: 11, available: 5, .. }, _)));
}

#[test]
fn start_encryption_gives_scheme_key_and_nonce_as_they_are() {
    let body = *b"\x01\x02\x00\x00\x00nonce-nonce!";
    check(&[Built::new(EventType::START_ENCRYPTION, body)], |event| match event.body {
        Body::StartEncryption(bytes) => assert_eq!(bytes, body),
        other => panic!("{other:?}"),
    });
}

#[test]
fn a_stop_has_nothing_to_say() {
    check(&[Built::new(EventType::STOP, [])], |event| assert!(matches!(event.body, Body::Stop)));
}

#[test]
fn an_unknown_type_comes_out_with_its_bytes_and_says_whether_it_may_be_skipped() {
    for (flags, ignorable) in [(EventHeader::FLAG_IGNORABLE, true), (0, false)] {
        for code in [43, 100, 159, 173, 255] {
            let event = Built { flags, ..Built::new(EventType(code), *b"later") };
            check(&[event], |event| {
                assert!(matches!(event.body, Body::Unknown(b"later")), "{:?}", event.body);
                assert_eq!(event.header.is_ignorable(), ignorable);
                assert_eq!(event.header.kind.to_string(), format!("Unknown({code})"));
            });
        }
    }
}

#[test]
fn known_types_without_rows_come_out_as_other() {
    for kind in [EventType::IGNORABLE, EventType::VIEW_CHANGE, EventType::TRANSACTION_CONTEXT, EventType::INTVAR] {
        check(&[Built::new(kind, *b"bytes")], |event| assert!(matches!(event.body, Body::Other(b"bytes"))));
    }
}

/// `LOAD DATA` of thread 9 in database `d`, with the status variables `sql_mode` and `character set`.
fn execute_load_query() -> Built {
    let status = [b"\x01\x04\x00\x00\x00\x00\x00\x00\x00".as_slice(), b"\x04\x2d\x00\x2d\x00\xff\x00"].concat();
    let mut body = 9u32.to_le_bytes().to_vec();
    body.extend(3u32.to_le_bytes());
    body.push(1);
    body.extend(0u16.to_le_bytes());
    body.extend((status.len() as u16).to_le_bytes());
    // File 7, its name in bytes 9 to 21 of the statement, duplicates are replaced.
    body.extend([7u32, 9, 21].map(u32::to_le_bytes).concat());
    body.push(2);
    body.extend(status);
    body.extend(b"d\0LOAD DATA INFILE 'x' REPLACE INTO TABLE t");
    Built::new(EventType::EXECUTE_LOAD_QUERY, body)
}

#[test]
fn a_load_in_statement_format_is_a_statement() {
    let event = execute_load_query();
    check(std::slice::from_ref(&event), |event| match event.body {
        Body::ExecuteLoadQuery(query) => {
            assert_eq!((query.thread_id, query.execution_seconds, query.error_code), (9, 3, 0));
            assert_eq!(query.database, b"d");
            assert_eq!(query.sql, b"LOAD DATA INFILE 'x' REPLACE INTO TABLE t");
            assert_eq!((query.status.sql_mode(), query.status.client_collation()), (Some(4), Some(45)));
        }
        other => panic!("{other:?}"),
    });
    let head = event.body.len() - b"LOAD DATA INFILE 'x' REPLACE INTO TABLE t".len();
    for cut in 0..head {
        let event = Built { body: event.body[..cut].to_vec(), ..event.clone() };
        assert!(matches!(refused(&event), (Error::Truncated { .. }, offset) if offset <= HEADER_BYTES + cut), "{cut}");
    }
    // Lengths that lie: 65535 bytes of status variables, a database of 255.
    for (at, byte) in [(11, 0xff), (12, 0xff), (8, 0xff)] {
        let mut lying = event.clone();
        lying.body[at] = byte;
        assert!(matches!(refused(&lying), (Error::Truncated { .. }, _)), "{at}");
    }
    let file = Built::new(EventType::BEGIN_LOAD_QUERY, *b"\x07\0\0\x001,2\n");
    check(&[file], |event| assert!(matches!(event.body, Body::Other(b"\x07\0\0\x001,2\n"))));
}

/// Sequence 9 in domain 3 with `flags`, then the parts that the flags announce, filled up to the 19 bytes that an event
/// has at least.
fn mariadb_gtid(flags: u8, parts: &[&[u8]]) -> Built {
    let mut body = 9u64.to_le_bytes().to_vec();
    body.extend(3u32.to_le_bytes());
    body.push(flags);
    body.extend(parts.concat());
    body.resize(body.len().max(19), 0);
    Built::new(EventType::MARIADB_GTID, body)
}

fn check_mariadb_gtid(event: Built, commit_id: Option<u64>, xid: Option<&str>, thread_id: Option<u32>) {
    let flags = event.body[12];
    check(&[event], |event| match event.body {
        Body::MariadbGtid(gtid) => {
            assert_eq!((gtid.sequence, gtid.domain, gtid.server_id, gtid.flags), (9, 3, 77, flags));
            assert_eq!(gtid.commit_id, commit_id);
            assert_eq!(gtid.xid.map(|xid| xid.to_string()).as_deref(), xid);
            assert_eq!(gtid.thread_id, thread_id);
        }
        other => panic!("{other:?}"),
    });
}

/// MariaDB 11.5 adds the thread behind everything else, under a bit of the extra flags.
#[test]
fn mariadb_gtids_with_every_optional_part() {
    const EXTRA_ENGINES: u8 = 1;
    const EXTRA_ALTER_START: u8 = 2;
    const EXTRA_ALTER_COMMIT: u8 = 4;
    const EXTRA_ALTER_ROLLBACK: u8 = 8;
    const EXTRA_THREAD: u8 = 16;
    let trans = MariadbGtid::FLAG_TRANSACTIONAL;
    let group = MariadbGtid::FLAG_GROUP_COMMIT;
    let thread = 70_000u32.to_le_bytes();
    let commit = 55u64.to_le_bytes();
    let xid = [1u32.to_le_bytes().as_slice(), &[2, 1], b"gtb"].concat();
    let xa = MariadbGtid::FLAG_PREPARED_XA;

    check_mariadb_gtid(mariadb_gtid(trans, &[]), None, None, None);
    check_mariadb_gtid(mariadb_gtid(group, &[&commit]), Some(55), None, None);
    check_mariadb_gtid(mariadb_gtid(trans, &[&[EXTRA_THREAD], &thread]), None, None, Some(70_000));
    check_mariadb_gtid(mariadb_gtid(group, &[&commit, &[EXTRA_THREAD], &thread]), Some(55), None, Some(70_000));
    check_mariadb_gtid(mariadb_gtid(xa, &[&xid]), None, Some("X'6774',X'62',1"), None);
    check_mariadb_gtid(
        mariadb_gtid(xa | group, &[&commit, &xid, &[EXTRA_THREAD], &thread]),
        Some(55),
        Some("X'6774',X'62',1"),
        Some(70_000),
    );
    let engines = [&[EXTRA_ENGINES | EXTRA_THREAD, 2], thread.as_slice()].concat();
    check_mariadb_gtid(mariadb_gtid(trans, &[&engines]), None, None, Some(70_000));
    let started = [&[EXTRA_ALTER_START | EXTRA_THREAD], thread.as_slice()].concat();
    check_mariadb_gtid(mariadb_gtid(trans, &[&started]), None, None, Some(70_000));
    let committed = [&[EXTRA_ALTER_COMMIT | EXTRA_THREAD], commit.as_slice(), &thread].concat();
    check_mariadb_gtid(mariadb_gtid(trans, &[&committed]), None, None, Some(70_000));
    let undone = [&[EXTRA_ALTER_ROLLBACK], commit.as_slice()].concat();
    for (extra, phase) in [
        (&engines, None),
        (&started, Some(AlterPhase::Start)),
        (&committed, Some(AlterPhase::Commit)),
        (&undone, Some(AlterPhase::Rollback)),
    ] {
        check(&[mariadb_gtid(trans, &[extra])], |event| match event.body {
            Body::MariadbGtid(gtid) => assert_eq!(gtid.alter, phase),
            other => panic!("{other:?}"),
        });
    }
}

/// Table 7, `d`.`t`, of an INT and a VARCHAR(100) that may be NULL.
fn table_map() -> Built {
    let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0];
    body.extend(b"\x01d\x00\x01t\x00\x02");
    body.extend([3, 15, 2, 100, 0, 0b10]);
    Built::new(EventType::TABLE_MAP, body)
}

/// An image: NULL bits, the number, the text.
fn image(number: i32, text: Option<&str>) -> Vec<u8> {
    let mut bytes = vec![if text.is_none() { 0b10 } else { 0 }];
    bytes.extend(number.to_le_bytes());
    if let Some(text) = text {
        bytes.push(text.len() as u8);
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// MariaDB's envelope: `0x80 | bytes of the length`, the length from the top, zlib.
fn compressed(plain: &[u8], length_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0x80 | length_bytes as u8];
    bytes.extend(&(plain.len() as u32).to_be_bytes()[4 - length_bytes..]);
    let mut encoder = ZlibEncoder::new(bytes, Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// The front of a version 2 rows event of [`table_map`] with an extra part, all columns present in `sides` images of a
/// row.
fn rows_front(extra: &[u8], sides: usize) -> Vec<u8> {
    let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0];
    body.extend((extra.len() as u16 + 2).to_le_bytes());
    body.extend(extra);
    body.push(2);
    body.extend(vec![0b11; sides]);
    body
}

/// The rows of an event, before and after, as text.
fn printed(event: Event<'_>, extra: &[u8]) -> Vec<String> {
    let Body::Rows(rows) = event.body else { panic!("{:?}", event.body) };
    assert_eq!((rows.extra, rows.is_partial(), rows.is_statement_end()), (extra, false, true));
    let (mut scratch, mut lines) = (RowScratch::new(), Vec::new());
    let mut reader = rows.reader(&mut scratch);
    while let Some(row) = reader.next_row().unwrap() {
        let images = row.before.iter().chain(&row.after).map(|image| {
            let number = match image.column(0) {
                Cell::Value(stored) => value::signed(stored).unwrap(),
                other => panic!("{other:?}"),
            };
            match image.column(1) {
                Cell::Value(text) => format!("{number} {}", std::str::from_utf8(text).unwrap()),
                cell => format!("{number} {cell:?}"),
            }
        });
        lines.push(images.collect::<Vec<_>>().join(" -> "));
    }
    lines
}

/// MariaDB has codes for compressed rows of version 2 and reads them, though its own writer makes version 1.
#[test]
fn compressed_rows_of_version_2() {
    let images = [image(-1, Some("ñandú")), image(2, None)].concat();
    let cases = [
        (EventType::WRITE_ROWS, EventType::WRITE_ROWS_COMPRESSED, 1, vec!["-1 ñandú", "2 Null"]),
        (EventType::UPDATE_ROWS, EventType::UPDATE_ROWS_COMPRESSED, 2, vec!["-1 ñandú -> 2 Null"]),
        (EventType::DELETE_ROWS, EventType::DELETE_ROWS_COMPRESSED, 1, vec!["-1 ñandú", "2 Null"]),
    ];
    for (plain, packed, sides, expected) in cases {
        for extra in [b"".as_slice(), b"\x01\x02\x00"] {
            let event = Built::new(plain, [rows_front(extra, sides), images.clone()].concat());
            check(&[table_map(), event], |event| assert_eq!(printed(event, extra), expected));
            for length_bytes in 1..=4 {
                let event = Built::new(packed, [rows_front(extra, sides), compressed(&images, length_bytes)].concat());
                check(&[table_map(), event], |event| assert_eq!(printed(event, extra), expected));
            }
        }
    }
}

#[test]
fn a_compressed_part_whose_length_lies_is_an_error() {
    let images = image(1, Some("text"));
    for wrong in [0, 3, images.len() as u8 - 1, images.len() as u8 + 1, 255] {
        let mut part = compressed(&images, 1);
        part[1] = wrong;
        let event = Built::new(EventType::WRITE_ROWS_COMPRESSED, [rows_front(b"", 1), part].concat());
        let mut decoder = Decoder::new();
        decoder.decode(&table_map().bytes(ChecksumAlgorithm::None)).unwrap();
        assert!(decoder.decode(&event.bytes(ChecksumAlgorithm::None)).is_err(), "{wrong}");
    }
}
