//! Fuzz target: the event decoder, any bytes as an event, with whatever came before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;
mod mutate;

use bitacora_binlog::{ChecksumAlgorithm, Decoder, EventType, RowScratch};
use log::{samples, walk};
use mutate::{fix_length, fuzz};

#[test]
fn event() {
    let mut corpus: Vec<Vec<u8>> = samples(2000).into_iter().map(|sample| sample.event).collect();
    // No recorded log has a LOAD DATA in statement format: a query with 13 bytes more in front of the variables.
    let query = corpus.iter().find(|event| event[4] == EventType::QUERY.0).unwrap();
    let mut load = query.clone();
    load[4] = EventType::EXECUTE_LOAD_QUERY.0;
    load.splice(32..32, [7; 13]);
    corpus.push(load);
    // One decoder for all inputs: what a damaged event leaves behind meets the ones that follow.
    let (mut decoder, mut scratch, mut out) = (Decoder::new(), RowScratch::new(), Vec::new());
    fuzz(&corpus, |_, input| {
        walk(&mut decoder, input, &mut scratch, &mut out).ok();
        let mut event = input.to_vec();
        fix_length(&mut event);
        decoder.set_checksum(ChecksumAlgorithm::None);
        walk(&mut decoder, &event, &mut scratch, &mut out).ok();
    });
}
