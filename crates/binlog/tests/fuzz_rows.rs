//! Fuzz target: rows events behind an undamaged table map, plain and compressed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;
mod mutate;

use bitacora_binlog::{ChecksumAlgorithm, Decoder, RowScratch};
use log::{is_rows, samples, walk};
use mutate::{fix_length, fuzz};

#[test]
fn rows() {
    let rows = samples(2000).into_iter().filter(|sample| is_rows(sample.kind));
    let (before, corpus): (Vec<_>, Vec<_>) = rows.map(|sample| (sample.before, sample.event)).unzip();
    let (mut scratch, mut out) = (RowScratch::new(), Vec::new());
    fuzz(&corpus, |entry, input| {
        let mut decoder = Decoder::new();
        for event in &before[entry] {
            decoder.decode(event).unwrap();
        }
        decoder.set_checksum(ChecksumAlgorithm::None);
        let mut event = input.to_vec();
        fix_length(&mut event);
        walk(&mut decoder, &event, &mut scratch, &mut out).ok();
    });
}
