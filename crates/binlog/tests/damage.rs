//! Damaged events: an error with its place, never a panic, never an event taken for good that is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod log;

use bitacora_binlog::{Body, ChecksumAlgorithm, Decoder, Error, EventHeader, EventType, HEADER_BYTES, RowScratch};
use log::{Sample, events, golden, samples, walk};

/// A decoder that has seen what must come before the sample.
fn prepared(sample: &Sample) -> Decoder {
    let mut decoder = Decoder::new();
    for event in &sample.before {
        decoder.decode(event).unwrap();
    }
    decoder
}

/// Gives an event its own length in the header, so that the damage behind it is what the decoder meets.
fn fix_length(event: &mut [u8]) {
    let length = event.len() as u32;
    event[9..13].copy_from_slice(&length.to_le_bytes());
}

/// Runs damaged forms of one sample with and without checksum.
struct Judge<'s> {
    sample: &'s Sample,
    summed: Decoder,
    plain: Decoder,
    scratch: RowScratch,
    out: Vec<u8>,
}

impl<'s> Judge<'s> {
    fn new(sample: &'s Sample) -> Self {
        let mut plain = prepared(sample);
        plain.set_checksum(ChecksumAlgorithm::None);
        Self { sample, summed: prepared(sample), plain, scratch: RowScratch::new(), out: Vec::new() }
    }

    /// Nothing may panic, and with checksum the damage must be refused.
    fn refuse(&mut self, damaged: &[u8], what: &str) {
        // A format description says itself whether there is a checksum, so damage to that very statement can turn it
        // off.
        let is_format = self.sample.kind == EventType::FORMAT_DESCRIPTION;
        if is_format {
            *self = Self::new(self.sample);
        }
        let result = walk(&mut self.summed, damaged, &mut self.scratch, &mut self.out);
        assert!(result.is_err() || is_format || damaged == self.sample.event, "{what}: {} was taken", self.sample.kind);
        walk(&mut self.plain, damaged, &mut self.scratch, &mut self.out).ok();
    }
}

#[test]
fn every_truncation_is_an_error() {
    for sample in samples(300) {
        let mut judge = Judge::new(&sample);
        for length in 0..sample.event.len() {
            let mut damaged = sample.event[..length].to_vec();
            judge.refuse(&damaged, &format!("cut at {length}"));
            if length >= HEADER_BYTES {
                fix_length(&mut damaged);
                judge.refuse(&damaged, &format!("cut at {length}, length mended"));
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error() {
    for sample in samples(200) {
        let mut judge = Judge::new(&sample);
        for bit in 0..sample.event.len() * 8 {
            let mut damaged = sample.event.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            judge.refuse(&damaged, &format!("bit {bit}"));
        }
    }
}

#[test]
fn bytes_too_many_are_an_error() {
    for sample in samples(400) {
        let mut judge = Judge::new(&sample);
        let mut damaged = sample.event.clone();
        damaged.extend_from_slice(&[0; 3]);
        judge.refuse(&damaged, "three bytes more");
        fix_length(&mut damaged);
        judge.refuse(&damaged, "three bytes more, length mended");
    }
}

fn first(kind: EventType) -> Sample {
    samples(4000).into_iter().find(|sample| sample.kind == kind).unwrap()
}

#[test]
fn a_wrong_checksum_names_event_position_and_byte() {
    let mut sample = first(EventType::XID);
    let length = sample.event.len();
    let next_position = EventHeader::parse(&sample.event).unwrap().next_position;
    sample.event[length - 1] ^= 1;
    let mut decoder = prepared(&sample);
    let error = decoder.decode(&sample.event).unwrap_err();
    let Error::Event { kind, next_position: at, offset, cause } = &error else { panic!("{error}") };
    assert_eq!((*kind, *at, *offset), (EventType::XID, next_position, length - 4));
    assert!(matches!(**cause, Error::Checksum { .. }), "{error}");
    assert!(error.to_string().contains(&format!("ends at position {next_position}")), "{error}");
}

#[test]
fn a_wrong_length_names_both_lengths() {
    let mut sample = first(EventType::XID);
    sample.event.pop();
    let mut decoder = prepared(&sample);
    let Err(Error::Event { cause, .. }) = decoder.decode(&sample.event) else { panic!("taken") };
    let announced = sample.event.len() as u64 + 1;
    assert!(matches!(*cause, Error::Length { announced: a, actual } if a == announced && actual == announced - 1));
}

#[test]
fn rows_without_a_table_map_are_an_error() {
    let mut sample = first(EventType::WRITE_ROWS);
    sample.before.pop();
    let Err(Error::Event { cause, .. }) = prepared(&sample).decode(&sample.event).map(|_| ()) else { panic!("taken") };
    assert!(matches!(*cause, Error::UnknownTable { .. }), "{cause}");
}

#[test]
fn rows_of_another_column_count_are_an_error() {
    let all = samples(4000);
    let of = |columns: usize| {
        all.iter().find(|sample| {
            let is_rows = sample.kind == EventType::WRITE_ROWS;
            is_rows
                && prepared(sample)
                    .decode(&sample.event)
                    .is_ok_and(|event| matches!(event.body, Body::Rows(rows) if rows.table.columns.len() == columns))
        })
    };
    let (narrow, wide) = (of(3).unwrap(), of(2).unwrap());
    let mut decoder = prepared(wide);
    decoder.set_checksum(ChecksumAlgorithm::None);
    // The narrow table's rows under the wide one's id.
    let id: [u8; 6] = wide.before[1][HEADER_BYTES..HEADER_BYTES + 6].try_into().unwrap();
    let mut event = narrow.event.clone();
    event[HEADER_BYTES..HEADER_BYTES + 6].copy_from_slice(&id);
    let Err(Error::Event { cause, .. }) = decoder.decode(&event).map(|_| ()) else { panic!("taken") };
    assert!(matches!(*cause, Error::ColumnCount { rows: 3, map: 2, .. }), "{cause}");
}

#[test]
fn an_unknown_type_is_surfaced() {
    let mut sample = first(EventType::XID);
    sample.event[4] = 99;
    let mut decoder = prepared(&sample);
    decoder.set_checksum(ChecksumAlgorithm::None);
    let event = decoder.decode(&sample.event).unwrap();
    assert_eq!((event.header.kind.0, event.header.kind.to_string().as_str()), (99, "Unknown(99)"));
    assert!(matches!(event.body, Body::Unknown(bytes) if bytes.len() == sample.event.len() - HEADER_BYTES));
}

#[test]
fn a_flag_set_in_the_open_file_does_not_break_the_checksum() {
    let file = golden("mysql-9.7.4/binlog.000001");
    let mut format = events(&file)[0].1.to_vec();
    format[17] |= EventHeader::FLAG_IN_USE as u8;
    assert!(Decoder::new().decode(&format).is_ok());
}

#[test]
fn an_artificial_rotate_is_read_with_and_without_checksum() {
    let mut rotate = vec![0u8; HEADER_BYTES];
    rotate[4] = EventType::ROTATE.0;
    rotate[17] = EventHeader::FLAG_ARTIFICIAL as u8;
    rotate.extend_from_slice(&4u64.to_le_bytes());
    rotate.extend_from_slice(b"binlog.000007");
    fix_length(&mut rotate);
    let mut summed = rotate.clone();
    summed.extend_from_slice(&[0; 4]);
    fix_length(&mut summed);
    let covered = summed.len() - 4;
    let crc = crc32fast::hash(&summed[..covered]);
    summed[covered..].copy_from_slice(&crc.to_le_bytes());
    let file = |decoder: &mut Decoder, event: &[u8]| {
        let Body::Rotate(rotate) = decoder.decode(event).unwrap().body else { panic!("no rotate") };
        (rotate.position, String::from_utf8(rotate.file.to_vec()).unwrap())
    };
    let expected = (4, "binlog.000007".to_owned());
    let mut decoder = Decoder::new();
    assert_eq!(file(&mut decoder, &rotate), expected);
    assert_eq!(file(&mut decoder, &summed), expected);
    decoder.set_checksum(ChecksumAlgorithm::Crc32);
    assert_eq!(file(&mut decoder, &summed), expected);
    assert!(decoder.decode(&rotate).is_err());
}
